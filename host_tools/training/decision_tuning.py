"""Choose the settings of the decision: the best event F1 on streams that training never saw.

All candidates run over the same stored answers. False alarms outside gestures are
a hard limit, on the upper bound of their rate. Of the settings that keep it the best F1 wins,
less what delay costs, as a mean with its neighbours, since the edge of a plateau is where
the next person falls off; of those as good, a strict one, or for several people, of
those within one standard error, the usual one.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from host_tools.evaluation.metrics import Tally, poisson_interval
from host_tools.model.decision import Decision
from host_tools.training.answers import Heard

SPANS = (4, 6, 8, 10)
THRESHOLDS = (30, 40, 50, 55, 60, 65, 70, 75, 80, 84, 88, 91, 94, 96, 98, 99)
# calm windows and their ratio: a stricter ratio needs fewer of them
CALMS = ((1, 10), (1, 16), (2, 16), (3, 26), (4, 26), (6, 26))
_FREE_MS = {0.5: 200.0, 0.95: 400.0}  # delay that costs nothing, by quantile
USUAL = Decision()
# The parts' models learned from fewer people, hours and steps than the model itself. On new
# people it makes a third to two thirds of their alarms (docs/training.md).
_EXCESS = 1.5
_FAR_TOO_MANY = 4  # times the alarms that are allowed
_SURE = 0.6  # two-sided: with 80 % the rate of alarms is below the upper bound
_AS_GOOD = 0.005  # of F1
_STRICT = 75  # percent; later takes of the same person are less like than the held-out ones
_COST_MS = {0.5: 4_000.0, 0.95: 10_000.0}  # so much more is worth as much as all of F1


@dataclass(frozen=True)
class Score:
    """What a decision reaches on held-out streams, and in everyday movement without gestures.

    alarms, hours: of the parts' models, outside gestures. per_hour: of the model itself,
    with its 95 % interval. proven: the upper bound keeps the limit that was asked for.
    """

    f1: float
    recall: float
    hits: int
    truth: int
    p50_ms: float
    p95_ms: float
    alarms: int
    hours: float
    proven: bool

    @property
    def per_hour(self) -> float:
        return self.alarms / max(_EXCESS * self.hours, 1e-6)

    @property
    def per_hour_95(self) -> tuple[float, float]:
        low, high = poisson_interval(self.alarms)
        hours = max(_EXCESS * self.hours, 1e-6)
        return low / hours, high / hours


def made(span: int, threshold: int, calm: tuple[int, int]) -> Decision:
    return Decision(span, threshold, True, *calm)


def worth(counts: Tally) -> float:
    """F1 less what delay costs."""
    late = 0.2
    if counts.hits:
        late = sum(
            max(0.0, counts.latency_ms(q) - free) / _COST_MS[q] for q, free in _FREE_MS.items()
        )
    return counts.f1 - min(0.2, late)


def tune(
    streams: Sequence[Heard], life: Sequence[Heard], limit_per_hour: float, recorded: bool = True,
    people: bool = False,
) -> tuple[Decision, Score]:
    """The decision for these answers, and what it reaches.

    streams: held-out gestures in streams, one per part. life: what holds no gesture.
    recorded: whether that was recorded; made-up movement proves nothing about life, so
    that no gesture is given up for it. people: the parts are different people; the next one
    will be unsurer than any of them, so that of equals the usual settings are taken.
    """
    grid = {key: made(*key) for key in product(SPANS, THRESHOLDS, CALMS)}
    values, counted = {}, {}
    hours = sum(h.idle_s for h in life) / 3600
    for key, decision in grid.items():
        parts = [h.judge(decision) for h in streams]
        counted[key] = parts
        values[key] = float(np.mean([worth(c) for c in parts if c.truth] or [0.0]))
    most = limit_per_hour * _EXCESS * hours  # alarms
    alarms = _alarms(life, _FAR_TOO_MANY * (most + 1) if recorded else math.inf)
    allowed = _allowed(alarms, most) if recorded else list(grid)
    smooth = {key: _around(values, key) for key in allowed}
    top = max(smooth.values())
    enough = top - (max(_AS_GOOD, _standard_error(top, streams)) if people else _AS_GOOD)
    good = [key for key in allowed if smooth[key] >= enough]
    # For one person, of settings that are as good a strict one: life has more to offer than
    # any recording of it.
    best = min(good, key=_distance) if people else max(good, key=_strictness)
    proven = recorded and poisson_interval(int(alarms[best]))[1] <= most
    return grid[best], _score(counted[best], int(alarms[best]), hours, proven)


def _standard_error(f1: float, streams: Sequence[Heard]) -> float:
    """About what chance does to an F1 of so many gestures.

    People left out agree on a plateau and not on its highest point, so that of settings
    within one standard error the usual ones win (Breiman et al., Classification and
    Regression Trees, 1984, ch. 3.4.3).
    """
    gestures = sum(len(h.start_ms) for h in streams)
    return math.sqrt(max(0.0, f1 * (1 - f1)) / max(1, gestures))


def _alarms(life: Sequence[Heard], too_many: float) -> dict[tuple, float]:
    """Alarms of each setting.

    A lower threshold makes more of them. Below one that makes too many nothing is counted,
    since that takes longest: infinity.
    """
    out: dict[tuple, float] = {}
    for span, calm in product(SPANS, CALMS):
        found = 0.0
        for threshold in reversed(THRESHOLDS):
            if found <= too_many:
                found = sum(h.judge(made(span, threshold, calm)).alarms for h in life)
                out[span, threshold, calm] = found
            else:
                out[span, threshold, calm] = math.inf
    return out


def _allowed(alarms: dict, most: float) -> list:
    """Settings with at most so many alarms.

    Where time is too short for any proof, those that stay under it by their count; where
    not even those exist, the quietest ones.
    """
    kept = [
        k for k, n in alarms.items() if n <= most and poisson_interval(int(n), _SURE)[1] <= most
    ]
    if kept:
        return kept
    counted = [k for k, n in alarms.items() if n <= most]
    return counted or [k for k, n in alarms.items() if n == min(alarms.values())]


def _around(values: dict, key: tuple) -> float:
    """The mean with the neighbours in span and threshold; beyond the grid nothing is good."""
    span, threshold, calm = key
    i, j = SPANS.index(span), THRESHOLDS.index(threshold)
    near = [
        values[SPANS[a], THRESHOLDS[b], calm]
        for a in (i - 1, i, i + 1) if 0 <= a < len(SPANS)
        for b in (j - 1, j, j + 1) if 0 <= b < len(THRESHOLDS)
    ]
    return (2 * values[key] + float(np.mean(near))) / 3


def _strictness(key: tuple) -> tuple:
    span, threshold, (windows, ratio) = key
    return -abs(threshold - _STRICT), windows, -ratio, -span


def _distance(key: tuple) -> float:
    """From the usual settings."""
    span, threshold, (windows, ratio) = key
    return (abs(threshold - USUAL.threshold_percent) / 10 + abs(span - USUAL.span) / 2
            + abs(windows - USUAL.calm_windows) / 2 + abs(ratio - USUAL.calm_ratio) / 10)


def _score(parts: list[Tally], alarms: int, hours: float, proven: bool) -> Score:
    hits, truth = sum(c.hits for c in parts), sum(c.truth for c in parts)
    detected = sum(c.hits + c.false + c.duplicates for c in parts)
    late = [x for c in parts for x in c.latencies_ms] or [1000.0]
    return Score(
        2 * hits / max(1, truth + detected), hits / max(1, truth), hits, truth,
        float(np.quantile(late, 0.5)), float(np.quantile(late, 0.95)),
        alarms, hours, proven,
    )
