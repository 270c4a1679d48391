"""More boards for a serial port, beside those of simulator/serial_board.py.

    with PtyBoard(NodeProcess(flash)) as board:          # MicroPython under Node
        deploy(board.port, ...)
"""

import subprocess
import sys
from pathlib import Path

from host_tools.simulator.serial_board import PtyBoard, SensorProcess
from host_tools.toolchain.webassembly import webassembly_folder

__all__ = ["NodeProcess", "PtyBoard", "SensorProcess", "TalkingProcess"]

_NODE_PROGRAM = Path(__file__).with_name("node_board.mjs")


class NodeProcess:
    """MicroPython's WebAssembly port. flash: the folder that is the board's file system."""

    def __init__(self, flash: Path, flash_bytes: int = 2 << 20):
        flash.mkdir(parents=True, exist_ok=True)
        self._command = ["node", str(_NODE_PROGRAM), str(webassembly_folder() / "micropython.mjs"),
                         str(flash), str(flash_bytes)]  # fmt: skip

    def start(self, cause: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                start_new_session=True)

    def close(self) -> None:
        pass

    def baud(self) -> int:
        return 115200


class TalkingProcess:
    """A board that only prints, whatever one types: a boot loop, a program that never ends.

    text: printed again and again, every period_s.
    """

    def __init__(self, text: bytes, period_s: float = 0.1):
        self._text = text
        self._period_s = period_s

    def start(self, cause: int) -> subprocess.Popen[bytes]:
        program = ("import sys, time\n"
                   f"while True:\n sys.stdout.buffer.write({self._text!r})\n"
                   f" sys.stdout.flush()\n time.sleep({self._period_s})")  # fmt: skip
        return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, start_new_session=True)

    def close(self) -> None:
        pass

    def baud(self) -> int:
        return 115200
