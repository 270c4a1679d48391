"""Samples of any firmware that prints them: a CSV data forwarder."""

import time
from typing import Any

import numpy as np

from host_tools.device.console import BAUD, Console
from host_tools.errors import BeckonError
from host_tools.recording.blocks import Block, Source
from host_tools.recording.line_clock import LineClock
from host_tools.recording.line_units import LineUnits, found_text

_PAUSE_S = 0.3
_HEARD_BYTES = 2000


class ForwarderSource(Source):
    """Any firmware that prints one line per sample, three or six numbers: a CSV data forwarder.

    accel_unit, gyro_unit: of the lines, as units.py names them; "" to have them measured. The
    rate is measured at the start. Lines bear no time: line_clock finds the pauses in which
    samples were lost.
    """

    _MEASURE_S = 2.0

    def __init__(self, port: str, accel_unit: str = "", baud: int = BAUD, gyro_unit: str = ""):
        self._port = port
        self._units = LineUnits(accel_unit, gyro_unit)
        self._baud = baud
        self._rest = b""
        self._broken = 0
        self.axes = 0
        self.rate_hz = 0.0

    def __enter__(self) -> "ForwarderSource":
        self._console = Console(self._port, self._baud)
        try:
            rows, heard_s = self._measure()
            self._clock: LineClock[list[float] | None] = LineClock(self.rate_hz, heard_s)
            self.warning = self._units.measure(np.array(rows), self.rate_hz)
            self.found = found_text(self._units, self.axes, self.rate_hz)
        except BaseException:
            self._console.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._console.close()

    def _measure(self) -> tuple[list[list[float]], float]:
        """Find the number of axes and the rate. Returns the rows, and when the last came.

        A pause, as of a board that restarts when its port is opened, begins it again.
        Raises BeckonError.
        """
        heard = b""
        begin_s = last_s = 0.0
        waits: list[float] = []
        rows: list[list[float]] = []
        until_s = time.monotonic() + 6 * self._MEASURE_S
        quiet_s = time.monotonic() + 3 * self._MEASURE_S
        while time.monotonic() < (until_s if rows else quiet_s):
            data = self._console.read(0.1)
            if not data:
                continue
            now_s = time.monotonic()
            heard = (heard + data)[-_HEARD_BYTES:]
            *lines, self._rest = (self._rest + data).split(b"\n")
            pause = last_s and now_s - last_s > max(_PAUSE_S, 4 * sorted(waits)[len(waits) // 2]
                                                    if waits else 0)  # fmt: skip
            if not begin_s or pause:  # the first piece may have waited in a buffer for long
                begin_s = last_s = now_s
                rows, waits = [], []
                continue
            waits.append(now_s - last_s)
            last_s = now_s
            for line in lines:
                row = _numbers(line)
                if row and len(row) in (3, 6) and (not self.axes or len(row) == self.axes):
                    self.axes = len(row)
                    rows.append(row)
            passed_s = now_s - begin_s
            if len(rows) > 10 and passed_s >= self._MEASURE_S:
                self.rate_hz = len(rows) / passed_s
                return rows, now_s
        raise self._fault(heard)

    def _fault(self, heard: bytes) -> BeckonError:
        if not heard:
            return BeckonError("nothing comes from {port} at {baud} baud; does its firmware "
                               "print, and at this rate?", port=self._port, baud=self._baud)
        if sum(32 <= byte < 127 or byte in b"\r\n\t" for byte in heard) < 0.8 * len(heard):
            return BeckonError("{port} sends data that is not text at {baud} baud; name its "
                               "firmware's rate with --baud", port=self._port, baud=self._baud)
        last = heard.splitlines()[-1].decode(errors="replace")[:60]
        if self.axes:
            return BeckonError("{port} sends fewer than 4 samples per second, or pauses longer "
                               "than {measure_s:g} s apart: have its firmware print at least 20 "
                               "lines per second", port=self._port, measure_s=self._MEASURE_S)
        return BeckonError("{port} sends {last!r}; a data forwarder sends lines of 3 or 6 numbers "
                           "(a board with Beckon's firmware is recorded without --from)",
                           port=self._port, last=last)

    def read(self, timeout_s: float) -> list[Block]:
        data = self._console.read(timeout_s)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return self._blocks(self._clock.feed([self._row(line) for line in lines],
                                             time.monotonic()))

    def end(self) -> list[Block]:
        """The samples that have come after a pause and were not handed on yet."""
        return self._blocks(self._clock.end())

    @property
    def held(self) -> bool:  # type: ignore[override]  # it changes
        """Whether samples have come that wait for their time to be known."""
        return self._clock.held

    def corrected(self, blocks: list[Block]) -> tuple[list[Block], str]:
        """Blocks as they should be saved, and what changed: see LineUnits."""
        return self._units.corrected(blocks, self.measured_hz or self.rate_hz)

    def _row(self, line: bytes) -> list[float] | None:
        """None for a broken line: a sample was meant."""
        row = _numbers(line)
        if row is not None and len(row) == self.axes:
            return row
        self._broken += 1
        return None

    def _blocks(self, runs: list[tuple[int, list[list[float] | None]]]) -> list[Block]:
        """Each stretch of whole lines as a block."""
        blocks = []
        for first, lines in runs:
            rows: list[list[float]] = []
            for index, row in enumerate([*lines, None], first):
                if row is not None:
                    rows.append(row)
                elif rows:
                    values = self._units.convert(np.array(rows))
                    blocks.append(Block(index - len(rows), values, np.zeros(len(rows), bool)))
                    rows = []
        return blocks

    @property
    def measured_hz(self) -> float | None:
        """By this computer's clock, pauses left out."""
        return self._clock.rate_hz

    def about(self) -> dict[str, Any]:
        pauses = self._clock.pauses
        return {"source": "data forwarder", "lines_refused": self._broken, "baud": self._baud,
                "pauses": len(pauses), "lost_in_pauses": sum(p.lost for p in pauses),
                **self._units.about()}  # fmt: skip


def _numbers(line: bytes) -> list[float] | None:
    """The numbers of a line, separated by commas or white space; None if it has others."""
    try:
        row = [float(field) for field in line.replace(b",", b" ").split()]
    except ValueError:
        return None
    return row if all(np.isfinite(row)) else None
