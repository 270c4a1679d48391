"""A MicroPython whose integers and objects have the size that they have on an ESP32.

On a 32-bit build every integer from 2^30 on is an object in the heap, so code that
allocates nothing on a 64-bit computer may do so on a board. This one is Debian's package for
i386, which x86-64 computers run as well; native and viper code are compiled for x86.
"""

import functools
import os
import platform
import shlex
import subprocess
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain import debian
from host_tools.toolchain.cache import cached

ARCH = "x86"
"""mpy-cross's name for its native code."""


@functools.cache
def _found() -> tuple[str, ...]:
    named = os.environ.get("BECKON_MICROPYTHON_32")
    if named:
        command = shlex.split(named)
        if not _has_32_bits(command):
            raise BeckonError(f"BECKON_MICROPYTHON_32={named} does not start a 32-bit MicroPython")
        return tuple(command)
    if platform.machine() not in ("x86_64", "AMD64") or debian.distribution() != "Debian":
        raise BeckonError("a 32-bit MicroPython can be fetched on Debian for x86-64 only; name "
                          "one in BECKON_MICROPYTHON_32")
    folder = cached("micropython-i386", _make)
    return tuple(debian.command_in(folder / "root", "usr/bin/micropython"))


def micropython_32_command() -> list[str]:
    """The arguments that start it, to be followed by its own.

    BECKON_MICROPYTHON_32 (a command line) if set, else one fetched from Debian packages into
    the cache folder. Raises BeckonError where there is none.
    """
    return list(_found())


def _make(work: Path) -> None:
    debian.unpacked(work, "micropython", debian.NEWER_SUITE["Debian"], "i386")
    if not _has_32_bits(debian.command_in(work / "root", "usr/bin/micropython")):
        raise BeckonError("the 32-bit MicroPython does not run here: the kernel takes no 32-bit "
                          "programs; name another one in BECKON_MICROPYTHON_32")


def _has_32_bits(command: list[str]) -> bool:
    code = "import sys; print(sys.implementation[0], sys.maxsize)"
    try:
        done = subprocess.run([*command, "-c", code], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.split() == ["micropython", str(2**31 - 1)]
