"""What a model says over streams, window after window, and what of it was right.

    streams = Heard.of(model, recordings)
    tally = streams.judge(Decision())
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from host_tools.dataset import Recording, is_idle
from host_tools.evaluation.emulator import Board
from host_tools.evaluation.matching import GRACE_MS
from host_tools.model import reference
from host_tools.model.decision import Decision
from host_tools.model.format import Model
from host_tools.training.decision import Answers, events

_APART_MS = 1e9  # between streams on the common clock
_NAMED = (3, 9)  # frames after a gesture's end in which it has a name


@dataclass
class Counts:
    """Events of one decision. alarms: false ones outside every gesture and the second after it."""

    truth: int = 0
    hits: int = 0
    false: int = 0
    repeated: int = 0
    alarms: int = 0
    idle_s: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def f1(self) -> float:
        """2 hits / (truth + events): a repeated event counts like a false one."""
        return 2 * self.hits / max(1, self.truth + self.hits + self.false + self.repeated)

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.truth)

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def latency_ms(self, part: float) -> float:
        return float(np.quantile(self.latencies_ms, part)) if self.latencies_ms else 1000.0


@dataclass
class Heard:
    """answers: all streams' windows one after another; t_ms: when each window ended, the
    streams far apart on one clock. start_ms, end_ms, label: gestures, ascending on that clock.
    """

    answers: Answers
    t_ms: np.ndarray
    scores: np.ndarray
    start_ms: np.ndarray
    end_ms: np.ndarray
    label: np.ndarray
    idle_s: float
    idle: int

    @classmethod
    def of(cls, model: Model, streams: Sequence[Recording]) -> Heard:
        """Run the model over the streams. Raises BeckonError for recordings without its axes."""
        board, fe = Board(model), model.front_end
        pieces, place = [], []
        for i, r in enumerate(streams):
            for first, raw in board.pieces(r, board.raw(r)):
                pieces.append(raw)
                place.append((i, first))
        found = reference.run_all(model, pieces)
        shares, activity, times, scores, starts = [], [], [], [], []
        n = 0
        for (i, first), result in zip(place, found, strict=True):
            shares.append(result.shares)
            scores.append(result.scores)
            activity.append(result.activity)
            t_ms = (first + result.end) * 1000 / fe.rate_hz + i * _APART_MS
            times.append(t_ms)
            if len(t_ms):
                starts.append(n)
            n += len(t_ms)
        spans = [
            (s.start_ms - r.start_ms + i * _APART_MS, s.end_ms - r.start_ms + i * _APART_MS,
             model.labels.index(s.label))
            for i, r in enumerate(streams) for s in r.spans
            if not is_idle(s.label) and s.label in model.labels
        ]
        start, end, label = np.array(sorted(spans), float).reshape(-1, 3).T
        idle_s = sum(r.seconds for r in streams) - float((end - start).sum()) / 1000
        return cls(
            Answers(np.concatenate(shares), np.concatenate(activity), np.array(starts, int)),
            np.concatenate(times), np.concatenate(scores), start, end, label.astype(int),
            idle_s, model.idle,
        )

    def told_by(self, model: Model) -> Heard:
        """The same answers as percent of another model, whose scores are the same."""
        shares = reference.shares(model, self.scores)
        asked = self.scores.any(axis=1, keepdims=True)
        answers = Answers(
            np.where(asked, shares, self.answers.shares), self.answers.activity,
            self.answers.starts,
        )
        return replace(self, answers=answers)

    def at_ends(self) -> tuple[np.ndarray, np.ndarray]:
        """(scores int32 (n, classes), labels int (n,)) of the windows soon after each gesture."""
        rows = self._after_ends()
        return self.scores[rows.ravel()], np.repeat(self.label, rows.shape[1])

    def names(self) -> np.ndarray:
        """What each gesture is called once it has ended, int (k,): by the mean of the shares."""
        shares = self.answers.shares[self._after_ends()].sum(axis=1, dtype=np.int32)
        shares[:, self.idle] = -1
        return shares.argmax(axis=1)

    def _after_ends(self) -> np.ndarray:
        at = np.searchsorted(self.t_ms, self.end_ms)[:, None] + np.arange(*_NAMED)
        return np.minimum(at, len(self.t_ms) - 1)

    def found(self, decision: Decision) -> np.ndarray:
        """Which gestures an event hits, bool (k,)."""
        return self._match(decision)[1]

    def judge(self, decision: Decision) -> Counts:
        """The events of a decision against the labels, as evaluation.matching counts them."""
        return self._match(decision)[0]

    def _match(self, decision: Decision) -> tuple[Counts, np.ndarray]:
        when, named = events(decision, self.answers, self.idle)
        out = Counts(truth=len(self.start_ms), idle_s=self.idle_s)
        taken = np.zeros(len(self.start_ms), bool)
        times = self.t_ms[when]
        latest = np.searchsorted(self.start_ms, times, side="right") - 1
        for t, k, last in zip(times.tolist(), named.tolist(), latest.tolist(), strict=True):
            near = [i for i in range(max(0, last - 3), last + 1) if t <= self.end_ms[i] + GRACE_MS]
            fitting = [i for i in near if self.label[i] == k]
            free = [i for i in fitting if not taken[i]]
            if free:
                taken[free[0]] = True
                out.hits += 1
                out.latencies_ms.append(t - float(self.end_ms[free[0]]))
            elif fitting:
                out.repeated += 1
            else:
                out.false += 1
                out.alarms += not near
        return out, taken


def logit_of(model: Model) -> float:
    """What a score of 1 is as a natural logit."""
    return model.logit_mul / (1 << model.logit_shift) / (1024 * 256) * np.log(2)
