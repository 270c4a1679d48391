"""MicroPython's WebAssembly port: a current MicroPython with 32-bit objects, under Node.

The tests use it as a board that mpremote can talk to (host_tools/testing/pty_board.py).
"""

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain.activity import doing
from host_tools.toolchain.cache import cached

PACKAGE = "@micropython/micropython-webassembly-pyscript"
VERSION = "1.29.0-6"
_MOST_BYTES = 16 << 20  # of a file, unpacked; the larger one has 450 kB
_SHA256 = {
    "micropython.mjs": "26cc7a99064a16518ab9a695e848efb248bfce504aee56ae73b2af35f3dcbf8b",
    "micropython.wasm": "d5913c9327072e71d3e7a2e9384ea326f7d784bcc2f50a01b602c52bd2bdcafd",
}


def node_missing() -> str:
    """Why this board cannot be had here, or ""."""
    for name in ("node", "npm"):
        if not shutil.which(name):
            return f"no {name} here"
    return ""


def webassembly_folder() -> Path:
    """A folder with micropython.mjs and micropython.wasm. Raises BeckonError."""
    return cached(f"micropython-webassembly-{VERSION}", _make)


def _make(work: Path) -> None:
    if node_missing():
        raise BeckonError(f"{node_missing()}: install Node.js, which brings node and npm")
    with doing(f"fetching MicroPython {VERSION} for Node"):
        done = subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", str(work), f"{PACKAGE}@{VERSION}"],
            cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    archives = list(work.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise BeckonError(f"the npm package {PACKAGE}@{VERSION} cannot be fetched: connect to the "
                          "Internet and try again")
    with tarfile.open(archives[0]) as tar:
        for name, sha in _SHA256.items():
            member = tar.extractfile(f"package/{name}")
            data = member.read(_MOST_BYTES) if member else b""
            if hashlib.sha256(data).hexdigest() != sha:
                raise BeckonError(f"{name} of {PACKAGE}@{VERSION} is not the file it should be")
            (work / name).write_bytes(data)
    archives[0].unlink()
