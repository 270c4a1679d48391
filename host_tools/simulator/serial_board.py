"""A board behind a pseudo-terminal, for everything that talks to a board's serial port.

    with PtyBoard(SensorProcess(flash, devices)) as board:   # the simulated board, with sensor
        deploy(board.port, ...)

The board answers as one does on USB: console, raw REPL, reset. Faults are injected
between it and the port: it is unplugged in the middle, sends garbage, runs at another
baud rate.
"""

import os
import pty
import random
import select
import shutil
import subprocess
import tempfile
import termios
import threading
import time
import tty
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from host_tools.device.image import compile_tree, unix_arch
from host_tools.simulator.i2c_server import I2CServer
from host_tools.simulator.unix_board import RESET_STATUS, STANDINS, power_on_settings
from host_tools.toolchain import micropython_command

_SOFT_FRIENDLY, _SOFT_RAW = 44, 45  # exit statuses of standins/console.py
_BAUDS = (9600, 57600, 115200, 230400, 460800, 921600)
_SPEEDS = {getattr(termios, f"B{baud}", 0): baud for baud in _BAUDS}


class BoardProcess(Protocol):
    """What a board is made of. start: a process whose pipes are the board's console."""

    def start(self, cause: int) -> subprocess.Popen[bytes]: ...

    def close(self) -> None: ...

    def baud(self) -> int: ...


class SensorProcess:
    """The simulated board (host_tools/simulator/unix_board.py) with its console.

    devices: (bus id, I2C address) to simulated device. speed: board time over real time.
    """

    def __init__(
        self,
        flash: Path,
        devices: Mapping[tuple[int, int | None], Any],
        *,
        speed: float = 1.0,
        heap_kib: int = 320,
    ):
        flash.mkdir(parents=True, exist_ok=True)
        self._flash = flash
        self._devices = devices
        self._speed = speed
        self._heap_kib = heap_kib
        self._folder = Path(tempfile.mkdtemp(prefix="beckon-pty-"))
        self._standins = self._folder / "standins"
        compile_tree(STANDINS, self._standins, unix_arch(), as_source=("start.py", "console.py"))
        self._server: I2CServer | None = None
        self._boots = 0

    def start(self, cause: int) -> subprocess.Popen[bytes]:
        if self._server:
            self._server.close()
        (self._standins / "uart0").unlink(missing_ok=True)
        pipes = [self._folder / f"boot{self._boots}.{end}" for end in ("request", "reply")]
        self._boots += 1
        self._server = I2CServer(self._devices, *pipes)
        self._server.start()
        command = [
            *micropython_command(), "-X", f"heapsize={self._heap_kib}K",
            str(self._standins / "start.py"), str(self._standins),
            power_on_settings(pipes, self._speed, 1 if cause == RESET_STATUS else 5,
                              self._heap_kib * 1024),
            str(self._standins / "console.py"),
            "raw" if cause == _SOFT_RAW else "friendly",
        ]  # fmt: skip
        return subprocess.Popen(command, cwd=self._flash, env={**os.environ, "TZ": "UTC"},
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, start_new_session=True)

    def hold_button(self, pin: int, down: bool) -> None:
        """Press the button between GPIO `pin` and GND, or let it go."""
        file = self._standins / f"pin{pin}"
        file.touch() if down else file.unlink(missing_ok=True)

    def close(self) -> None:
        if self._server:
            self._server.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def baud(self) -> int:
        try:
            return int((self._standins / "uart0").read_text())
        except (OSError, ValueError):
            return 115200


