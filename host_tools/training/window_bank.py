"""All recordings of a data set side by side, ready for cutting windows out of them."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.augment import signal
from host_tools.dataset import Dataset, is_idle
from host_tools.dataset.movement import find_movement
from host_tools.dataset.resample import resample_recording
from host_tools.training.recipe import CONTINUOUS_S, Recipe

DONE = 0.95  # part of the movement that must be inside a gesture's window
BEGUN = 0.5  # up to this part inside, a window is no gesture yet, or no longer
_QUIET_MS = 200  # rest is looked for in pieces of this length
_LEAST_IDLE_S = 0.3  # shorter stretches between spans teach nothing


@dataclass(frozen=True)
class Event:
    """A labelled movement; positions within its recording in samples of the bank."""

    recording: int
    label: int
    start: float
    end: float  # of the labelled span
    moves: float
    stops: float


@dataclass(frozen=True)
class Stretch:
    """A part of a recording where the label holds all the time.

    reach: where a window that ends here may begin at the earliest, since it
    would hold too much of the gesture before.
    """

    recording: int
    label: int
    start: float
    end: float
    reach: float


class Bank:
    """Recordings, events and what is known about rest.

    samples: float32 (axes, total), recording i is samples[:, first[i]:last[i]].
    They are `fold` board samples apart but averaged over a whole decimated
    frame that ends there, so that every `parts`-th sample is a frame as the
    board makes it, and windows can begin between frames.
    """

    def __init__(self, data: Dataset, recipe: Recipe):
        self.recipe = recipe
        self.fold = max(1, recipe.decimation // 2)
        self.parts = recipe.decimation // self.fold
        self.rate_hz = recipe.rate_hz / self.fold
        self.span = recipe.window * self.parts  # a window's length in samples of the bank
        self.window = recipe.window
        raw = [self._folded(r) for r in data.recordings]
        lengths = np.array([x.shape[1] for x in raw])
        self.last = np.cumsum(lengths)
        self.first = self.last - lengths
        self.samples = np.concatenate([_average(x, self.parts) for x in raw], axis=1)
        self.events: list[Event] = []
        self.going_on: list[Stretch] = []
        self.idle: list[Stretch] = []
        for i, r in enumerate(data.recordings):
            self._find_events(i, r, raw[i].T)
        self.rest = _rest(raw, max(1, round(_QUIET_MS * self.rate_hz / 1000)))

    def _folded(self, r) -> np.ndarray:
        """float32 (axes, n), clipped at the sensor's range, means of `fold` board samples."""
        x = resample_recording(r, float(self.recipe.rate_hz)).samples[:, : self.recipe.axes].T
        x = signal.clip(x, self.recipe.accel_g, self.recipe.gyro_dps)
        n = max(1, x.shape[1] // self.fold)
        lack = max(0, n * self.fold - x.shape[1])
        x = np.pad(x, ((0, 0), (0, lack)), mode="edge")[:, : n * self.fold]
        return x.reshape(len(x), n, self.fold).mean(axis=2).astype(np.float32)

    def _find_events(self, i: int, r, x: np.ndarray) -> None:
        number = {name: k for k, name in enumerate(self.recipe.labels)}
        idle = self.recipe.idle

        def at(t_ms):
            return min((t_ms - r.start_ms) * self.rate_hz / 1000, len(x) - 1.0)

        before = reach = 0.0
        for s in r.spans:
            start, end = at(s.start_ms), at(s.end_ms)
            self._add_idle(i, before, start, reach)
            before = end
            if is_idle(s.label):
                self.idle.append(Stretch(i, idle, start, end, reach))
            elif s.length_ms > 1000 * CONTINUOUS_S:
                self.going_on.append(Stretch(i, number[s.label], start, end, start))
                reach = end
            else:
                moves, stops = find_movement(x, self.rate_hz, round(start), round(end) + 1)
                self.events.append(Event(i, number[s.label], start, end, moves, stops - 1.0))
                reach = stops - BEGUN * (stops - moves)
        self._add_idle(i, before, len(x) - 1.0, reach)

    def _add_idle(self, i: int, start: float, end: float, reach: float) -> None:
        if end - start > _LEAST_IDLE_S * self.rate_hz:
            self.idle.append(Stretch(i, self.recipe.idle, start, end, reach))

    def take(self, recording: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Interpolated values float32 (axes, n, length) at positions (n, length).

        recording: int (n,). Beyond an end of the recording its edge is held, not turning.
        """
        top = (self.last - self.first - 1)[recording][:, None]
        p = np.clip(positions, 0, top)
        i = p.astype(np.int64)
        part = (p - i).astype(np.float32)
        i += self.first[recording][:, None]
        j = np.minimum(i + 1, self.last[recording][:, None] - 1)
        out = np.empty((len(self.samples), *p.shape), np.float32)
        for axis, x in enumerate(self.samples):
            here = x[i]
            out[axis] = here + (x[j] - here) * part
        out[3:] *= (positions > -1) & (positions < top + 1)
        return out


def _average(x: np.ndarray, parts: int) -> np.ndarray:
    """Means of each sample and the parts - 1 before it (fewer at the beginning)."""
    if parts == 1:
        return x
    padded = np.pad(x, ((0, 0), (parts - 1, 0)), mode="edge")
    shifted = np.stack([padded[:, k : k + x.shape[1]] for k in range(parts)])
    return shifted.mean(axis=0, dtype=np.float32)


def _rest(recordings: list[np.ndarray], size: int) -> np.ndarray:
    """How the sensor is held: means of the stillest moments, float32 (axes, n)."""
    found = []
    for x in recordings:
        n = x.shape[1] // size
        if n:
            blocks = x[:, : n * size].reshape(len(x), n, size)
            unrest = blocks[:3].std(axis=2).max(axis=0)
            j = int(np.argmin(unrest))
            found.append((float(unrest[j]), blocks[:, j].mean(axis=1)))
    found.sort(key=lambda f: f[0])
    rest = np.array([f[1] for f in found[: max(1, len(found) // 3)]], np.float32).T
    rest[3:] = np.clip(rest[3:], -5, 5)
    return rest
