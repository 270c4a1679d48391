"""A real mosquitto broker for tests: the system's, else out of the Debian package."""

import functools
import os
import platform
import shutil
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain import debian
from host_tools.toolchain.cache import cached


@functools.cache
def _found() -> tuple[str, ...]:
    places = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin"
    system = shutil.which("mosquitto", path=places)
    if system:
        return (system,)
    if debian.distribution() is None:
        raise BeckonError("no mosquitto here: install it (brew install mosquitto)")
    folder = cached(f"mosquitto-{platform.machine()}", _make)
    return tuple(debian.command_in(folder / "root", "usr/sbin/mosquitto"))


def mosquitto_command() -> list[str]:
    """The arguments that start mosquitto, to be followed by its own. Raises BeckonError."""
    return list(_found())


def _make(work: Path) -> None:
    debian.unpacked(work, "mosquitto")
