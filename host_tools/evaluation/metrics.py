"""The figures of an evaluation: confusion, F1, Poisson intervals, the article's error ratios."""
from __future__ import annotations

import math

import numpy as np


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
