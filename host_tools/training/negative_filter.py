"""Keep made-up negatives from being gestures.

A swipe to the left, undone, is a swipe to the right; the first half of a B is
an I. Where both are gestures of the data set, such a window must not be taught
to be nothing. A window is like a gesture if it is as near to one of that
class' windows as they usually are to each other. Strong gestures that differ a lot
from each other are as near to stillness, so that any weak movement would be like
them: `within` says how near it must be as well, in times its own size.
"""
from __future__ import annotations

import numpy as np

from host_tools.augment import timeline
from host_tools.training.window_bank import Bank

_MOST = 800  # gestures compared with
_USUAL = 0.9  # quantile of the distance to the nearest of the same class
_MARGIN = 1.1


class Likeness:
    def __init__(self, bank: Bank, features, rng: np.random.Generator, within: float):
        """features: physical windows -> (inputs, still), as training uses it. within: 1 is
        nearer to the gesture than to stillness, inf any distance that is usual in the class."""
        self._within = within
        events = bank.events
        if len(events) > _MOST:
            events = [events[i] for i in sorted(rng.choice(len(events), _MOST, replace=False))]
        self._known = np.zeros((0, 0), np.float32)
        if len(events) < 4:
            return
        recording = np.array([e.recording for e in events])
        label = np.array([e.label for e in events])
        steps = timeline.straight(len(events), bank.window) * bank.parts
        rows, labels = [], []
        for ends in ([e.end for e in events], [e.stops for e in events]):
            windows = bank.take(recording, np.array(ends)[:, None] + steps)
            rows.append(features(windows)[0])
            labels.append(label)
        self._known = np.concatenate(rows)
        self._size = (self._known**2).sum(axis=1)
        distance = self._distances(rows[0], self._known[: len(events)], self._size[: len(events)])
        distance[label[:, None] != label[None]] = np.inf
        np.fill_diagonal(distance, np.inf)
        nearest = distance.min(axis=1)
        reach = np.zeros(label.max() + 1, np.float32)
        for k in set(label.tolist()):
            found = nearest[(label == k) & np.isfinite(nearest)]
            if len(found):
                reach[k] = _MARGIN * np.quantile(found, _USUAL)
        self._reach = reach[np.concatenate(labels)]

    @staticmethod
    def _distances(x, known, size):
        squared = (x * x).sum(axis=1)[:, None] + size[None] - 2 * x @ known.T
        return np.sqrt(np.maximum(squared, 0))

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """bool (n,): which of the network inputs (n, values) are like a gesture."""
        if not len(self._known) or not len(inputs):
            return np.zeros(len(inputs), bool)
        near = self._distances(inputs, self._known, self._size)
        like = near < self._reach
        if np.isfinite(self._within):
            like &= near < self._within * np.linalg.norm(inputs, axis=1)[:, None]
        return like.any(axis=1)
