"""Windows of single takes, seen several times over: what a quick training learns from.

    takes = takes_of(data, recipe)
    views = Views(data, recipe, takes)
    inputs = views.inputs(which, rng, 16)    # 16 augmented windows of each take

A take is one labelled span. Its windows end soon after its last movement, where the board
decides, and they are levelled and scaled with the board's integers (training.features).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.augment import signal
from host_tools.augment.continuing import continuing_in
from host_tools.augment.energy import moving_part
from host_tools.dataset import Dataset, Recording, Span, is_idle
from host_tools.dataset.resample import resample_recording
from host_tools.training.features import Features
from host_tools.training.recipe import Recipe

_AFTER = (3, 9)  # frames after the last movement, as in evaluation.span_accuracy
_TEMPO = 0.10  # standard deviation of the logarithm of how fast a take is played
_GAIN = 0.10  # likewise of its strength
_TURN = 0.12  # rad: of the sensor on the hand, about each axis
_PAD = 1.6  # windows of rest before and after each recording
_AT_ONCE = 4096
_LONG = 2.0  # windows: a longer span without a gesture is everyday movement, not a take
_REST_PER_RECORDING = 3  # windows of what lies between the spans


@dataclass(frozen=True)
class Take:
    """A span to be seen. recording: its index. first, last: frames between which its windows end.

    label: of the recipe. judged: whether it is a take, or only an example without a gesture.
    """

    recording: int
    span: Span
    label: int
    first: int
    last: int
    judged: bool = True


def frames_of(r: Recording, recipe: Recipe) -> np.ndarray:
    """The recording as the network's frames, float32 (axes, n), clipped at the sensor's range."""
    x = resample_recording(r, float(recipe.rate_hz)).samples[:, : recipe.axes].T
    x = signal.clip(x, recipe.accel_g, recipe.gyro_dps)
    n = max(1, x.shape[1] // recipe.decimation)
    missing = max(0, n * recipe.decimation - x.shape[1])
    x = np.pad(x, ((0, 0), (0, missing)), mode="edge")[:, : n * recipe.decimation]
    return x.reshape(len(x), n, recipe.decimation).mean(axis=2, dtype=np.float32)


class Views:
    """The frames of a data set, its takes, and windows of them."""

    def __init__(self, data: Dataset, recipe: Recipe):
        self.recipe = recipe
        self._features = Features(recipe)
        self._pad = round(_PAD * recipe.window)
        self._continuing = set(continuing_in(data))
        parts, self._offset, at = [], [], 0
        self.takes: list[Take] = []
        for i, r in enumerate(data.recordings):
            x = frames_of(r, recipe)
            parts.append(_rested(x, self._pad))
            self._offset.append(at + self._pad)
            at += parts[-1].shape[1]
            self.takes += self._takes(i, r, x)
        self._frames = np.concatenate(parts, axis=1) if parts else np.zeros((recipe.axes, 0))

    def _takes(self, i: int, r: Recording, x: np.ndarray) -> list[Take]:
        labels, hz = self.recipe.labels, self.recipe.feature_hz
        out = []
        for span in r.spans:
            idle = is_idle(span.label)
            label = self.recipe.idle if idle else labels.index(span.label)
            a = max(0, round((span.start_ms - r.start_ms) * hz / 1000))
            b = min(x.shape[1], round((span.end_ms - r.start_ms) * hz / 1000) + 1)
            if b - a < 2:
                continue
            long = b - a > _LONG * self.recipe.window
            if span.label in self._continuing or idle and long:
                out.append(Take(i, span, label, min(a + self.recipe.window, b - 1), b - 1,
                                not idle))
                continue
            _, last = moving_part(x[:, a:b], hz)
            end = a + last - 1
            out.append(Take(i, span, label, end + _AFTER[0], end + _AFTER[1] - 1))
        return out + self._rest(i, r, x.shape[1])

    def _rest(self, i: int, r: Recording, n: int) -> list[Take]:
        """What lies between the spans, as examples of no gesture."""
        out: list[Take] = []
        if not r.spans:
            return out
        hz, before = self.recipe.feature_hz, 0
        for span in sorted(r.spans, key=lambda s: s.start_ms):
            a = round((span.start_ms - r.start_ms) * hz / 1000)
            if a - before > self.recipe.window:
                out.append(self._idle(i, r, before + self.recipe.window // 2, a))
            before = max(before, round((span.end_ms - r.start_ms) * hz / 1000)
                         + self.recipe.window // 2)
        if n - before > self.recipe.window:
            out.append(self._idle(i, r, before + self.recipe.window // 2, n - 1))
        return out[:_REST_PER_RECORDING]

    def _idle(self, i: int, r: Recording, first: int, last: int) -> Take:
        hz = self.recipe.feature_hz
        span = Span(r.start_ms + first * 1000 / hz, r.start_ms + last * 1000 / hz, "none")
        return Take(i, span, self.recipe.idle, first, last, False)

    def plain(self, which: np.ndarray) -> np.ndarray:
        """Windows as recorded, int16 (k, views, window * axes), of these takes."""
        takes = [self.takes[i] for i in which]
        ends = np.stack([np.linspace(t.first, t.last, _AFTER[1] - _AFTER[0]).round()
                         for t in takes])
        return self._cut(which, ends, np.ones(ends.shape), None)

    def augmented(self, which: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """The same, `count` windows of each take, each with another tempo, strength, attitude."""
        takes = [self.takes[i] for i in which]
        first = np.array([t.first for t in takes])[:, None]
        last = np.array([t.last for t in takes])[:, None]
        ends = np.floor(first + rng.random((len(takes), count)) * (last - first + 1))
        tempo = np.exp(rng.normal(0, _TEMPO, ends.shape))
        return self._cut(which, ends, tempo, rng)

    def _cut(self, which: np.ndarray, ends: np.ndarray, tempo: np.ndarray,
             rng: np.random.Generator | None) -> np.ndarray:
        takes = [self.takes[i] for i in which]
        offset = np.array([self._offset[t.recording] for t in takes])[:, None]
        end, speed = (ends + offset).ravel(), tempo.ravel()
        window, axes = self.recipe.window, self.recipe.axes
        out = np.empty((len(end), window * axes), np.int16)
        back = np.arange(1 - window, 1)
        for k in range(0, len(end), _AT_ONCE):
            at = end[k : k + _AT_ONCE, None] + back * speed[k : k + _AT_ONCE, None]
            at = np.clip(at, 0, self._frames.shape[1] - 1.001)
            low = np.floor(at).astype(int)
            part = (at - low).astype(np.float32)
            x = self._frames[:, low] * (1 - part) + self._frames[:, low + 1] * part
            if rng is not None:
                x = _changed(x, rng)
            values, _ = self._features.integers(x)
            out[k : k + _AT_ONCE] = values.transpose(1, 2, 0).reshape(len(at), -1)
        return out.reshape(*ends.shape, -1)


def _rested(x: np.ndarray, n: int) -> np.ndarray:
    """x (axes, k) with n frames of rest before and after, as its first and last frame say."""
    before, after = np.repeat(x[:, :1], n, axis=1), np.repeat(x[:, -1:], n, axis=1)
    before[3:] = after[3:] = 0
    return np.concatenate([before, x, after], axis=1)


def _changed(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Windows (axes, n, length), each of another strength and a little turned on the hand."""
    n = x.shape[1]
    angle = rng.normal(0, _TURN, (3, n)).astype(np.float32)
    zero = np.zeros(n, np.float32)
    # Small angles: the rotation is 1 plus the cross product with them
    turn = np.eye(3, dtype=np.float32)[:, :, None] + np.stack([
        np.stack([zero, -angle[2], angle[1]]), np.stack([angle[2], zero, -angle[0]]),
        np.stack([-angle[1], angle[0], zero])])
    gain = np.exp(rng.normal(0, _GAIN, n)).astype(np.float32)[:, None]
    out = np.empty_like(x)
    for g in range(0, len(x), 3):
        out[g : g + 3] = np.einsum("ijn,jnt->int", turn, x[g : g + 3])
    mean = out[:3].mean(axis=2, keepdims=True)
    out[:3] = mean + (out[:3] - mean) * gain
    out[3:] *= gain
    return out
