"""A chip in its boot mode on a serial port; see host_tools/simulator/boot_rom.py."""

import subprocess
import sys
from pathlib import Path

from host_tools.simulator.boot_rom import CHANGE_BAUD, ERASE_FLASH, FLASH_DEFL_DATA, MD5
from host_tools.testing.pty_board import PtyBoard

__all__ = ["CHANGE_BAUD", "ERASE_FLASH", "FLASH_DEFL_DATA", "MD5", "RomBoard"]


class RomBoard(PtyBoard):
    """A chip in its boot mode on a serial port, whose speed it follows at once.

    then: what starts on it once somebody wants MicroPython.
    """

    def __init__(self, folder: Path, chip: str = "esp32", fault: str = "", then=None):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(_RomProcess([str(folder), chip, fault], then))
        self._folder_of_chip = folder

    def _garbled_by_baud(self) -> bool:
        return False

    def flash(self) -> bytes:
        """What the flash holds."""
        return (self._folder_of_chip / "flash").read_bytes()

    def commands(self) -> list[int]:
        """The codes of the commands that it got."""
        log = self._folder_of_chip / "log"
        return [int(word, 16) for word in log.read_text().split()] if log.exists() else []


class _RomProcess:
    def __init__(self, arguments: list[str], then):
        self._command = [sys.executable, "-m", "host_tools.simulator.boot_rom", *arguments]
        self._then = then
        self._starts = 0

    def start(self, cause: int) -> subprocess.Popen[bytes]:
        self._starts += 1
        if self._starts > 1 and self._then:
            return self._then.start(cause)
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                start_new_session=True)

    def close(self) -> None:
        if self._then:
            self._then.close()

    def baud(self) -> int:
        return 0  # not asked for
