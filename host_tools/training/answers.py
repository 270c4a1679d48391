"""What a model says over streams, window after window, and what of it was right.

    streams = Heard.of(model, recordings)
    tally = streams.judge(Decision())
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from host_tools.dataset import Recording, is_idle
from host_tools.evaluation.emulator import Board
from host_tools.evaluation.matching import HIT, Gestures, Verdict
from host_tools.evaluation.metrics import Tally
from host_tools.evaluation.share_events import Answers, events
from host_tools.model import reference
from host_tools.model.decision import Decision
from host_tools.model.format import Model

_APART_MS = 1e9  # between streams on the common clock
_NAMED = (3, 9)  # frames after a gesture's end in which it has a name


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
    _gestures: Gestures | None = field(default=None, repr=False)

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
        hit = [v.span for v in self._verdicts(decision) if v.kind == HIT]
        return np.isin(np.arange(len(self.label)), np.array(hit, int))

    def judge(self, decision: Decision) -> Tally:
        """The events of a decision against the labels."""
        return Tally.of(len(self.label), self._verdicts(decision), self.idle_s)

    def _verdicts(self, decision: Decision) -> list[Verdict]:
        when, named = events(decision, self.answers, self.idle)
        if self._gestures is None:
            self._gestures = Gestures(self.start_ms, self.end_ms, self.label.tolist())
        return self._gestures.match(self.t_ms[when], named.tolist())


def logit_of(model: Model) -> float:
    """What a score of 1 is as a natural logit."""
    return model.logit_mul / (1 << model.logit_shift) / (1024 * 256) * np.log(2)
