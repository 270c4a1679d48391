"""Samples of any firmware that prints them: a CSV data forwarder."""

import time
from typing import Any

import numpy as np

from host_tools.device.console import BAUD, Console
from host_tools.errors import BeckonError
from host_tools.recording.blocks import Block
from host_tools.units import ACCEL_UNITS


class ForwarderSource:
    """Any firmware that prints one line per sample, three or six numbers: a CSV data forwarder.

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
            raise BeckonError(f"{self._port} sends data that is not text at {self._baud} baud; "
                              "name its firmware's rate with --baud")
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