class PtyBoard:
    """A board on the serial port `port`; a context manager.

    garble: called with each chunk that the board sends; returns what arrives. garble_heard:
    the same for what the host sends.
    """

    def __init__(self, process: BoardProcess, garble: Callable[[bytes], bytes] | None = None):
        self._backend = process
        self._garble = garble
        self.garble_heard: Callable[[bytes], bytes] | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="beckon-port-"))
        self.port = str(self._folder / "ttyBoard")
        self.boots = 0
        self.received = 0
        """Bytes that came from the host."""
        self.deaf_until_boot = 0
        """Nothing is heard from the host until so many boots."""
        self.native_usb = False
        """Whether the port goes away at a reset, as where MicroPython itself is the USB device."""
        self.late_s = 0.2
        """With native_usb: how long the port is away."""
        self.dies_at_reset = False
        """Whether the next reset is a power cut instead: a program can choose the moment."""
        self._unplug_after: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self._master = self._slave = -1

    def __enter__(self) -> "PtyBoard":
        self.plug()
        return self

    def __exit__(self, *exception: object) -> None:
        self.unplug()
        self._backend.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def plugged(self) -> bool:
        return self._master >= 0

    def plug(self) -> None:
        """Plug it in: it gets power, boots, and the port is there."""
        self.unplug()
        self._closing = False
        self._open_port()
        self._process = self._start(RESET_STATUS)
        self._thread = threading.Thread(target=self._pump, name="pty-board", daemon=True)
        self._thread.start()

    def _open_port(self) -> None:
        self._master, self._slave = pty.openpty()
        # What select announced may be flushed by the host before it is read.
        os.set_blocking(self._master, False)
        tty.setraw(self._slave)
        attributes = termios.tcgetattr(self._slave)
        attributes[4] = attributes[5] = termios.B115200
        termios.tcsetattr(self._slave, termios.TCSANOW, attributes)
        os.symlink(os.ttyname(self._slave), self.port)

    def _close_port(self) -> None:
        if self._master >= 0:
            Path(self.port).unlink(missing_ok=True)
            master, self._master = self._master, -1
            os.close(master)
            os.close(self._slave)

    def unplug(self) -> None:
        """Pull the plug: no power, no port."""
        self._closing = True
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(10)
            self._thread = None
        self._die()

    def unplug_after(self, host_bytes: int) -> None:
        """Pull the plug once so many more bytes have come from the host."""
        self._unplug_after = self.received + host_bytes

    def _die(self) -> None:
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
        self._close_port()

    def _start(self, cause: int) -> subprocess.Popen[bytes]:
        self.boots += 1
        process = self._backend.start(cause)
        assert process.stdin and process.stdout
        os.set_blocking(process.stdin.fileno(), False)
        return process

    def _pump(self) -> None:
        to_board = b""
        while not self._closing:
            process = self._process
            assert process and process.stdin and process.stdout
            out = process.stdout.fileno()
            ready, _, _ = select.select([self._master, out], [], [], 0.02)
            if out in ready:
                data = os.read(out, 4096)
                if not data:
                    status = process.wait()
                    if self.dies_at_reset and status == RESET_STATUS:
                        self._die()
                        return
                    if self.native_usb and status == RESET_STATUS:
                        self._close_port()
                        time.sleep(self.late_s)
                        self._open_port()
                    self._process = self._start(status)
                    process.stdin.close()
                    process.stdout.close()
                    to_board = b""
                    continue
                self._send(data)
            if self._master in ready:
                data = self._heard()
                if self._unplug_after is not None:
                    data = data[: max(0, self._unplug_after - self.received)]
                self.received += len(data)
                if self.boots >= self.deaf_until_boot and not self._garbled_by_baud():
                    to_board += data
                if self._unplug_after is not None and self.received >= self._unplug_after:
                    self._unplug_after = None
                    self._write(process, to_board)
                    time.sleep(0.02)
                    self._die()
                    return
            if to_board:
                to_board = self._write(process, to_board)

    def _heard(self) -> bytes:
        try:
            data = os.read(self._master, 4096)
        except BlockingIOError:
            return b""
        return self.garble_heard(data) if self.garble_heard else data

    @staticmethod
    def _write(process: subprocess.Popen[bytes], data: bytes) -> bytes:
        """What is left."""
        assert process.stdin
        try:
            return data[os.write(process.stdin.fileno(), data) :]
        except BlockingIOError:
            return data
        except OSError:
            return b""  # it has just ended

    def _send(self, data: bytes) -> None:
        if self._garbled_by_baud():
            data = bytes(random.Random(len(data)).randbytes(len(data)))
        if self._garble:
            data = self._garble(data)
        while data and not self._closing:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:  # nobody reads
                select.select([], [self._master], [], 0.02)
            except OSError:
                return

    def _garbled_by_baud(self) -> bool:
        speed = termios.tcgetattr(self._slave)[5]
        return _SPEEDS.get(speed, speed) != self._backend.baud()
