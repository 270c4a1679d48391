"""umqtt.simple, the MQTT client that the firmware uses, out of the Python package index.

The package has a form that pip refuses to install (it is MicroPython code), so it
is downloaded with unearth, checked against its SHA-256 and unpacked. A board gets
the same module from mip.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain.activity import doing
from host_tools.toolchain.cache import cached

VERSION = "1.3.4"
_SHA256 = "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f"
ARCHIVE = f"micropython-umqtt.simple-{VERSION}.tar.gz"


def umqtt_folder() -> Path:
    """A folder for MicroPython's sys.path that holds umqtt/simple.py. Raises BeckonError."""
    return cached(f"umqtt.simple-{VERSION}", _make)


def _make(work: Path) -> None:
    requirement = f"micropython-umqtt.simple=={VERSION}"
    command = [sys.executable, "-m", "unearth", requirement, "--no-binary", *_index(),
               "--download", str(work)]
    with doing(f"fetching umqtt.simple {VERSION}"):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300)
    archive = work / ARCHIVE
    if done.returncode or not archive.exists():
        raise BeckonError(f"the package {requirement} cannot be fetched: connect to the Internet "
                          "and try again")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != _SHA256:
        raise BeckonError(f"{ARCHIVE} has SHA-256 {digest}, not the expected {_SHA256}")
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"micropython-umqtt.simple-{VERSION}/umqtt/simple.py")
        if member is None:
            raise BeckonError(f"no umqtt/simple.py in {ARCHIVE}")
        source = member.read()
    archive.unlink()
    (work / "umqtt").mkdir()
    (work / "umqtt" / "simple.py").write_bytes(source)


def _index() -> list[str]:
    """The index that pip is set up to use, if it is not the usual one."""
    if os.environ.get("PIP_INDEX_URL"):
        return ["--index-url", os.environ["PIP_INDEX_URL"]]
    done = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    url = done.stdout.strip()
    return ["--index-url", url] if done.returncode == 0 and url else []
