"""What the board would say about a recording: its integers, its debouncer.

    board = Board(read_model("gesture.mlp"))
    windows = board.windows(recording)          # label, shares and activity at each hop
    events = board.events(windows)              # [Detected(t_ms, label, confidence, ...)]

The engine's sums are host_tools.model.reference; the rule for events is the file
that lies on the board, firmware/debounce.py or firmware/recognition/share_debouncer.py.

A recording is a part of a longer life: many begin or end with a movement, or are
shorter than a window. So the sensor rests before it, as its first sample says, for
a window, and after it for as long as an event may still come.
"""
from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from host_tools.dataset import Recording
from host_tools.dataset.resample import resample_recording
from host_tools.errors import BeckonError
from host_tools.evaluation.matching import GRACE_MS
from host_tools.model import reference
from host_tools.model.decision import Decision, settings_of
from host_tools.model.format import Model
from host_tools.paths import FIRMWARE
from host_tools.units import to_counts

_TOGETHER_S = 60.0  # recordings of so much are run at once: more would only take memory


def debounce_module():
    """The board's rule that counts windows, as a module."""
    return _firmware_module("debounce.py")


def share_debounce_module():
    """The board's rule on shares, as a module."""
    return _firmware_module("recognition/share_debouncer.py")


def _firmware_module(path: str):
    """The board's own file; loaded by path, since firmware/ is not a package of ours."""
    name = "beckon_firmware_" + Path(path).stem
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FIRMWARE / path)
        if spec is None or spec.loader is None or not (FIRMWARE / path).exists():
            raise BeckonError("{firmware}: missing: install Beckon again",
                              firmware=FIRMWARE / path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


@dataclass(frozen=True)
class Detected:
    """An event as the board reports it; t_ms on the recording's own clock.

    confidence: percent, that it was a gesture; label_confidence: which one.
    """

    t_ms: float
    label: str
    confidence: int
    label_confidence: int = 100


class Piece(NamedTuple):
    """The engine's answers over a stretch without a gap, window by window.

    t_ms : float64 (k,), the windows' ends on the recording's own clock.
    label, confidence : int64 (k,), shares : uint8 (k, classes), activity : int64 (k,), as
    in host_tools.model.reference.Result.
    """

    t_ms: np.ndarray
    label: np.ndarray
    confidence: np.ndarray
    shares: np.ndarray
    activity: np.ndarray


@dataclass(frozen=True)
class Windows:
    """The engine's answers over one recording."""

    pieces: tuple[Piece, ...]

    def __len__(self) -> int:
        return sum(len(p.t_ms) for p in self.pieces)


def events_of(
    model: Model, windows: Windows, settings: bytes | Decision | None = None
) -> list[Detected]:
    """The events over the answers of one recording, by the firmware's own rule.

    settings: in place of the model's: 8 bytes for the rule that counts, a Decision for that
    on shares. Raises ValueError for settings that cannot be.
    """
    if settings is None:
        settings = model.decision or model.debounce
    classes, idle = len(model.labels), model.idle
    out = []
    if isinstance(settings, Decision):
        rule = share_debounce_module().ShareDebouncer(classes, idle, *settings_of(settings))
    else:
        rule = debounce_module().Debouncer(classes, idle, *settings[:6])
    for piece in windows.pieces:
        rule.reset()
        if isinstance(settings, Decision):
            which = _busy_shares(piece, idle, settings)
            rows = piece.shares[which].tobytes()
            first = [rows[i : i + classes] for i in range(0, len(rows), classes)]
            second = piece.activity[which].tolist()
        else:
            which = _busy_counts(piece, idle, settings)
            first, second = piece.label[which].tolist(), piece.confidence[which].tolist()
        for i, a, b in zip(which.tolist(), first, second, strict=True):
            event = rule.update(a, b)
            if event >= 0:
                out.append(Detected(float(piece.t_ms[i]), model.labels[event], rule.confidence,
                                    rule.label_confidence))
    return out


# Long rests are skipped: a rule that has seen more quiet windows than any of its counters
# holds is at rest, and one more changes nothing. The first windows count, too, since a dead
# time may go on from before a gap.


def _busy_counts(piece: Piece, idle: int, settings: bytes) -> np.ndarray:
    """Indices of the windows that the rule must see: gestures, and some after each."""
    threshold, _, _, quiet, refractory = settings[:5]
    active = (piece.label != idle) & (piece.confidence >= threshold)
    return np.flatnonzero(_since(active) <= max(quiet, refractory) + 1)


def _busy_shares(piece: Piece, idle: int, d: Decision) -> np.ndarray:
    """The same for the rule on shares, which knows how strong a movement was before, too."""
    active = (piece.shares[:, idle] != 100) | (piece.shares.sum(axis=1, dtype=int) != 100)
    after = _since(active) <= d.span + max(d.quiet, d.refractory) + 1
    before = _since(active[::-1])[::-1] <= (d.peak_windows + d.calm_windows) * bool(d.calm_windows)
    return np.flatnonzero(after | before)


def _since(active: np.ndarray) -> np.ndarray:
    """How many windows ago the last active one was; one before the first window counts."""
    n = np.arange(len(active))
    return n - np.maximum.accumulate(np.where(active, n, -1))


def resting(raw: np.ndarray, n: int) -> np.ndarray:
    """n samples of a sensor that rests as the one in raw (1 or 0, 6) says."""
    rest = np.repeat(raw, n, axis=0)
    rest[:, 3:] = 0
    return rest


class Board:
    def __init__(self, model: Model):
        self.model = model
        self._front = model.front_end

    def raw(self, recording: Recording) -> np.ndarray:
        """The recording as the sensor delivers it: int16 (n, 6) at the model's rate and ranges."""
        fe = self._front
        needed = max(a.axis for a in fe.axes) + 1
        if recording.axes < needed:
            raise BeckonError("{recording}: no gyroscope, but the model uses it; train one on "
                              "such data", recording=recording.name)
        at_rate = resample_recording(recording, float(fe.rate_hz))
        return to_counts(at_rate.samples, fe.accel_g, fe.gyro_dps)

    def pieces(self, recording: Recording, raw: np.ndarray):
        """(first sample, raw counts) of each stretch without a gap, with the rest at both ends.

        Sample 0 is the recording's first one: what is before has negative numbers.
        """
        fe = self._front
        ratio = fe.rate_hz / recording.rate_hz
        before = (fe.window - 1) * fe.decimation
        raw = np.concatenate([
            resting(raw[:1], before), raw, resting(raw[-1:], round(GRACE_MS * fe.rate_hz / 1000)),
        ])
        start = 0
        for a, b in recording.gaps:
            if int(a * ratio) + before > start:
                yield start - before, raw[start : int(a * ratio) + before]
            start = int(np.ceil(b * ratio)) + before
        if start < len(raw):
            yield start - before, raw[start:]

    def windows(self, recording: Recording, raw: np.ndarray | None = None) -> Windows:
        """Run the engine over the recording; after a gap it starts again, as on the board.

        raw: what raw() gave, if it is at hand already.
        """
        return self._together([(recording, self.raw(recording) if raw is None else raw)])[0]

    def windows_of(
        self, recordings: Sequence[Recording], raws: Sequence[np.ndarray]
    ) -> Iterator[Windows]:
        """windows() of each recording; short ones are run together, which is faster."""
        some: list[tuple[Recording, np.ndarray]] = []
        for pair in zip(recordings, raws, strict=True):
            some.append(pair)
            if sum(len(raw) for _, raw in some) > _TOGETHER_S * self._front.rate_hz:
                yield from self._together(some)
                some = []
        yield from self._together(some)

    def _together(self, some: Sequence[tuple[Recording, np.ndarray]]) -> list[Windows]:
        period_ms = 1000.0 / self._front.rate_hz
        pieces = [(i, first, piece) for i, pair in enumerate(some)
                  for first, piece in self.pieces(*pair)]
        found: list[list] = [[] for _ in some]
        results = reference.run_all(self.model, [piece for _, _, piece in pieces])
        for (i, first, _), result in zip(pieces, results, strict=True):
            t_ms = some[i][0].start_ms + (first + result.end) * period_ms
            found[i].append(Piece(t_ms, result.label, result.confidence, result.shares,
                                  result.activity))
        return [Windows(tuple(parts)) for parts in found]

    def events(
        self, windows: Windows, settings: bytes | Decision | None = None
    ) -> list[Detected]:
        """events_of this board's model."""
        return events_of(self.model, windows, settings)
