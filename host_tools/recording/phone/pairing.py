"""Two streams with their own time stamps made into one: each sample of the first gets the
second's value at its time. Pure."""

from __future__ import annotations

import numpy as np

_NEAR_S = 0.15  # further apart, the second stream says nothing about the time between
_WAIT_S = 1.0
_MOST = 4000  # samples that wait


class Pairing:
    """unpaired: samples of the first stream that never got a value of the second."""

    def __init__(self) -> None:
        self._first = np.zeros((0, 4))
        self._second = np.zeros((0, 4))
        self.unpaired = 0

    def feed(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """first, second: (n, 4), time in seconds and three values; n may be 0, times may be out
        of order within one call. Returns (m, 7): time, the first's values, the second's."""
        self._first = _appended(self._first, first)
        self._second = _appended(self._second, second)
        if not len(self._first) or not len(self._second):
            return self._give_up(np.zeros((0, 7)))
        t, known = self._first[:, 0], self._second[:, 0]
        ready = self._first[t <= known[-1]]
        self._first = self._first[t > known[-1]]
        after = np.searchsorted(known, ready[:, 0])
        before = np.where(known[after] == ready[:, 0], after, after - 1)
        near = (before >= 0) & (known[after] - known[before] <= _NEAR_S)
        self.unpaired += int((~near).sum())
        ready = ready[near]
        second_at = [np.interp(ready[:, 0], known, column) for column in self._second.T[1:]]
        if len(known) > 1:
            self._second = self._second[max(0, np.searchsorted(known, known[-1] - _WAIT_S)) :]
        return self._give_up(np.column_stack([ready, *second_at]))

    def _give_up(self, paired: np.ndarray) -> np.ndarray:
        """Drop what has waited too long for the second stream."""
        if len(self._first):
            old = self._first[:, 0] < self._first[-1, 0] - _WAIT_S
            self.unpaired += int(old.sum())
            self._first = self._first[~old]
        return paired


def _appended(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Both in order of time; without the old if the clock has been set back."""
    if len(old) and len(new) and new[:, 0].max() < old[-1, 0] - _WAIT_S:
        old = old[:0]
    rows = np.concatenate([old, new])
    return rows[np.argsort(rows[:, 0], kind="stable")][-_MOST:]
