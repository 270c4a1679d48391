"""Type stubs of MicroPython for the ESP32, for checking the firmware with mypy.

They describe MicroPython's own `time`, `socket`, `requests`, ... and would spoil
an environment for CPython, so they lie in a folder of their own.
"""

import subprocess
import sys
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain.activity import doing
from host_tools.toolchain.cache import cached

VERSION = "1.29.0.post1"
_STDLIB_VERSION = "1.29.0.post2"


def stubs_folder() -> Path:
    """A folder laid out as a typeshed, with the ESP32's modules. Raises BeckonError."""
    return cached(f"micropython-esp32-stubs-{VERSION}", _make)


def _make(work: Path) -> None:
    command = [sys.executable, "-I", "-m", "pip", "install", "--quiet", "--no-input", "--no-deps",
               "--disable-pip-version-check", "--target", str(work),
               f"micropython-esp32-stubs=={VERSION}",
               f"micropython-stdlib-stubs=={_STDLIB_VERSION}"]
    with doing("fetching the type stubs of MicroPython"):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300)
    if done.returncode:
        raise BeckonError(f"the package micropython-esp32-stubs {VERSION} cannot be fetched: "
                          "connect to the Internet and try again")
