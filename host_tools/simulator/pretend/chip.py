"""The chip of the pretend board: MicroPython with a sensor, or its boot ROM for esptool."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from host_tools.simulator.boot_rom import ERASE_FLASH, SYNC_FRAME
from host_tools.simulator.serial_board import PtyBoard, SensorProcess


class Chip:
    """A BoardProcess. In its boot mode it answers esptool as an ESP32 does; when somebody wants
    MicroPython again, it starts that, with an empty file system if its flash was erased.

    flash: the folder that is the board's file system.
    """

    def __init__(self, flash: Path, program: SensorProcess):
        self._flash = flash
        self.program = program
        self._rom_folder = Path(tempfile.mkdtemp(prefix="beckon-rom-"))
        self.in_boot_mode = False

    def start(self, cause: int) -> subprocess.Popen[bytes]:
        if not self.in_boot_mode:
            self._take_over()
            return self.program.start(cause)
        command = [sys.executable, "-m", "host_tools.simulator.boot_rom", str(self._rom_folder),
                   "esp32"]  # fmt: skip
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                start_new_session=True)

    def _take_over(self) -> None:
        """What esptool did to the flash also happened to the file system."""
        log = self._rom_folder / "log"
        if log.exists() and f"{ERASE_FLASH:#x}" in log.read_text().split():
            shutil.rmtree(self._flash)
            self._flash.mkdir()
        log.unlink(missing_ok=True)

    def close(self) -> None:
        self.program.close()
        shutil.rmtree(self._rom_folder, ignore_errors=True)

    def baud(self) -> int:
        return self.program.baud()


class ChipBoard(PtyBoard):
    """A PtyBoard whose Chip enters its boot mode when esptool asks for it.

    A real one does so when its reset and BOOT lines are pulled, which a pseudo-terminal lacks.
    """

    def __init__(self, chip: Chip):
        super().__init__(chip, self._to_host)
        self.chip = chip
        self.garble_heard = self._from_host
        self.lose_bytes = 0
        """So many bytes to the host are lost on the way, from now on."""

    def _from_host(self, data: bytes) -> bytes:
        if not self.chip.in_boot_mode and SYNC_FRAME in data:
            self.chip.in_boot_mode = True
            self._restart()
            return b""  # esptool asks again
        if self.chip.in_boot_mode and not data.startswith(b"\xc0") and b"\x03" in data[:2]:
            self.chip.in_boot_mode = False  # the ROM ends when it reads this
        return data

    def _restart(self) -> None:
        if self._process:
            self._process.kill()

    def _to_host(self, data: bytes) -> bytes:
        lost = min(self.lose_bytes, len(data))
        self.lose_bytes -= lost
        return data[lost:]

    def _garbled_by_baud(self) -> bool:
        return not self.chip.in_boot_mode and super()._garbled_by_baud()
