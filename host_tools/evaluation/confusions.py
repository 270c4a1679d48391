"""Gestures that somebody makes, or has labelled, as the others do another one."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.dataset import is_idle

_LEAST_MADE = 4  # of a gesture; fewer are mistakes, not a habit
_MOST = 0.6  # part of them


@dataclass(frozen=True)
class Habit:
    """`count` of this person's `of` gestures `label` were taken for `taken_for`."""

    subject: str
    label: str
    taken_for: str
    count: int
    of: int

    def __str__(self) -> str:
        return (f"{self.subject}: {self.count} of {self.of} {self.label} are taken for "
                f"{self.taken_for}; are they made or labelled otherwise than by the others?")


def habits(truth: np.ndarray, found: np.ndarray, subject: np.ndarray) -> list[Habit]:
    """Gestures most of which are taken for one and the same other gesture.

    truth, found: labels, str (n,), found by models that knew nothing of the
    person, subject: str (n,).
    """
    out = []
    for person, label in sorted({*zip(subject.tolist(), truth.tolist(), strict=True)}):
        named = found[(subject == person) & (truth == label)]
        names, counts = np.unique(named, return_counts=True)
        best, most = str(names[counts.argmax()]), int(counts.max())
        gestures = best != label and not is_idle(best) and not is_idle(label)
        if gestures and len(named) >= _LEAST_MADE and most > _MOST * len(named):
            out.append(Habit(person, label, best, most, len(named)))
    return out
