"""Draw augmented training windows: each epoch anew, from one seed.

The sliding window of the board meets every gesture at every place. A window
counts as the gesture once nearly all of the movement is in it, and as no
gesture while little of it is; between the two nothing is taught.
"""
from __future__ import annotations

import numpy as np

from ..augment import negatives, signal, timeline
from .frontend import Features
from .likeness import Likeness
from .recipe import Recipe
from .windows import Bank

DONE = 0.95  # part of the movement that must be inside a gesture's window
BEGUN = 0.5  # up to this part inside, a window is no gesture yet


class Sampler:
    """draw(n): n windows, classes in equal parts, no gesture `negatives` times as often."""

    def __init__(self, bank: Bank, recipe: Recipe, rng: np.random.Generator):
        self.bank, self.recipe, self.rng = bank, recipe, rng
        self.features = Features(recipe, bank.parts)
        self._events = [
            np.array([i for i, e in enumerate(bank.events) if e.label == k], int)
            for k in range(len(recipe.labels))
        ]
        self._where = np.array(
            [(e.recording, e.end, e.moves, e.stops, e.label) for e in bank.events], float
        ).reshape(-1, 5)
        self._has_background = len(bank.idle) > 0
        self._like = Likeness(bank, self.features, rng)

    def draw(self, n: int):
        """Inputs float32 (n', window * axes) and labels int (n',), shuffled; n' is about n."""
        rng, recipe = self.rng, self.recipe
        classes = [k for k in range(len(recipe.labels)) if k != recipe.idle]
        share = n / (len(classes) + recipe.negatives)
        gestures = np.concatenate(
            [self._some(k, round(share)) for k in classes if len(self._events[k])]
        ) if self.bank.events else np.zeros(0, int)
        parts = [(self.gestures(gestures), self._where[gestures, 4].astype(int), True)]
        going_on = [k for k in classes if any(s[3] == k for s in self.bank.streams)]
        for k in going_on:
            parts.append((self.going_on(k, round(share)), np.full(round(share), k), True))
        for windows, certain in self.no_gesture(round(share * recipe.negatives)):
            parts.append((windows, np.full(len(windows), recipe.idle), certain))
        inputs, labels = [], []
        for windows, label, certain in parts:
            x, still = self.features(signal.clip(windows, recipe.accel_g, recipe.gyro_dps))
            keep = ~still if certain else ~still & ~self._like(x)
            inputs.append(x[keep])
            labels.append(label[keep])
        order = rng.permutation(sum(map(len, labels)))
        return np.concatenate(inputs)[order], np.concatenate(labels)[order]

    def _some(self, k: int, n: int) -> np.ndarray:
        """n events of class k, each as often as the others but for one."""
        pool = self._events[k]
        return np.concatenate([self.rng.permutation(pool) for _ in range(-(-n // len(pool)))])[:n]

    # --- gestures ---------------------------------------------------------

    def gestures(self, events: np.ndarray) -> np.ndarray:
        """Augmented windows that end where the span ends or soon after the movement."""
        recording, end, moves, stops, _ = self._where[events].T
        length = self.bank.length
        duration = np.minimum(stops - moves, length)
        ready = stops - (1 - DONE) * duration
        latest = np.maximum(np.maximum(ready, moves + 0.98 * length), stops)
        latest = np.minimum(latest, np.maximum(end, stops + 0.4 * self.bank.rate_hz))
        at = ready + self.rng.random(len(events)) * (latest - ready)
        # The span's own end, as evaluation will see it, if the movement is still in the window
        whole = (self.rng.random(len(events)) < 0.5) & (end - moves < 1.15 * length)
        at = np.where(whole | (end - stops < 2), end, at)
        return self._augmented(recording.astype(int), at, moves)

    def going_on(self, k: int, n: int) -> np.ndarray:
        """Windows from anywhere in movements that go on."""
        spans = [s for s in self.bank.streams if s[3] == k]
        weight = np.array([s[2] - s[1] for s in spans])
        chosen = self.rng.choice(len(spans), n, p=weight / weight.sum())
        recording = np.array([spans[i][0] for i in chosen])
        start = np.array([spans[i][1] for i in chosen]) + 0.7 * self.bank.length
        end = np.array([spans[i][2] for i in chosen])
        at = start + self.rng.random(n) * np.maximum(0, end - start)
        return self._augmented(recording, at, None)

    def _augmented(self, recording, at, moves, gentle: bool = False) -> np.ndarray:
        """Windows that end at `at`, changed in time and value.

        moves: where the movement starts; what lies before it may be replaced
        by other background. None: keep all.
        """
        a, rng, n = self.recipe.augment, self.rng, len(at)
        positions = timeline.straight(n, self.bank.length)
        positions, factor = timeline.speed(positions, rng, a.speed)
        positions = timeline.warp(positions, rng, a.warp)
        positions = timeline.shift(positions, rng, a.shift_s * self.bank.rate_hz)
        positions = timeline.drop_samples(positions, rng, a.drop)
        positions += at[:, None]
        windows = self.bank.take(recording, positions)
        windows = signal.tempo(windows, factor, a.tempo_share)
        windows = signal.scale(windows, rng, a.scale)
        windows = signal.scale_warp(windows, rng, a.scale_warp)
        if moves is not None and self._has_background:
            windows = self._other_past(windows, positions, moves)
        return self._worn(windows)

    def _worn(self, windows: np.ndarray) -> np.ndarray:
        """What depends on the wearer and the sensor, the same for gestures and for the rest."""
        a, rng = self.recipe.augment, self.rng
        windows = signal.rotate(windows, rng, a.rotate_deg)
        windows = signal.bias(windows, rng, a.accel_bias, a.gyro_bias)
        windows = signal.drift(windows, rng, a.drift_accel, a.drift_gyro)
        windows = signal.smooth(windows, rng, a.smooth)
        return signal.noise(windows, rng, a.accel_noise, a.gyro_noise).astype(np.float32)

    def _other_past(self, windows, positions, moves) -> np.ndarray:
        """Half of the gestures get another past: rest, pushes, what came before others."""
        rng, n = self.rng, len(windows)
        replace = rng.random(n) < 0.5
        past = self.background(n)
        margin = rng.uniform(0.02, 0.15, n) * self.bank.rate_hz
        fade = 0.06 * self.bank.rate_hz
        mix = np.clip((positions - (moves - margin)[:, None]) / fade + 1, 0, 1)
        mix = np.where(replace[:, None], mix, 1).astype(np.float32)[..., None]
        # Meet the gesture where it begins: no step that the gesture itself does not have
        first = np.argmax(mix[..., 0] >= 1, axis=1)
        rows = np.arange(n)
        gap = windows[rows, first] - past[rows, first]
        return windows * mix + (past + 0.7 * gap[:, None]) * (1 - mix)

    # --- no gesture -------------------------------------------------------

    def background(self, n: int) -> np.ndarray:
        """Recorded and made-up windows of no gesture, in random order."""
        made = n // 3 if self.bank.idle else n
        parts = [self.made_up(made)]
        if n > made:
            parts.append(self.idle(n - made))
        return self.rng.permutation(np.concatenate(parts), axis=0)

    def idle(self, n: int) -> np.ndarray:
        """Windows from where nobody made a gesture, unchanged but in speed."""
        rng, bank = self.rng, self.bank
        weight = np.array([max(1.0, b - a) for _, a, b in bank.idle]) ** 0.5
        chosen = rng.choice(len(bank.idle), n, p=weight / weight.sum())
        recording = np.array([bank.idle[i][0] for i in chosen])
        start = np.array([bank.idle[i][1] for i in chosen])
        end = np.array([bank.idle[i][2] for i in chosen])
        low = np.minimum(end, start + 0.5 * bank.length)
        at = low + rng.random(n) * (end - low)
        positions, _ = timeline.speed(
            timeline.straight(n, bank.length), rng, self.recipe.augment.speed
        )
        return bank.take(recording, np.maximum(positions + at[:, None], start[:, None]))

    def made_up(self, n: int) -> np.ndarray:
        """Still, tilting, pushed and knocked, from how the sensor is held in these recordings."""
        rng, bank = self.rng, self.bank
        rest = bank.rest[rng.integers(0, len(bank.rest), n)]
        half = n // 2
        windows = np.concatenate([
            negatives.still(rng, rest[:half], bank.length),
            negatives.tilt(rng, rest[half:], bank.length, bank.rate_hz, 180.0),
        ])
        pushed = rng.random(n) < 0.5
        windows[pushed] = negatives.push(rng, windows[pushed], bank.rate_hz)
        knocked = rng.random(n) < 0.15
        windows[knocked] = negatives.knock(rng, windows[knocked])
        return windows

    def no_gesture(self, n: int):
        """Yield (windows, certain) of every kind of no gesture, n together.

        certain: recorded as such; the others are left out where they look
        like a gesture.
        """
        cut, back, made = (round(n * part) for part in self.recipe.negative_parts)
        if not self.bank.events:
            cut = back = 0
        if not self.bank.idle:
            made = n - cut - back
        scale = self.recipe.augment.scale
        if n > cut + back + made:
            yield self._worn(signal.scale(self.idle(n - cut - back - made), self.rng, scale)), True
        yield self._worn(signal.scale(self.made_up(made), self.rng, scale)), False
        if cut > 1:
            yield self.partial(cut // 2, late=False), False
            yield self.partial(cut - cut // 2, late=True), False
        if back:
            yield self.undone(back), False

    def partial(self, n: int, late: bool) -> np.ndarray:
        """Windows that hold only the first part of a movement, or only its last."""
        rng, bank = self.rng, self.bank
        events = rng.integers(0, len(bank.events), n)
        recording, _, moves, stops, _ = self._where[events].T
        duration = np.minimum(stops - moves, bank.length)
        part = rng.uniform(0.05, BEGUN, n)
        if not late:
            return self._augmented(recording.astype(int), moves + part * duration, moves)
        return self._augmented(recording.astype(int), stops - part * duration + bank.length, None)

    def undone(self, n: int) -> np.ndarray:
        """The way back after a gesture: backwards, f times as long, f^2 times as weak."""
        rng, bank = self.rng, self.bank
        events = rng.integers(0, len(bank.events), n)
        recording, _, moves, stops, _ = self._where[events].T
        f = np.exp(rng.uniform(0, np.log(3.5), n))
        length = f * (stops - moves)
        ago = rng.uniform(-0.2, 0.6, n) * np.minimum(length, bank.length)  # since it ended
        passed = timeline.straight(n, bank.length) - (-ago - length)[:, None]
        positions = stops[:, None] - passed / f[:, None]
        positions = np.clip(positions, moves[:, None], stops[:, None])
        windows = bank.take(recording.astype(int), positions)
        windows = signal.tempo(windows, 1 / f)
        windows[..., 3:] *= -1
        windows[(positions <= moves[:, None]) | (positions >= stops[:, None]), 3:] = 0
        return self._worn(signal.scale(windows, rng, self.recipe.augment.scale))
