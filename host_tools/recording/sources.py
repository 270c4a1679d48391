"""Where samples come from: a board, a CSV data forwarder, a file that is played.

Each source is a context manager with

    rate_hz, axes        nominal rate; 6, or 3 without gyroscope
    read(timeout_s)      list of Block, empty when nothing has come; raises Finished
    about()              what goes into the recording's JSON file
    measured_hz          the rate by the best clock there is, or None
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.dataset.folder import read_recording
from host_tools.device.console import BAUD, Console
from host_tools.errors import BeckonError
from host_tools.recording.stream import Decoder, Info, Samples
from host_tools.units import ACCEL_UNITS, accel_counts, at_limit

_FIRST_TIMEOUT_S = 6.0
_BAUDS = (115200, 230400, 460800, 921600)
_BITS_PER_SAMPLE = 10 * (12 + 12)  # ten bits a byte; frame heads, infos


class Finished(Exception):
    """The source has no more samples."""


@dataclass(frozen=True)
class Block:
    """Consecutive samples. values: float64 (n, 3 or 6), m/s^2 and deg/s; clipped: bool (n,),
    at the end of the sensor's range; index: sample periods since the source's start."""

    index: int
    values: np.ndarray
    clipped: np.ndarray

    @property
    def end(self) -> int:
        return self.index + len(self.values)

    def split(self, at: int) -> "tuple[Block, Block]":
        """What lies before sample `at`, and the rest; either may be empty."""
        n = min(max(at - self.index, 0), len(self.values))
        return (Block(self.index, self.values[:n], self.clipped[:n]),
                Block(self.index + n, self.values[n:], self.clipped[n:]))


def baud_for(rate_hz: float) -> int:
    """The slowest baud rate of which the stream takes no more than a quarter.

    So the board's loop is never held by the line, and a computer that stutters can
    catch up.
    """
    for baud in _BAUDS:
        if rate_hz * _BITS_PER_SAMPLE <= baud / 4:
            return baud
    return _BAUDS[-1]


class BoardSource:
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
        try:
            console.write(b"\x03")
            time.sleep(0.1)
            console.read(0.1)
            console.baud = BAUD
            console.catch(5)
            if self._restart:
                console.restart()
        except BeckonError:
            pass  # it is gone, or hangs; what was recorded counts
        console.close()

    def read(self, timeout_s: float) -> list[Block]:
        """Raises Unplugged when the board goes away, BeckonError when its sensor fails."""
        assert self._console
        blocks, self._waiting = self._waiting, []
        data = self._console.read(timeout_s)
        if data:
            blocks += self._take(data)
        return blocks

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
    def warning(self) -> str:
        """What the sensor's driver warns of, or ""."""
        return str(self._reported.get("warning") or "")

    def _take(self, data: bytes) -> list[Block]:
        blocks = []
        for frame in self._decoder.feed(data):
            if isinstance(frame, Info):
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
            raise BeckonError(f"the sensor on {self._port} does not answer ({fault}): check its "
                              f"wires, then run beckon doctor {self._port}")
        raise BeckonError(f"the board on {self._port} sends no samples; run beckon doctor "
                          f"{self._port}")


def _start_fault(port: str, text: str) -> BeckonError:
    error = next((line for line in reversed(text.replace("\x04", "\n").splitlines())
                  if "Error" in line), "an unknown fault")  # fmt: skip
    if "serial_stream" in error or "ImportError" in error:
        return BeckonError(f"the board on {port} has no Beckon firmware (or an old one): run "
                           f"beckon deploy {port}")
    if "MemoryError" in error:
        return BeckonError(f"the board on {port} has too little memory: run beckon deploy {port}, "
                           "which copies compiled files")
    return BeckonError(f"the board on {port} does not start recording: {error.strip()}")


