"""What the false alarms were: the window behind each, and the take of a gesture it is most like.

    for a in false_alarms(result): print(a.label, a.nearest.label, a.nearest.likeness)

Likeness is Pearson's r between two windows as the network gets them, levelled and scaled, the
best over the moments at which a take may be reported. It does not ask the network, so that
it can differ from the name that was reported.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from host_tools.dataset import Recording, Span
from host_tools.evaluation.emulator import Board
from host_tools.evaluation.evaluate import Evaluation
from host_tools.evaluation.matching import FALSE
from host_tools.evaluation.span_accuracy import movement_end_ms
from host_tools.model import reference

_MOST_ALARMS = 200  # looked at, the surest ones
_MOST_TAKES = 40  # of each gesture that alarms are compared with
_ALIKE = 0.5  # Pearson's r; two windows of different gestures seldom reach it
_AFTER = range(0, 13, 2)  # frames after a take's last movement, when it may be reported


@dataclass(frozen=True)
class Take:
    """A labelled gesture. likeness: -1 to 1. t_ms: end of the window that is so like."""

    recording: Recording
    label: str
    subject: str
    t_ms: float
    likeness: float

    @property
    def alike(self) -> bool:
        """Whether it is like the take at all; the most alike of all may not be."""
        return self.likeness >= _ALIKE


@dataclass(frozen=True)
class FalseAlarm:
    """outside: of every gesture; else a gesture was called by a wrong name.

    activity: what is labelled there though the model does not know it, or "". nearest: None
    without gestures in the data.
    """

    recording: Recording
    t_ms: float
    label: str
    confidence: int
    outside: bool
    activity: str
    nearest: Take | None

    def as_json(self) -> dict:
        near = self.nearest
        return {
            "recording": self.recording.name, "t_ms": round(self.t_ms, 1), "label": self.label,
            "confidence": self.confidence, "outside": self.outside, "activity": self.activity,
            "nearest": None if near is None else {
                "label": near.label, "recording": near.recording.name,
                "t_ms": round(near.t_ms, 1), "likeness": round(near.likeness, 3)},
        }


def false_alarms(result: Evaluation) -> list[FalseAlarm]:
    """The surest false events, at most _MOST_ALARMS, the surest first."""
    found = sorted(
        ((s.recording, e, v.alarm) for s in result.streams
         for e, v in zip(s.events, s.verdicts, strict=True) if v.kind == FALSE),
        key=lambda f: (-f[1].confidence, f[0].name, f[1].t_ms),
    )[:_MOST_ALARMS]
    if not found:
        return []
    board = Board(result.model)
    takes = _takes(result)
    near: Sequence[Take | None] = [None] * len(found)
    if takes:
        rows = _windows(board, [(r, t) for r, _, t in takes])
        alarms = _windows(board, [(r, event.t_ms) for r, event, _ in found])
        likeness = alarms @ rows.T
        best = likeness.argmax(axis=1)
        near = [Take(takes[k][0], takes[k][1].label, takes[k][1].subject, takes[k][2],
                     float(likeness[i, k])) for i, k in enumerate(best.tolist())]
    return [
        FalseAlarm(r, e.t_ms, e.label, e.confidence, outside, _activity(r, e.t_ms), take)
        for (r, e, outside), take in zip(found, near, strict=True)
    ]


def in_numbers(alarms: Sequence[FalseAlarm]) -> dict:
    """Counts: what was reported, what it is like, like no take, and during which activity."""
    return {
        "reported": _counts(a.label for a in alarms),
        "nearest": _counts(a.nearest.label for a in alarms if a.nearest and a.nearest.alike),
        "unlike": sum(a.nearest is not None and not a.nearest.alike for a in alarms),
        "activity": _counts(a.activity for a in alarms if a.activity),
    }


def _counts(names: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda x: (-x[1], x[0])))


def window_ms(result: Evaluation) -> float:
    """Length of the model's window."""
    fe = result.model.front_end
    return fe.window * fe.decimation * 1000.0 / fe.rate_hz


def samples_before(r: Recording, t_ms: float, length_ms: float) -> np.ndarray:
    """The samples in the window that ends at t_ms, (n, axes); beyond the recording it rests."""
    return _resting_around(r.samples, round(r.index(t_ms)), round(length_ms * r.rate_hz / 1000))


def _resting_around(samples: np.ndarray, last: int, length: int) -> np.ndarray:
    """samples (n, axes) from last - length + 1 to last, held at rest before and after."""
    at = np.arange(last - length + 1, last + 1)
    out = samples[np.clip(at, 0, len(samples) - 1)]
    out[(at < 0) | (at >= len(samples)), 3:] = 0
    return out


def _activity(r: Recording, t_ms: float) -> str:
    return next((s.label for s in r.spans if s.start_ms <= t_ms <= s.end_ms), "")


def _takes(result: Evaluation) -> list[tuple[Recording, Span, float]]:
    """(recording, span, time at which its window ends): several times for each gesture."""
    fe = result.model.front_end
    frame_ms = fe.decimation * 1000.0 / fe.rate_hz
    by_label: dict[str, list[tuple[Recording, Span]]] = {}
    for s in result.streams:
        for g in s.gestures:
            by_label.setdefault(g.label, []).append((s.recording, g))
    out = []
    for takes in by_label.values():
        pick = np.linspace(0, len(takes) - 1, min(_MOST_TAKES, len(takes))).astype(int)
        for r, span in (takes[i] for i in pick):
            end_ms = movement_end_ms(r, span)
            out += [(r, span, end_ms + k * frame_ms) for k in _AFTER]
    return out


def _windows(board: Board, where: Sequence[tuple[Recording, float]]) -> np.ndarray:
    """float32 (n, values): the network's input that ends there, zero mean and length 1."""
    fe = board.model.front_end
    length = fe.window * fe.decimation
    raws: dict[int, np.ndarray] = {}
    windows = []
    for r, t_ms in where:
        if id(r) not in raws:
            raws[id(r)] = board.raw(r)
        raw = raws[id(r)]
        last = round((t_ms - r.start_ms) * fe.rate_hz / 1000)
        windows.append(reference.front_end(fe, _resting_around(raw, last, length)))
    values, _ = reference.normalise(fe, np.stack(windows))
    x = values.reshape(len(values), -1).astype(np.float32)
    x -= x.mean(axis=1, keepdims=True)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)
