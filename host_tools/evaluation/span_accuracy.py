"""What each labelled span is called.

A model that decides by shares learned that a gesture has ended once the hand rests. It is
asked when the board decides: by the sum of the shares of the windows that end soon after
the last movement in the span. Whether a gesture was made is what the events say. Here the
question is which one, and a span is none only if the hand rests or none takes nearly all.
A model that counts windows is asked at the span's end. A span shorter than the window is
preceded by what the recording holds before it; beyond the recording the sensor rests as
its first or last sample says. Time is never stretched: the board does not do that either.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from host_tools.augment.energy import moving_part
from host_tools.dataset import Dataset, Recording, Span, is_idle
from host_tools.evaluation.emulator import Board
from host_tools.model import reference
from host_tools.model.format import Model
from host_tools.model.reference import Features

_AFTER = range(3, 9)  # frames after a span's last movement
_NONE_PERCENT = 85  # share of none above which a span is none; below, the question is which one


@dataclass(frozen=True)
class SpanResults:
    """truth, found: label indices of the model, int (n,); subject: str (n,).

    confidence: percent, int (n,). where: recording's index and span, one per window.
    """

    truth: np.ndarray
    found: np.ndarray
    subject: np.ndarray
    confidence: np.ndarray
    where: tuple[tuple[int, Span], ...]

    @property
    def accuracy(self) -> float:
        return float((self.truth == self.found).mean()) if len(self.truth) else float("nan")


def movement_end_ms(r: Recording, span: Span) -> float:
    """When the last movement in a span ends; the span's end if nothing moves."""
    a = max(0, round(r.index(span.start_ms)))
    b = min(len(r.samples), round(r.index(span.end_ms)) + 1)
    if b - a < 2:
        return span.end_ms
    _, last = moving_part(r.samples[a:b].T, r.rate_hz)
    return min(span.end_ms, r.start_ms + (a + last - 1) * 1000 / r.rate_hz)


def _resting(model: Model, frames: np.ndarray) -> bool:
    """Whether the board would not ask the network at the end of these frames (window, axes)."""
    measure = model.activity
    if model.decision is None or measure is None or not measure.awake_frames:
        return False
    level = reference.activity(measure, model.front_end.axes, frames)
    return bool(level[-measure.awake_frames :].max() < measure.wake_at)


def label_number(model: Model, label: str) -> int:
    """The model's index for a label; its idle class for every name of that; -1 if unknown."""
    if is_idle(label):
        return model.idle
    return model.labels.index(label) if label in model.labels else -1


def span_results(
    board: Board, data: Dataset, raws: Sequence[np.ndarray] | None = None
) -> SpanResults:
    """Classify every span whose label the model knows.

    raws: what board.raw gave for each recording, if it is at hand already.
    """
    model = board.model
    fe = model.front_end
    length = fe.window * fe.decimation
    after = range(0, 1) if model.decision is None else _AFTER
    windows, resting, truth, where = [], [], [], []
    for i, r in enumerate(data.recordings):
        known = [(s, label_number(model, s.label)) for s in r.spans]
        known = [(s, k) for s, k in known if k >= 0]
        if not known:
            continue
        raw = board.raw(r) if raws is None else raws[i]
        for s, k in known:
            end_ms = s.end_ms if model.decision is None else movement_end_ms(r, s)
            last = min(round((end_ms - r.start_ms) * fe.rate_hz / 1000), len(raw) - 1)
            for later in after:
                at = np.arange(last - length + 1, last + 1) + later * fe.decimation
                window = raw[np.clip(at, 0, len(raw) - 1)]
                window[(at < 0) | (at >= len(raw)), 3:] = 0
                windows.append(reference.front_end(fe, window))
                resting.append(_resting(model, windows[-1]))
            truth.append(k)
            where.append((i, s))
    if not windows:
        none = np.zeros(0, int)
        return SpanResults(none, none, np.zeros(0, str), none, ())
    values, still = reference.normalise(fe, np.stack(windows))
    none = np.zeros(len(values), np.int64)
    found = reference.decide(
        model, Features(none, values.reshape(len(values), -1), still, none)
    )
    found.shares[resting] = 0
    found.shares[resting, model.idle] = 100
    sums = found.shares.reshape(len(truth), len(after), -1).sum(axis=1, dtype=int)
    if model.decision is None:
        label, confidence = found.label, found.confidence
    else:
        none = sums[:, model.idle] > _NONE_PERCENT * len(after)
        sums[:, model.idle] = np.where(none, sums[:, model.idle], -1)
        label = sums.argmax(axis=1)
        confidence = sums[np.arange(len(label)), label] // len(after)
    return SpanResults(np.array(truth), label, np.array([s.subject for _, s in where]),
                       confidence, tuple(where))