class ForwarderSource:
    """Any firmware that prints one line a sample, three or six numbers: a CSV data forwarder.

    accel_unit: m/s2, g, or mg; gyroscope in deg/s. The rate is measured at the start.
    """

    _MEASURE_S = 2.0

    def __init__(self, port: str, accel_unit: str = "m/s2", baud: int = BAUD):
        self._port = port
        self._scale = ACCEL_UNITS[accel_unit]
        self._baud = baud
        self._rest = b""
        self._index = 0
        self._began_s = 0.0
        self._broken = 0
        self._waiting: list[Block] = []
        self.axes = 0
        self.rate_hz = 0.0

    def __enter__(self) -> "ForwarderSource":
        self._console = Console(self._port, self._baud)
        try:
            self._measure()
        except BaseException:
            self._console.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._console.close()

    def _measure(self) -> None:
        """Find the number of axes and the rate. Raises BeckonError."""
        heard = b""
        begin = 0.0
        until = time.monotonic() + 3 * self._MEASURE_S
        rows = 0
        while time.monotonic() < until:
            data = self._console.read(0.1)
            if not data:
                continue
            *lines, self._rest = (self._rest + data).split(b"\n")
            if not begin:  # the first piece may have waited in a buffer for long
                begin = time.monotonic()
                continue
            heard += data
            for line in lines:
                row = _numbers(line)
                if row and len(row) in (3, 6) and (not self.axes or len(row) == self.axes):
                    self.axes = len(row)
                    rows += 1
            passed = time.monotonic() - begin
            if rows > 10 and passed >= self._MEASURE_S:
                self.rate_hz = rows / passed
                self._began_s = time.monotonic()
                return
        if not heard:
            raise BeckonError(f"nothing comes from {self._port} at {self._baud} baud; does its "
                              "firmware print, and at this rate?")
        if sum(32 <= byte < 127 or byte in b"\r\n\t" for byte in heard) < 0.8 * len(heard):
            raise BeckonError(f"what {self._port} sends is no text at {self._baud} baud; name its "
                              "firmware's rate with --baud")
        last = heard.splitlines()[-1].decode(errors="replace")[:60]
        raise BeckonError(f"{self._port} sends {last!r}; a data forwarder sends lines of 3 or 6 "
                          "numbers (a board with Beckon's firmware is recorded without --from)")

    def read(self, timeout_s: float) -> list[Block]:
        *lines, self._rest = (self._rest + self._console.read(timeout_s)).split(b"\n")
        rows: list[list[float]] = []
        blocks = []
        first = self._index
        for line in lines:
            row = _numbers(line)
            if row is None or len(row) != self.axes:
                self._broken += 1
                if rows:
                    blocks.append(self._block(first, rows))
                rows = []
                self._index += 1  # a sample was meant
                first = self._index
                continue
            rows.append(row)
            self._index += 1
        if rows:
            blocks.append(self._block(first, rows))
        return blocks

    def _block(self, index: int, rows: list[list[float]]) -> Block:
        values = np.array(rows)
        values[:, :3] *= self._scale
        return Block(index, values, np.zeros(len(rows), bool))

    @property
    def measured_hz(self) -> float | None:
        passed = time.monotonic() - self._began_s
        return self._index / passed if passed > 5 else self.rate_hz

    def about(self) -> dict[str, Any]:
        return {"source": "data forwarder", "lines_refused": self._broken, "baud": self._baud}

    warning = ""


def _numbers(line: bytes) -> list[float] | None:
    """The numbers of a line, separated by commas or white space; None if it has others."""
    try:
        row = [float(field) for field in line.replace(b",", b" ").split()]
    except ValueError:
        return None
    return row if all(np.isfinite(row)) else None


class ReplaySource:
    """A recording file, played as if it were live. speed: times real time, 0: at once."""

    warning = ""

    def __init__(self, path: Path, speed: float = 1.0):
        recording, _ = read_recording(path)
        self._path = path
        self._values = recording.samples.astype(float)
        self._gaps = recording.gaps
        self.rate_hz = recording.rate_hz
        self.axes = recording.axes
        self._speed = speed
        self._at = 0

    def __enter__(self) -> "ReplaySource":
        self._began_s = time.monotonic()
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def read(self, timeout_s: float) -> list[Block]:
        if self._at >= len(self._values):
            raise Finished
        if self._speed:
            time.sleep(min(timeout_s, 0.05))
            due = int((time.monotonic() - self._began_s) * self.rate_hz * self._speed)
        else:
            due = self._at + 64
        first, self._at = self._at, min(max(due, self._at), len(self._values))
        return list(self._parts(first, self._at))

    def _parts(self, first: int, end: int) -> Iterator[Block]:
        """What lies between the gaps."""
        for start, stop in (*self._gaps, (end, end)):
            if stop <= first or start >= end and start != stop:
                continue
            last = min(start, end)
            if last > first:
                yield self._block(first, last)
            first = max(first, stop)

    def _block(self, first: int, end: int) -> Block:
        return Block(first, self._values[first:end], np.zeros(end - first, bool))

    @property
    def measured_hz(self) -> float | None:
        return self.rate_hz

    def about(self) -> dict[str, Any]:
        return {"source": f"replay of {self._path.name}"}


