"""Draw augmented training windows, anew each time, from one seed.

The sliding window of the board meets every gesture at every place. A window
counts as the gesture once nearly all of the movement is in it, and as no
gesture while little of it is; between the two nothing is taught. In streams it
counts from when the hand has come to rest, and as no gesture until then.
"""
from __future__ import annotations

import numpy as np

from host_tools.augment import negatives, signal, timeline
from host_tools.training.features import Features
from host_tools.training.negative_filter import Likeness
from host_tools.training.recipe import Recipe
from host_tools.training.window_bank import BEGUN, DONE, Bank

_LEAST_SEEN = 0.8  # part of a slow movement that a timed recording still holds
_TAIL_S = 0.4  # so long after a movement its windows still are the gesture


class Sampler:
    """draw(n): n windows, gestures in equal parts, no gesture `negatives` times as often.

    All positions are in samples of the bank, windows float32 (axes, n, length).
    """

    def __init__(self, bank: Bank, recipe: Recipe, rng: np.random.Generator):
        self.bank, self.recipe, self.rng = bank, recipe, rng
        self.features = Features(recipe)
        self._events = np.array(
            [(e.recording, e.end, e.moves, e.stops, e.label) for e in bank.events], float
        ).reshape(-1, 5)
        label = self._events[:, 4]
        self._pools = [np.flatnonzero(label == k) for k in range(len(recipe.labels))]
        self._like = Likeness(bank, self.features, rng, recipe.like_within)

    def draw(self, n: int):
        """Inputs float32 (n', window * axes) and labels int (n',), shuffled; n' is about n."""
        rng, recipe = self.rng, self.recipe
        classes = [k for k in range(len(recipe.labels)) if k != recipe.idle]
        share = round(n / (len(classes) + recipe.negatives))
        parts = []
        chosen = [self._some(k, share) for k in classes if len(self._pools[k])]
        if chosen:
            events = np.concatenate(chosen)
            parts.append((self.gestures(events), self._events[events, 4].astype(int), True))
        for k in sorted({s.label for s in self.bank.going_on}):
            parts.append((self.going_on(k, share), np.full(share, k), True))
        for windows, certain in self.no_gesture(round(share * recipe.negatives)):
            parts.append((windows, np.full(windows.shape[1], recipe.idle), certain))
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
        pool = self._pools[k]
        rounds = [self.rng.permutation(pool) for _ in range(-(-n // len(pool)))]
        return np.concatenate(rounds)[:n]

    def _clock(self, n: int) -> np.ndarray:
        return timeline.straight(n, self.bank.window) * self.bank.parts

    # --- gestures ---------------------------------------------------------

    def gestures(self, events: np.ndarray) -> np.ndarray:
        """Augmented windows that end where the span ends or soon after the movement."""
        recording, end, moves, stops, _ = self._events[events].T
        span, rate_hz = self.bank.span, self.bank.rate_hz
        if self.recipe.settle_s:
            at = stops + (self.recipe.settle_s + self.rng.random(len(events)) * _TAIL_S) * rate_hz
            return self._augmented(recording.astype(int), at, moves, at)
        ready = stops - (1 - DONE) * np.minimum(stops - moves, span)
        latest = np.maximum(moves + 0.98 * span, stops)
        latest = np.minimum(latest, np.maximum(end, stops + _TAIL_S * rate_hz))
        at = ready + self.rng.random(len(events)) * (latest - ready)
        # The span's own end, as evaluation will see it, if the movement is still in the window
        whole = (self.rng.random(len(events)) < 0.5) & (end - moves < 1.15 * span)
        at = np.where(whole | (end - stops < 2), end, at)
        pivot = np.where(whole, moves, at) if self.recipe.timed else at
        return self._augmented(recording.astype(int), at, moves, pivot)

    def going_on(self, k: int, n: int) -> np.ndarray:
        """Windows from anywhere in movements that go on."""
        spans = [s for s in self.bank.going_on if s.label == k]
        recording, at, _ = self._anywhere(spans, n, 0.7)
        return self._augmented(recording, at, None)

    def _anywhere(self, stretches, n: int, inside: float):
        """n windows' recordings, ends and earliest beginnings; `inside` of a window at least."""
        weight = np.array([max(1.0, s.end - s.start) for s in stretches]) ** 0.5
        chosen = self.rng.choice(len(stretches), n, p=weight / weight.sum())
        recording = np.array([stretches[i].recording for i in chosen])
        end = np.array([stretches[i].end for i in chosen])
        start = np.array([stretches[i].start for i in chosen])
        start = np.minimum(end, start + inside * self.bank.span)
        reach = np.array([stretches[i].reach for i in chosen])
        return recording, start + self.rng.random(n) * (end - start), reach

    def _augmented(self, recording, at, moves, pivot=None) -> np.ndarray:
        """Windows that end at `at`, changed in time and value.

        moves: where the movement starts; what lies before it may be replaced
        by another past. None: keep it. pivot: what stays where it is when the
        speed changes, the window's end unless told.
        """
        a, rng, n = self.recipe.augment, self.rng, len(at)
        positions, factor = timeline.speed(self._clock(n), rng, a.speed)
        positions = timeline.warp(positions, rng, a.warp)
        positions = timeline.shift(positions, rng, a.shift_s * self.bank.rate_hz)
        positions = timeline.drop_samples(positions, rng, a.drop)
        if pivot is not None:
            at = pivot + (at - pivot) * np.maximum(factor, _LEAST_SEEN)
        positions += at[:, None]
        windows = self.bank.take(recording, positions)
        fast = signal.tempo_gains(factor, a.tempo_share)
        if a.scale_warp:
            wave = signal.wave_gains(rng, n, self.bank.window, a.scale_warp)
            fast = fast[0] * wave, fast[1] * wave
        windows = self._sized(windows, *fast)
        if moves is not None and self.bank.idle:
            windows = self._other_past(windows, positions, moves)
        return self._worn(windows)

    def _sized(self, windows, accel=1.0, gyro=1.0) -> np.ndarray:
        size = signal.size_gains(self.rng, windows.shape[1], self.recipe.augment.scale)
        windows = signal.amplify(windows, size[0] * accel, size[1] * gyro)
        stretch = self.recipe.augment.stretch
        return signal.stretch(windows, self.rng, stretch) if stretch else windows

    def _worn(self, windows: np.ndarray) -> np.ndarray:
        """What depends on the wearer and the sensor, the same for gestures and for the rest."""
        a, rng = self.recipe.augment, self.rng
        windows = signal.rotate(windows, signal.rotations(rng, windows.shape[1], a.rotate_deg))
        windows = signal.bias(windows, rng, a.accel_bias, a.gyro_bias)
        if a.drift_accel or a.drift_gyro:
            windows = signal.drift(windows, rng, a.drift_accel, a.drift_gyro)
        if a.smooth:
            windows = signal.smooth(windows, rng, a.smooth)
        return signal.noise(windows, rng, a.accel_noise, a.gyro_noise)

    def _other_past(self, windows, positions, moves) -> np.ndarray:
        """Half of the gestures get another past: rest, pushes, what came before others."""
        rng, n = self.rng, windows.shape[1]
        past = self.background(n)
        margin = rng.uniform(0.02, 0.15, n) * self.bank.rate_hz
        fade = 0.06 * self.bank.rate_hz
        mix = np.clip((positions - (moves - margin)[:, None]) / fade + 1, 0, 1)
        mix = np.where(rng.random((n, 1)) < 0.5, mix, 1).astype(np.float32)
        # Meet the gesture where it begins: no step that the gesture itself does not have
        first = np.argmax(mix >= 1, axis=1)
        rows = np.arange(n)
        if any(self.recipe.up):  # held as the gesture begins, or gravity would jump
            held = past[:3, rows, first].T, windows[:3, rows, first].T
            past = signal.rotate(past, signal.rotations_between(*held))
        gap = windows[:, rows, first] - past[:, rows, first]
        return windows * mix + (past + np.float32(0.7) * gap[..., None]) * (1 - mix)

    # --- no gesture -------------------------------------------------------

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
        if n > cut + back + made:
            yield self._worn(self._sized(self.idle(n - cut - back - made))), True
        yield self._worn(self._sized(self.made_up(made))), False
        if cut > 1:
            yield self.partial(cut // 2, late=False), self.recipe.settle_s > 0
            yield self.partial(cut - cut // 2, late=True), False
        if back:
            yield self.undone(back), False

    def background(self, n: int) -> np.ndarray:
        """Recorded and made-up windows of no gesture, in random order."""
        made = n // 3 if self.bank.idle else n
        parts = [self.made_up(made)]
        if n > made:
            parts.append(self.idle(n - made))
        return np.concatenate(parts, axis=1)[:, self.rng.permutation(n)]

    def idle(self, n: int) -> np.ndarray:
        """Windows from where nobody made a gesture, unchanged but in speed."""
        recording, at, reach = self._anywhere(self.bank.idle, n, 0.5)
        positions, _ = timeline.speed(self._clock(n), self.rng, self.recipe.augment.speed)
        return self.bank.take(recording, np.maximum(positions + at[:, None], reach[:, None]))

    def made_up(self, n: int) -> np.ndarray:
        """Still, tilting, pushed and knocked, from how the sensor is held in these recordings."""
        rng, bank = self.rng, self.bank
        rate_hz = bank.rate_hz / bank.parts
        rest = bank.rest[:, rng.integers(0, bank.rest.shape[1], n)]
        windows = np.concatenate([
            negatives.still(rng, rest[:, : n // 2], bank.window),
            negatives.tilt(rng, rest[:, n // 2 :], bank.window, rate_hz, 180.0),
        ], axis=1)
        pushed = rng.random(n) < 0.5
        windows[:, pushed] = negatives.push(rng, windows[:, pushed], rate_hz)
        knocked = rng.random(n) < 0.15
        windows[:, knocked] = negatives.knock(rng, windows[:, knocked])
        return windows

    def partial(self, n: int, late: bool) -> np.ndarray:
        """Windows that hold only the first part of a movement, or only its last."""
        rng, bank = self.rng, self.bank
        events = rng.integers(0, len(bank.events), n)
        recording, _, moves, stops, _ = self._events[events].T
        most = BEGUN if late else self.recipe.begun
        whole = stops - moves
        if late or not self.recipe.settle_s:
            whole = np.minimum(whole, bank.span)
        part = rng.uniform(0.05, most, n) * whole
        if late:
            return self._augmented(recording.astype(int), stops - part + bank.span, None)
        return self._augmented(recording.astype(int), moves + part, moves)

    def undone(self, n: int) -> np.ndarray:
        """The way back after a gesture: backwards, f times as long, f^2 times as weak."""
        rng, bank = self.rng, self.bank
        events = rng.integers(0, len(bank.events), n)
        recording, _, moves, stops, _ = self._events[events].T
        f = np.exp(rng.uniform(0, np.log(3.5), n))
        length = f * (stops - moves)
        ago = rng.uniform(-0.2, 0.6, n) * np.minimum(length, bank.span)  # since it ended
        passed = self._clock(n) + (ago + length)[:, None]
        positions = stops[:, None] - passed / f[:, None]
        outside = (positions <= moves[:, None]) | (positions >= stops[:, None])
        windows = self.bank.take(
            recording.astype(int), np.clip(positions, moves[:, None], stops[:, None])
        )
        windows[3:] *= -1
        windows[3:, outside] = 0
        return self._worn(self._sized(windows, *signal.tempo_gains(1 / f)))
