"""A source whose samples bear the sender's time stamps: the part that every phone shares."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from host_tools.errors import BeckonError, Sentence
from host_tools.recording.blocks import Block, Source
from host_tools.recording.phone.stamp_clock import StampClock, check_rate, measure

_MEASURE_S = 2.0  # of the sender's time
_OPEN_S = 20.0
_MOST_PIECES = 2000


@dataclass(frozen=True)
class Piece:
    """What came at once. stamps_s: (n,) by the sender's clock; values: (n, 3 or 6) as reported;
    heard_s: when it came, by this computer's clock; restarted: the sender's time does not go on
    from the piece before."""

    stamps_s: np.ndarray
    values: np.ndarray
    heard_s: float
    restarted: bool = False


class StampedSource(Source):
    """A subclass delivers with put() from its own thread, between _connect() and _disconnect().

    It may also override _settle(), which sees the first two seconds, and _convert().
    """

    who = "the phone"
    silence_s = 60.0  # a phone sleeps, and comes back

    def __init__(self) -> None:
        self._pieces: queue.Queue[Piece | BeckonError] = queue.Queue(_MOST_PIECES)
        self._waiting: list[Block] = []
        self._clock = StampClock(100.0)
        self.dropped = 0
        self.axes = 0
        self.rate_hz = 0.0

    # for the subclass

    def _connect(self) -> None:
        """Begin to call put()."""
        raise NotImplementedError

    def _disconnect(self) -> None:
        pass

    def _settle(self, rows: np.ndarray) -> str:
        """rows: (n, axes) as reported. Returns a warning or "". Raises BeckonError."""
        return ""

    def _convert(self, rows: np.ndarray) -> np.ndarray:
        """Rows as reported, in m/s^2 and deg/s."""
        return rows

    def put(self, piece: Piece | BeckonError) -> None:
        """From any thread; never waits. An error ends the recording."""
        try:
            self._pieces.put_nowait(piece)
        except queue.Full:
            self.dropped += 1

    # a source

    def __enter__(self) -> StampedSource:
        try:
            self._connect()
            self._open(time.monotonic() + _OPEN_S)
        except BaseException:
            self._disconnect()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._disconnect()

    def _open(self, until_s: float) -> None:
        """Measure the rate over the first two seconds; what came in them is not recorded."""
        pieces: list[Piece] = []
        while True:
            piece = self._next(max(0.0, until_s - time.monotonic()))
            if piece is None:
                raise BeckonError(self._silent(bool(pieces)))
            if piece.restarted or pieces and (
                    piece.values.shape[1] != pieces[-1].values.shape[1]):  # fmt: skip
                pieces = []
            pieces.append(piece)
            first, last = pieces[0].stamps_s, pieces[-1].stamps_s
            if len(first) and len(last) and last[-1] - first[0] >= _MEASURE_S:
                break
        stamps = np.concatenate([p.stamps_s for p in pieces])
        rows = np.concatenate([p.values for p in pieces])
        self.axes = rows.shape[1]
        self.rate_hz = measure(stamps)
        check_rate(min(self.rate_hz, 1.02 * len(stamps) / (stamps[-1] - stamps[0])), self.who)
        self.warning = self._settle(rows)
        self._clock = StampClock(self.rate_hz, self.who)
        gyro = "with turn rates" if self.axes == 6 else "no turn rates"
        self.found = f"{self.rate_hz:.1f} samples per second, {self.axes} axes, {gyro}"

    def _silent(self, some: bool) -> str:
        if not some:
            return Sentence("nothing comes from {who}: {cure}", who=self.who,
                           cure=self.silence_cure)
        return Sentence("{who} sends fewer than two seconds of samples in {open_s:g} s: keep it "
                       "awake", who=self.who, open_s=_OPEN_S)

    def _next(self, timeout_s: float) -> Piece | None:
        try:
            piece = self._pieces.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(piece, BeckonError):
            raise piece
        return piece

    def read(self, timeout_s: float) -> list[Block]:
        """Raises BeckonError when the phone has gone for good, or changed its rate."""
        blocks: list[Block] = []
        piece = self._next(timeout_s)
        while piece is not None:
            if piece.values.shape[1] >= self.axes:
                blocks += self._blocks(piece)
            piece = None if self._pieces.empty() else self._next(0)
        return blocks

    def _blocks(self, piece: Piece) -> list[Block]:
        """Each stretch of consecutive samples as a block."""
        index = self._clock.feed(piece.stamps_s, piece.heard_s, piece.restarted)
        known = index >= 0
        index = index[known]
        values = self._convert(piece.values[known][:, : self.axes])
        starts = np.flatnonzero(np.diff(index) != 1) + 1
        return [Block(int(run[0]), rows, np.zeros(len(rows), bool))
                for run, rows in zip(np.split(index, starts), np.split(values, starts), strict=True)
                if len(rows)]

    @property
    def measured_hz(self) -> float | None:
        return self._clock.rate_hz

    def about(self) -> dict[str, Any]:
        return {"source": self.who, "lost": self._clock.lost, "breaks": self._clock.breaks,
                "stamps_repeated": self._clock.refused, "messages_dropped": self.dropped}


class Poller:
    """A thread that calls step() from start() until close(); a BeckonError goes to on_fault."""

    def __init__(self, step: Callable[[], None], on_fault: Callable[[BeckonError], None]):
        self._step, self._on_fault = step, on_fault
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="phone")

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._step()
        except BeckonError as error:
            self._on_fault(error)

    def wait(self, seconds: float) -> bool:
        """For step(): pause; returns whether it is to end."""
        return self._closing.wait(seconds)

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(10)
