"""Gestures that somebody makes, or has labelled, as the others do another one."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.dataset import is_idle

_LEAST_MADE = 4  # of a gesture; fewer are mistakes, not a habit
_MOST = 0.6  # part of them


@dataclass(frozen=True)
class Habit:
    """`count` of this person's `of` gestures `label` were told as `told_as`."""

    subject: str
    label: str
    told_as: str
    count: int
    of: int

    def __str__(self) -> str:
        return (f"{self.subject}: {self.count} of {self.of} {self.label} are told as "
                f"{self.told_as}; are they made or labelled otherwise than by the others?")


def habits(truth: np.ndarray, found: np.ndarray, subject: np.ndarray) -> list[Habit]:
    """Gestures most of which are told as one and the same other gesture.

    truth, found: labels, str (n,), found by models that knew nothing of the
    person, subject: str (n,).
    """
    out = []
    for person, label in sorted({*zip(subject.tolist(), truth.tolist(), strict=True)}):
        told = found[(subject == person) & (truth == label)]
        names, counts = np.unique(told, return_counts=True)
        best, most = str(names[counts.argmax()]), int(counts.max())
        gestures = best != label and not is_idle(best) and not is_idle(label)
        if gestures and len(told) >= _LEAST_MADE and most > _MOST * len(told):
            out.append(Habit(person, label, best, most, len(told)))
    return out
