"""Simulated streams: single gestures as a wearer makes them, with life in between.

    simulator = Simulator(material, Augment(), rng)
    stream = simulator.stream(pieces)         # Simulated: samples, and where the gestures are

Between two gestures the hand rests, turns, carries something elsewhere, pushes, knocks,
walks, or undoes the gesture slowly. Gravity turns the shortest way from one attitude to
the next, and the gyroscope agrees.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.augment import movements
from host_tools.augment.kinds import Augment
from host_tools.augment.pieces import Material, Piece

_FADE_S = 0.08
_LEAD_S = 1.0  # of rest before the first gesture, and after the last one


@dataclass(frozen=True)
class Simulated:
    """samples: float32 (axes, n). first, last: moving samples of each gesture, int (k,).

    label: int (k,), -1 for a gesture that is none of the classes. daily: nothing but
    everyday movement. going_on: the label of a movement that goes on all the time, or -1.
    """

    samples: np.ndarray
    first: np.ndarray
    last: np.ndarray
    label: np.ndarray
    daily: bool = False
    going_on: int = -1


class Simulator:
    def __init__(self, material: Material, amounts: Augment, rng: np.random.Generator):
        self.material, self.amounts, self.rng = material, amounts, rng
        self.rate_hz = material.rate_hz
        self.make = movements.Movements(material, rng)

    # --- one stream -------------------------------------------------------

    def stream(self, pieces: list[Piece], lead_s: float = 0.0) -> Simulated:
        """The gestures in this order, each changed a little. lead_s: rest before all else."""
        rng, make = self.rng, self.make
        parts: list[np.ndarray] = []
        marks = []
        n = 0

        def add(x):
            nonlocal n
            parts.append(x)
            n += x.shape[1]

        drawn = [self.varied(p) for p in pieces]
        level = drawn[0].start if len(drawn) else make.any_level()
        add(make.rest(level, round((lead_s + rng.uniform(0.3, 1.0) * _LEAD_S) * self.rate_hz)))
        for k, piece in enumerate(drawn):
            if k:
                for x in self._between(level, piece.start):
                    add(x)
            marks.append((n + piece.first, n + piece.last, pieces[k].label))
            add(piece.samples)
            level = piece.end
            if rng.random() < 0.25:
                back, level = self._way_back(piece)
                for x in back:
                    add(x)
        add(make.rest(level, round(rng.uniform(1.0, 1.5) * _LEAD_S * self.rate_hz)))
        samples = _joined(parts, round(_FADE_S * self.rate_hz))
        if self.amounts.walking and self.rng.random() < self.amounts.walking:
            samples = samples + self._steps(samples)
        samples = self.worn(samples)
        first, last, label = np.array(marks, int).reshape(-1, 3).T
        return Simulated(samples, first, last, label)

    def daily(self, seconds: float) -> Simulated:
        """Everyday movement alone: recorded where there is some, else made up."""
        make = self.make
        parts: list[np.ndarray] = []
        n = 0
        level = make.any_level()
        while n < seconds * self.rate_hz:
            x, after = self._clip(level, 10.0) if self.material.clips else make.other(level)
            parts.append(x)
            n += x.shape[1]
            level = after
        none = np.zeros(0, int)
        samples = self.worn(_joined(parts, round(_FADE_S * self.rate_hz)), 1.5)
        return Simulated(samples, none, none, none, True)

    def going_on(self, samples, label: int) -> Simulated:
        """A movement that goes on, a little faster or slower and worn otherwise."""
        none = np.zeros(0, int)
        f = float(np.exp(self.rng.uniform(-self.amounts.speed, self.amounts.speed) / 2))
        n = samples.shape[1]
        x = movements.resampled(samples, np.linspace(0, n - 1, max(2, round(n / f))))
        x[3:] *= f
        return Simulated(self.worn(x), none, none, none, going_on=label)

    def worn(self, samples: np.ndarray, more: float = 1.0) -> np.ndarray:
        """Held otherwise, by a sensor with other zero points and noise."""
        a, rng = self.amounts, self.rng
        turn = movements.any_rotation(rng, a.rotate_deg * more)
        if a.heading_deg and self.material.size:
            up = samples[:3].mean(axis=1)
            turn = turn @ movements.rotation_about(up, rng.uniform(-1, 1) * a.heading_deg)
        if a.mirror and rng.random() < a.mirror:
            samples = movements.mirrored(samples, int(rng.integers(2)))
        levels = np.array([a.accel_bias] * 3 + [a.gyro_bias] * 3, np.float32)[: len(samples)]
        noise = np.array([a.accel_noise] * 3 + [a.gyro_noise] * 3, np.float32)[: len(samples)]
        bias = rng.standard_normal(len(samples)).astype(np.float32) * levels
        out = np.concatenate([turn @ samples[k : k + 3] for k in range(0, len(samples), 3)])
        out += bias[:, None]
        out += rng.standard_normal(out.shape, np.float32) * noise[:, None]
        return out.astype(np.float32)

    def _steps(self, samples: np.ndarray) -> np.ndarray:
        """What walking adds to all of these samples, (axes, n)."""
        n = samples.shape[1]
        first = samples[:, : max(1, round(_LEAD_S * self.rate_hz / 4))]
        level = self.make.of_gravity(first.mean(axis=1))
        return self.make.walk(level, (n + 1) / self.rate_hz)[:, :n] - level[:, None]

    # --- gestures ---------------------------------------------------------

    def varied(self, piece: Piece) -> movements.Stroke:
        """The gesture faster or slower, larger or smaller."""
        a, rng = self.amounts, self.rng
        f = float(np.exp(rng.uniform(-a.speed, a.speed)))
        n = piece.samples.shape[1]
        length = max(4, round(n / f))
        at = np.linspace(0, n - 1, length)
        if a.warp:
            phase = np.linspace(0, 1, length)
            size = np.clip(rng.normal(0, a.warp, 2), -2 * a.warp, 2 * a.warp) * n
            at = at + size[0] * np.sin(np.pi * phase) + size[1] / 2 * np.sin(2 * np.pi * phase)
            at = np.clip(np.maximum.accumulate(at), 0, n - 1)
        x, gravity = movements.resampled(piece.samples, at), movements.resampled(piece.gravity, at)
        size = np.exp(rng.normal(0, a.scale, 2))
        gain = np.exp(rng.normal(0, a.stretch, len(x)))
        gain[:3] *= size[0] * f * f
        gain[3:] *= size[1] * f
        x[:3] = gravity + (x[:3] - gravity) * gain[:3, None]
        x[3:] *= gain[3:, None]
        if rng.random() < a.smooth:
            x = movements.smoothed(x)
        first = int(np.searchsorted(at, piece.first))
        last = min(length - 1, int(np.searchsorted(at, piece.last)))
        return movements.Stroke(x.astype(np.float32), gravity, first, last)

    def _way_back(self, stroke: movements.Stroke):
        """(parts, level after them): the gesture undone slowly, half of the time at once."""
        rng = self.rng
        f = rng.uniform(1.8, 3.5)
        out = []
        if rng.random() < 0.5:
            out.append(self.make.rest(stroke.end, self._samples(0.2, 0.9)))
        out.append(stroke.undone(f))
        return out, stroke.start

    # --- between gestures -------------------------------------------------

    def _between(self, level: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
        """What the hand does until the next gesture, which begins at `target`."""
        rng, make = self.rng, self.make
        kind = rng.random()
        if kind < 0.15:  # straight on
            return [make.turn(level, target, self._samples(0.12, 0.5))]
        out = [make.rest(level, self._samples(0.1, 0.9))]
        if kind < 0.25:
            clip, level = (self._clip(level, 5.0) if self.material.clips and rng.random() < 0.7
                           else make.other(level))
            out += [clip, make.carry(level, target)]
        elif kind < 0.75:
            moved, level = make.some(level)
            out += [moved, make.rest(level, self._samples(0.05, 0.9)), make.carry(level, target)]
        else:
            out.append(make.turn(level, target, self._samples(0.3, 1.2)))
        out.append(make.rest(target, self._samples(0.05, 1.0)))
        return out

    def _clip(self, level: np.ndarray, most_s: float) -> tuple[np.ndarray, np.ndarray]:
        """A stretch of recorded everyday movement, held so that it begins at `level`."""
        rng, clips = self.rng, self.material.clips
        x = clips[rng.integers(len(clips))]
        n = min(x.shape[1], self._samples(1.0, most_s))
        a = rng.integers(0, x.shape[1] - n + 1)
        f = float(np.exp(rng.uniform(-0.2, 0.2)))
        x = movements.resampled(x[:, a : a + n], np.linspace(0, n - 1, max(4, round(n / f))))
        edge = max(2, round(0.1 * self.rate_hz))
        mean = x[:3].mean(axis=1, keepdims=True)
        size = np.exp(rng.normal(0, 0.25, 2))
        x[:3] = mean + (x[:3] - mean) * size[0]
        x[3:] *= size[1]
        turn = movements.rotation_between(x[:3, :edge].mean(axis=1), level[:3])
        x = np.concatenate([turn @ x[k : k + 3] for k in range(0, len(x), 3)])
        after = level.copy()
        after[:3] = x[:3, -edge:].mean(axis=1)
        return x.astype(np.float32), self.make.of_gravity(after)

    def _samples(self, low_s: float, high_s: float) -> int:
        return max(2, round(self.rng.uniform(low_s, high_s) * self.rate_hz))


def _joined(parts: list[np.ndarray], fade: int) -> np.ndarray:
    """One after another; each step between two parts is spread over the next samples."""
    ramp = (0.5 + 0.5 * np.cos(np.pi * np.arange(fade) / fade)).astype(np.float32)
    out = [parts[0]]
    for x in parts[1:]:
        m = min(fade, x.shape[1])
        step = out[-1][:, -1] - x[:, 0]
        x = x.copy()
        x[:, :m] += step[:, None] * ramp[:m]
        out.append(x)
    return np.concatenate(out, axis=1)
