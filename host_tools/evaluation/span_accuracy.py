"""What each labelled span is called.

A model that decides by shares learned that a gesture has ended once the hand rests. It is
asked when the board decides: by the sum of the shares of the windows that end soon after
the span. Whether a gesture was made is what the events say; here the question is which one,
and a span is none only if none takes nearly all. A model that counts windows is asked at
the span's end. A span shorter than the window is preceded by what the recording holds
before it; beyond the recording the sensor rests as its first or last sample says. Time is
never stretched: the board does not do that either.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from host_tools.dataset import Dataset, Span, is_idle
from host_tools.evaluation.emulator import Board
from host_tools.model import reference
from host_tools.model.format import Model
from host_tools.model.reference import Features

_AFTER = range(3, 9)  # frames after a span's end
_NONE_PERCENT = 97  # share of none above which a span is none; below, the question is which one


@dataclass(frozen=True)
class SpanResults:
    """truth, found: label indices of the model, int (n,); subject: str (n,).

    confidence: percent, int (n,). where: recording's index and span, one a window.
    """

    truth: np.ndarray
    found: np.ndarray
    subject: np.ndarray
    confidence: np.ndarray
    where: tuple[tuple[int, Span], ...]

    @property
    def accuracy(self) -> float:
        return float((self.truth == self.found).mean()) if len(self.truth) else float("nan")


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
    windows, truth, where = [], [], []
    for i, r in enumerate(data.recordings):
        known = [(s, label_number(model, s.label)) for s in r.spans]
        known = [(s, k) for s, k in known if k >= 0]
        if not known:
            continue
        raw = board.raw(r) if raws is None else raws[i]
        for s, k in known:
            last = min(round((s.end_ms - r.start_ms) * fe.rate_hz / 1000), len(raw) - 1)
            for later in after:
                at = np.arange(last - length + 1, last + 1) + later * fe.decimation
                window = raw[np.clip(at, 0, len(raw) - 1)]
                window[(at < 0) | (at >= len(raw)), 3:] = 0
                windows.append(reference.front_end(fe, window))
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
