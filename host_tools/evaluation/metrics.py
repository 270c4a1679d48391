"""The figures of an evaluation: events counted, confusion, F1, Poisson intervals."""
from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cache

import numpy as np

from host_tools.evaluation.matching import DUPLICATE, FALSE, HIT, Verdict

_HOUR_S = 3600.0


@dataclass
class Tally:
    """Counts of events; latencies_ms of the hits. The sum of two is that of all their events.

    alarms: the false ones outside every gesture and the second after it. idle_s: seconds
    outside the gestures.
    """

    truth: int = 0
    hits: int = 0
    false: int = 0
    duplicates: int = 0
    alarms: int = 0
    idle_s: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, truth: int, verdicts: Iterable[Verdict], idle_s: float) -> Tally:
        """Counts over one stream: so many gestures, and its events' verdicts."""
        found = list(verdicts)
        kinds = [v.kind for v in found if not v.again]
        return cls(
            truth, kinds.count(HIT), kinds.count(FALSE), kinds.count(DUPLICATE),
            sum(v.alarm for v in found), idle_s,
            [v.latency_ms for v in found if v.latency_ms is not None],
        )

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def missed(self) -> int:
        return self.truth - self.hits

    @property
    def precision(self) -> float:
        return ratio(self.hits, self.hits + self.false + self.duplicates)

    @property
    def recall(self) -> float:
        return ratio(self.hits, self.truth)

    @property
    def f1(self) -> float:
        """2 hits / (truth + events): a repeated event counts like a false one."""
        return ratio(2 * self.hits, self.truth + self.hits + self.false + self.duplicates)

    @property
    def false_per_hour(self) -> float:
        """Alarms per hour outside the gestures; NaN without such time."""
        return ratio(self.alarms * _HOUR_S, self.idle_s)

    @property
    def false_per_hour_95(self) -> tuple[float, float]:
        """The 95 % interval of false_per_hour (see poisson_interval)."""
        low, high = poisson_interval(self.alarms)
        return ratio(low * _HOUR_S, self.idle_s), ratio(high * _HOUR_S, self.idle_s)

    def latency_ms(self, part: float) -> float:
        """The latency that this part of the hits does not exceed; NaN without hits."""
        return float(np.quantile(self.latencies_ms, part)) if self.latencies_ms else float("nan")

    def as_json(self) -> dict:
        return {
            "truth": self.truth,
            "hits": self.hits,
            "missed": self.missed,
            "false": self.false,
            "duplicates": self.duplicates,
            "alarms": self.alarms,
            "precision": json_number(self.precision),
            "recall": json_number(self.recall),
            "f1": json_number(self.f1),
            "idle_hours": json_number(self.idle_s / _HOUR_S),
            "false_per_hour": json_number(self.false_per_hour),
            "false_per_hour_95": [json_number(x) for x in self.false_per_hour_95],
            "latency_ms": {
                "p50": json_number(self.latency_ms(0.5)),
                "p95": json_number(self.latency_ms(0.95)),
            },
        }


def json_number(x: float) -> float | None:
    """A float for JSON, which knows no NaN."""
    x = float(x)
    return round(x, 6) if np.isfinite(x) else None


def confusion(truth: np.ndarray, found: np.ndarray, classes: int) -> np.ndarray:
    """int (classes, classes): rows are the truth, columns what was found."""
    out = np.zeros((classes, classes), int)
    np.add.at(out, (truth, found), 1)
    return out


def macro_f1(matrix: np.ndarray) -> float:
    """Mean over the classes that occur of 2 TP / (2 TP + FP + FN)."""
    hits = np.diag(matrix)
    both = matrix.sum(axis=0) + matrix.sum(axis=1)
    present = matrix.sum(axis=1) > 0
    if not present.any():
        return float("nan")
    return float((2 * hits[present] / both[present]).mean())


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def f1(precision: float, recall: float) -> float:
    if not precision + recall > 0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


@cache
def poisson_interval(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval of the mean of a Poisson count (Garwood 1936).

    The lower bound is where P(X >= count) and the upper where P(X <= count)
    is (1 - confidence) / 2.
    """
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _solve(lambda m: 1 - _cdf(count - 1, m) - tail, 0.0, float(count))
    far = count + 10 * math.sqrt(count + 1) + 10
    high = _solve(lambda m: tail - _cdf(count, m), float(count), far)
    return low, high


def _cdf(count: int, mean: float) -> float:
    """P(X <= count) of a Poisson variable."""
    if mean == 0:
        return 1.0
    terms = [i * math.log(mean) - mean - math.lgamma(i + 1) for i in range(count + 1)]
    return min(1.0, math.fsum(math.exp(t) for t in terms))


def _solve(rising, low: float, high: float) -> float:
    for _ in range(100):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
