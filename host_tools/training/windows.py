"""Draw training windows from recordings: gestures at their end, and what is no gesture.

The sliding window of the board meets every gesture at every place. A window
counts as the gesture once nearly all of the movement is in it, and as no
gesture while little of it is; between the two nothing is taught.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..augment import signal
from ..dataset import Dataset, is_idle
from ..dataset.resample import resample_recording
from .movement import find_movement
from .recipe import _CONTINUOUS_S, Recipe

_QUIET_MS = 200  # stretches of rest are gathered in pieces of this length


@dataclass
class Event:
    """A labelled movement; sample positions within its recording, at the bank's rate."""

    recording: int
    label: int
    start: float
    end: float  # of the labelled span
    moves: float
    stops: float


class Bank:
    """All recordings of a data set at one rate, one behind the other.

    samples: float32 (total, axes); recording i is samples[first[i]:last[i]].
    rate_hz is the board's rate divided so that two samples make one of the
    network's frames, which halves the work of augmentation.
    """

    def __init__(self, data: Dataset, recipe: Recipe):
        self.recipe = recipe
        self.fold = max(1, recipe.decimation // 2)  # board samples in one of ours
        self.rate_hz = recipe.rate_hz / self.fold
        self.parts = recipe.decimation // self.fold  # of ours in one of the network's
        self.length = recipe.window * self.parts
        pieces = []
        for r in data.recordings:
            x = resample_recording(r, float(recipe.rate_hz)).samples[:, : recipe.axes]
            x = signal.clip(x, recipe.accel_g, recipe.gyro_dps)
            n = max(1, len(x) // self.fold)
            x = np.concatenate([x, np.repeat(x[-1:], max(0, n * self.fold - len(x)), axis=0)])
            pieces.append(x[: n * self.fold].reshape(n, self.fold, -1).mean(axis=1))
        lengths = np.array([len(p) for p in pieces])
        self.last = np.cumsum(lengths)
        self.first = self.last - lengths
        self.samples = np.concatenate(pieces).astype(np.float32)
        self.holes = [
            [(a * self.rate_hz / r.rate_hz, b * self.rate_hz / r.rate_hz) for a, b in r.holes]
            for r in data.recordings
        ]
        self._find_events(data)
        self._find_rest()

    def recording(self, i: int) -> np.ndarray:
        return self.samples[self.first[i] : self.last[i]]

    def _find_events(self, data: Dataset) -> None:
        self.events: list[Event] = []  # gestures with an end
        # Movement that goes on: recording, from, to, label
        self.streams: list[tuple[int, float, float, int]] = []
        self.idle: list[tuple[int, float, float]] = []  # recording, from, to
        number = {name: i for i, name in enumerate(self.recipe.labels)}
        for i, r in enumerate(data.recordings):
            x = self.recording(i)
            before = 0.0
            for s in r.spans:
                start = (s.start_ms - r.start_ms) * self.rate_hz / 1000
                end = min((s.end_ms - r.start_ms) * self.rate_hz / 1000, len(x) - 1.0)
                if is_idle(s.label):
                    self.idle.append((i, start, end))
                elif s.length_ms > 1000 * _CONTINUOUS_S:
                    self.streams.append((i, start, end, number[s.label]))
                else:
                    a, b = int(max(0, round(start))), int(round(end)) + 1
                    moves, stops = find_movement(x, self.rate_hz, a, b)
                    self.events.append(Event(i, number[s.label], start, end, moves, stops - 1.0))
                if start - before > 0.3 * self.rate_hz:
                    self.idle.append((i, before, start))
                before = end
            if len(x) - before > 0.3 * self.rate_hz:
                self.idle.append((i, before, len(x) - 1.0))

    def _find_rest(self) -> None:
        """Mean values of the stillest moments: how the sensor is held between gestures."""
        size = max(1, round(_QUIET_MS * self.rate_hz / 1000))
        found = []
        for i in range(len(self.first)):
            x = self.recording(i)
            if len(x) < size:
                continue
            blocks = x[: len(x) // size * size].reshape(-1, size, x.shape[1])
            unrest = blocks[..., :3].std(axis=1).max(axis=1)
            j = int(np.argmin(unrest))
            found.append((float(unrest[j]), blocks[j].mean(axis=0)))
        found.sort(key=lambda f: f[0])
        self.rest = np.array([f[1] for f in found[: max(1, len(found) // 3)]], np.float32)
        if self.rest.shape[1] == 6:
            self.rest[:, 3:] = np.clip(self.rest[:, 3:], -5, 5)

    def take(self, recording: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Interpolated samples float32 (n, length, axes); beyond an end its edge is held."""
        top = (self.last - self.first - 1)[recording][:, None]
        p = np.clip(positions, 0, top)
        i = p.astype(np.int64)
        part = (p - i).astype(np.float32)[..., None]
        j = np.minimum(i + 1, top)
        base = self.first[recording][:, None]
        return self.samples[base + i] * (1 - part) + self.samples[base + j] * part
