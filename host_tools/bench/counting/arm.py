"""A MicroPython for 32-bit ARM and an emulator to run it, out of Debian packages."""

from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain import debian
from host_tools.toolchain.activity import doing
from host_tools.toolchain.cache import cached


class _ForeignApt(debian.Apt):
    """An Apt that also knows the packages for armhf."""

    def _update(self) -> None:
        own = ["-o", "APT::Architectures::=armhf", "-o", "APT::Architectures::=amd64"]
        if own[1] not in self._options:
            self._options += own
        super()._update()


def arm_command() -> tuple[list[str], list[str]]:
    """Arguments that start the ARM MicroPython, and the emulator's, to stand before them.

    Fetched into the cache folder the first time. Raises BeckonError where that cannot be.
    """
    if debian.distribution() != "Debian":
        raise BeckonError("an ARM core is emulated with Debian's packages only")
    folder = cached("armhf-emulated", _make)
    emulators = list((folder / "emulator").glob("usr/bin/qemu-arm"))
    if not emulators:
        raise BeckonError(f"no qemu-arm in {folder}: remove that folder and try again")
    return debian.command_in(folder / "root", "usr/bin/micropython"), [str(emulators[0])]


def _make(work: Path) -> None:
    with doing("fetching qemu-user and MicroPython for ARM (Debian packages, into .cache)"):
        apt = _ForeignApt(work / "apt", debian.NEWER_SUITE["Debian"])
        apt.unpack(work / "root", "micropython:armhf")
        apt.unpack(work / "emulator", "qemu-user")
    for name in ("apt", "root/usr/share", "emulator/usr/share"):
        _remove(work / name)
    for other in (work / "emulator" / "usr" / "bin").iterdir():
        if other.name != "qemu-arm":  # one of forty processors
            other.unlink()


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
