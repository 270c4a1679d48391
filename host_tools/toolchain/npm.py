"""Files of npm packages, fetched once with npm itself and compared with their hashes."""

import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain.activity import doing

_MOST_BYTES = 16 << 20  # of a file, unpacked


def npm_missing(*programs: str) -> str:
    """Why packages cannot be had here, or ""."""
    for name in programs or ("npm",):
        if not shutil.which(name):
            return f"no {name} here"
    return ""


def fetch(package: str, version: str, files: Mapping[str, str], work: Path, what: str) -> None:
    """Put files of a package into work. files: SHA-256 by path in the package; what: for the
    message of progress. Raises BeckonError."""
    if npm_missing():
        raise BeckonError(f"{npm_missing()}: install Node.js, which brings node and npm")
    with doing(f"fetching {what}"):
        done = subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", str(work), f"{package}@{version}"],
            cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    archives = list(work.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise BeckonError(f"the npm package {package}@{version} cannot be fetched: connect to the "
                          "Internet and try again")
    with tarfile.open(archives[0]) as tar:
        for name, sha in files.items():
            member = tar.extractfile(f"package/{name}")
            data = member.read(_MOST_BYTES) if member else b""
            if hashlib.sha256(data).hexdigest() != sha:
                raise BeckonError(f"{name} of {package}@{version} is not the file it should be")
            (work / name).write_bytes(data)
    archives[0].unlink()
