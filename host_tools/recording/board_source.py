"""Samples of a board with Beckon's firmware, over its serial line."""

import time
from typing import Any

import numpy as np

from host_tools.device.console import BAUD, Console
from host_tools.device.ports import wait_for_return
from host_tools.device.pretend import tell_hand
from host_tools.errors import BeckonError
from host_tools.recording.blocks import Block, Source
from host_tools.recording.stream import Decoder, Info, Samples
from host_tools.units import accel_counts, at_limit

_FIRST_TIMEOUT_S = 6.0
_BAUDS = (115200, 230400, 460800, 921600)
_BITS_PER_SAMPLE = 10 * (12 + 12)  # ten bits per byte; frame heads, infos


def baud_for(rate_hz: float) -> int:
    """The slowest baud rate of which the stream takes no more than a quarter.

    So the board's loop is never held by the line, and a computer that stutters can
    catch up.
    """
    for baud in _BAUDS:
        if rate_hz * _BITS_PER_SAMPLE <= baud / 4:
            return baud
    return _BAUDS[-1]


class BoardSource(Source):
    """A board with Beckon's firmware. Its program is stopped; at the end it restarts, unless
    restart is false: then its REPL listens."""

    axes = 6

    def __init__(self, port: str, rate_hz: float = 100, accel_g: int = 8, gyro_dps: int = 1000,
                 baud: int | None = None, restart: bool = True):  # fmt: skip
        self.rate_hz = float(rate_hz)
        self._restart = restart
        self._port = port
        self._settings = f"rate_hz={rate_hz:g}, accel_g={accel_g}, gyro_dps={gyro_dps}"
        self._baud = baud or baud_for(rate_hz)
        self._decoder = Decoder()
        self._reported: dict[str, Any] = {}
        self._waiting: list[Block] = []
        self._presses = 0
        self._console: Console | None = None

    def __enter__(self) -> "BoardSource":
        console = Console(self._port)
        try:
            console.catch()
        except BaseException:  # it does not listen, so it cannot be restarted, either
            console.close()
            raise
        self._console = console
        try:
            console.refresh()
            console.start("from serial_line import serial_stream\n"
                          f"serial_stream.run({self._settings}, baud={self._baud})")
            if self._baud != BAUD:
                self._change_baud(console)
            self._await_first(console)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        console, self._console = self._console, None
        if not console:
            return
        self.tell_hand("end")
        try:
            console.write(b"\x03")
            time.sleep(0.1)
            console.read(0.1)
            console.baud = BAUD
            console.catch(5)
            if self._restart:
                console.restart()
                console.read(0.1)
        except BeckonError:
            pass  # it is gone, or hangs; what was recorded counts
        console.close()
        if self._restart:
            wait_for_return(self._port)

    def read(self, timeout_s: float) -> list[Block]:
        """Raises Unplugged when the board goes away, BeckonError when its sensor fails."""
        assert self._console
        blocks, self._waiting = self._waiting, []
        data = self._console.read(timeout_s)
        if data:
            blocks += self._take(data)
        return blocks

    def presses(self) -> int:
        count, self._presses = self._presses, 0
        return count

    def tell_hand(self, order: str) -> None:
        tell_hand(self._port, order)

    @property
    def measured_hz(self) -> float | None:
        period = self._reported.get("period_1024")
        return 1024e6 / period if period else None

    def about(self) -> dict[str, Any]:
        keys = ("device", "firmware", "micropython", "sensor", "who_am_i", "accel_g", "gyro_dps")
        return {
            **{key: self._reported.get(key) for key in keys},
            "source": "board",
            "lost_on_board": self._reported.get("samples_lost", 0),
            "baud": self._console.baud if self._console else self._baud,
            "line_bytes_skipped": self._decoder.skipped,
            "line_frames_refused": self._decoder.refused,
        }

    def counters(self) -> dict[str, Any]:
        """What the board reported last about itself and its sampling."""
        return dict(self._reported)

    @property
    def warning(self) -> str:  # type: ignore[override]  # it may come with any report
        """What the sensor's driver warns of, or ""."""
        return str(self._reported.get("warning") or "")

    def _take(self, data: bytes) -> list[Block]:
        blocks = []
        for frame in self._decoder.feed(data):
            if isinstance(frame, Info):
                self._presses += "presses" in frame.reported
                self._reported.update(frame.reported)
            else:
                blocks.append(self._block(frame))
        return blocks

    def _block(self, samples: Samples) -> Block:
        reported = self._reported
        scale = np.empty(6)
        scale[:3] = 1 / accel_counts(reported["accel_g"])
        scale[3:] = 10 / reported["gyro_lsb_per_10_dps"]
        return Block(samples.index, samples.counts * scale, at_limit(samples.counts))

    def _change_baud(self, console: Console) -> None:
        """Follow the board to the faster rate; stay if it cannot be heard there."""
        console.baud = self._baud
        heard = Decoder()
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            frames = heard.feed(console.read(0.1))
            if any(isinstance(f, Info) and "baud" in f.reported for f in frames):
                console.write(b"\x03")
                return
        console.baud = BAUD
        time.sleep(1.0)  # the board gives up, too, and goes on at the old rate

    def _await_first(self, console: Console) -> None:
        """Wait for samples and for the first Info, which says what the counts mean."""
        until = time.monotonic() + _FIRST_TIMEOUT_S
        heard = b""
        while time.monotonic() < until:
            data = console.read(0.1)
            heard += data
            for frame in self._decoder.feed(data):
                if isinstance(frame, Info):
                    self._reported.update(frame.reported)
                elif "accel_g" in self._reported:
                    self._waiting.append(self._block(frame))
            if self._waiting:
                self.rate_hz = float(self._reported.get("rate_hz", self.rate_hz))
                return
            if b"Traceback" in heard and heard.count(b"\x04") >= 2:
                raise _start_fault(self._port, heard.decode(errors="replace"))
        fault = self._reported.get("fault")
        if fault:
            raise BeckonError("the sensor on {port} does not answer ({fault}): check its wires, "
                              "then run beckon doctor {port}", port=self._port, fault=fault)
        raise BeckonError("the board on {port} sends no samples; run beckon doctor {port}",
                          port=self._port)


def _start_fault(port: str, text: str) -> BeckonError:
    error = next((line for line in reversed(text.replace("\x04", "\n").splitlines())
                  if "Error" in line), "an unknown fault")  # fmt: skip
    if "serial_stream" in error or "ImportError" in error:
        return BeckonError("the board on {port} has no Beckon firmware (or an old one): run "
                           "beckon deploy {port}", port=port)
    if "MemoryError" in error:
        return BeckonError("the board on {port} has too little memory: run beckon deploy {port}, "
                           "which copies compiled files", port=port)
    return BeckonError("the board on {port} does not start recording: {error}", port=port,
                       error=error.strip())
