"""Recall against false alarms per hour: the threshold moved, the network not asked again.

    points = curve(result)                    # [Point(threshold, tally)]
    at = recall_at(points)                    # {"0.1": None, "0.6": 0.91, "2": 0.95}

What the engine said at each window is kept, and only the rule for events runs again. A
limit counts as kept if the upper bound of the alarms' rate keeps it, so that a few hours
prove nothing about one alarm in ten hours.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from host_tools.evaluation.emulator import Piece, events_of
from host_tools.evaluation.matching import Gestures
from host_tools.evaluation.metrics import Tally, json_number, poisson_interval
from host_tools.evaluation.share_events import Answers, events
from host_tools.model.decision import Decision
from host_tools.model.format import Model

if TYPE_CHECKING:
    from host_tools.evaluation.evaluate import Stream

LIMITS_PER_HOUR = (0.1, 0.6, 2.0)
_THRESHOLDS = (*range(10, 50, 5), *range(50, 90, 2), *range(90, 101))  # the quiet end is dense
_TOGETHER = 400_000  # windows judged at once: more would only take memory
_APART_MS = 1e9  # between streams on the common clock
_HOUR_S = 3600.0


@dataclass(frozen=True)
class Point:
    """What the model reaches with another threshold, in percent. own: it is the model's."""

    threshold: int
    tally: Tally
    own: bool = False

    def as_json(self) -> dict:
        t = self.tally
        return {
            "threshold": self.threshold, "own": self.own, "hits": t.hits,
            "recall": json_number(t.recall), "f1": json_number(t.f1), "false": t.false,
            "alarms": t.alarms, "false_per_hour": json_number(t.false_per_hour),
            "false_per_hour_95": [json_number(x) for x in t.false_per_hour_95],
        }


def curve(model: Model, streams: Sequence[Stream]) -> list[Point]:
    """One point for each threshold, ascending; the model's own is among them.

    All other settings are the model's. Thresholds of single gestures move together.
    """
    own = model.decision.threshold_percent if model.decision else model.debounce[0]
    thresholds = sorted({*_THRESHOLDS, own})
    tallies = {t: Tally() for t in thresholds}
    for some in _groups(streams):
        judge = _by_shares if model.decision else _by_counts
        for t, tally in zip(thresholds, judge(model, some, thresholds), strict=True):
            tallies[t] += tally
    return [Point(t, tally, t == own) for t, tally in tallies.items()]


def together(curves: Iterable[Sequence[Point]]) -> list[Point]:
    """The sum of the curves of several models: points that all of them have."""
    found = [{p.threshold: p.tally for p in points} for points in curves]
    common = sorted(set.intersection(*map(set, found))) if found else []
    return [Point(t, sum((f[t] for f in found), Tally())) for t in common]


def recall_at(
    points: Sequence[Point], limits: Sequence[float] = LIMITS_PER_HOUR
) -> dict[str, float | None]:
    """The best recall that keeps so many alarms per hour, by the upper bound of their rate.

    None where the hours are too few to prove the limit whatever the model does, or without
    gestures. 0 where the hours are enough and only a silent model keeps the limit.
    """
    hours = max((p.tally.idle_s for p in points), default=0.0) / _HOUR_S
    out: dict[str, float | None] = {}
    for limit in limits:
        kept = [p.tally.recall for p in points
                if poisson_interval(p.tally.alarms)[1] <= limit * hours]
        provable = hours >= hours_to_prove(limit) and any(p.tally.truth for p in points)
        out[f"{limit:g}"] = json_number(max(kept, default=0.0)) if provable else None
    return out


def hours_to_prove(limit_per_hour: float) -> float:
    """So many hours without any alarm prove the limit: the upper bound of none, over the limit."""
    return poisson_interval(0)[1] / limit_per_hour


def with_threshold(decision: Decision, threshold: int) -> Decision:
    """The decision with another threshold, those of single gestures moved as far."""
    moved = threshold - decision.threshold_percent
    own = tuple(min(100, max(1, t + moved)) for t in decision.thresholds)
    return replace(decision, threshold_percent=threshold, thresholds=own)


def _groups(streams: Sequence[Stream]) -> Iterator[list[Stream]]:
    some: list[Stream] = []
    for s in streams:
        some.append(s)
        if sum(len(x.windows) for x in some) > _TOGETHER:
            yield some
            some = []
    if some:
        yield some


def _shift(i: int, s: Stream) -> float:
    """From the clock of the i-th stream to the common one."""
    return i * _APART_MS - s.recording.start_ms


def _gestures(model: Model, streams: Sequence[Stream]) -> Gestures:
    """Of all streams, on the common clock."""
    spans = [(s.start_ms + _shift(i, stream), s.end_ms + _shift(i, stream),
              model.labels.index(s.label))
             for i, stream in enumerate(streams) for s in stream.gestures]
    return Gestures([s[0] for s in spans], [s[1] for s in spans], [s[2] for s in spans])


def _by_shares(model: Model, streams: Sequence[Stream], thresholds: Sequence[int]) -> list[Tally]:
    assert model.decision
    pieces: list[Piece] = []
    t_ms, goes_on = [], []
    for i, s in enumerate(streams):
        parts = [p for p in s.windows.pieces if len(p.t_ms)]
        pieces += parts
        t_ms += [p.t_ms + _shift(i, s) for p in parts]
        goes_on += [k > 0 for k in range(len(parts))]
    gestures, idle_s = _gestures(model, streams), sum(s.idle_s for s in streams)
    if not pieces:
        return [Tally(truth=len(gestures), idle_s=idle_s) for _ in thresholds]
    lengths = [len(p.t_ms) for p in pieces]
    answers = Answers(
        np.concatenate([p.shares for p in pieces]), np.concatenate([p.activity for p in pieces]),
        np.cumsum([0, *lengths[:-1]]), np.array(goes_on),
    )
    clock = np.concatenate(t_ms)
    out = []
    for threshold in thresholds:
        when, label = events(with_threshold(model.decision, threshold), answers, model.idle)
        verdicts = gestures.match(clock[when], label.tolist())
        out.append(Tally.of(len(gestures), verdicts, idle_s))
    return out


def _by_counts(model: Model, streams: Sequence[Stream], thresholds: Sequence[int]) -> list[Tally]:
    gestures, idle_s = _gestures(model, streams), sum(s.idle_s for s in streams)
    out = []
    for threshold in thresholds:
        settings = bytes([threshold]) + model.debounce[1:]
        found = [(e.t_ms + _shift(i, s), model.labels.index(e.label))
                 for i, s in enumerate(streams) for e in events_of(model, s.windows, settings)]
        t_ms = np.array([t for t, _ in found], float)
        verdicts = gestures.match(t_ms, [k for _, k in found])
        out.append(Tally.of(len(gestures), verdicts, idle_s))
    return out
