"""Movements that a hand makes between gestures, made up: rest, turning, carrying, walking.

A level is what the sensor reads when it is held still in one attitude, (axes,): gravity and
the zero points of the gyroscope. Results are float32 (axes, n) in m/s^2 and deg/s.
A body that turns at w sees gravity move by dg/dt = -w x g.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.augment.pieces import Material

_NOISE_S = 400.0  # of noise made once, to be cut from


@dataclass(frozen=True)
class Stroke:
    """A gesture as it is put into a stream. gravity: (3, n). first, last: its moving samples."""

    samples: np.ndarray
    gravity: np.ndarray
    first: int
    last: int

    @property
    def start(self) -> np.ndarray:
        return self._level(0)

    @property
    def end(self) -> np.ndarray:
        return self._level(-1)

    def _level(self, i: int) -> np.ndarray:
        out = np.zeros(len(self.samples), np.float32)
        out[:3] = self.gravity[:, i]
        return out

    def undone(self, f: float) -> np.ndarray:
        """Backwards and f times as long: turning 1/f, acceleration 1/f^2, gravity as it was."""
        n = self.samples.shape[1]
        at = np.linspace(n - 1, 0, max(4, round(n * f)))
        x, gravity = resampled(self.samples, at), resampled(self.gravity, at)
        x[:3] = gravity + (x[:3] - gravity) / (f * f)
        x[3:] /= -f
        return x.astype(np.float32)


class Movements:
    def __init__(self, material: Material, rng: np.random.Generator):
        self.material, self.rng, self.rate_hz = material, rng, material.rate_hz
        n = round(_NOISE_S * self.rate_hz)
        white = rng.standard_normal((material.axes, n), np.float32)
        slow = np.cumsum(rng.standard_normal((material.axes, n), np.float32), axis=1)
        width = max(2, round(0.5 * self.rate_hz))
        slow = (slow[:, width:] - slow[:, :-width]) / np.sqrt(width)
        self._noise = white[:, : slow.shape[1]] + slow
        self._scale = np.array([0.08] * 3 + [1.0] * 3, np.float32)[: material.axes]

    def any_level(self) -> np.ndarray:
        """How the sensor was held at some moment in the recordings."""
        levels = self.material.levels
        return self.of_gravity(levels[:, self.rng.integers(levels.shape[1])].astype(np.float32))

    def of_gravity(self, level: np.ndarray) -> np.ndarray:
        """The level with gravity of the usual size."""
        out = level.copy()
        size = float(np.linalg.norm(out[:3]))
        out[:3] *= self.material.size / max(size, 1e-3)
        out[3:] = 0
        return out

    def rest(self, level: np.ndarray, n: int) -> np.ndarray:
        return level[:, None] + self._tremor(max(1, n)).astype(np.float32)

    def _tremor(self, n: int) -> np.ndarray:
        rng, rests = self.rng, self.material.rest
        if rests and rng.random() < 0.7:
            x = rests[rng.integers(len(rests))]
            if x.shape[1] < n:
                x = np.concatenate([x, x[:, ::-1]] * (n // (2 * x.shape[1]) + 1), axis=1)
            a = rng.integers(0, x.shape[1] - n + 1)
            return x[:, a : a + n]
        return self.tremor_made(n) * np.float32(np.exp(rng.normal(0, 0.7)))

    def tremor_made(self, n: int) -> np.ndarray:
        """White noise and a slow wave, as a hand at rest has them."""
        a = self.rng.integers(0, self._noise.shape[1] - n)
        return self._noise[:, a : a + n] * self._scale[:, None]

    def turn(self, level, target, n: int, twist_deg: float = 0.0) -> np.ndarray:
        """From one attitude to another the shortest way, as smooth as a hand does it."""
        n = max(2, n)
        phase = np.linspace(0, 1, n)
        way = phase**3 * (10 + phase * (6 * phase - 15))
        out = self._tremor(n) + np.zeros((len(level), n), np.float32)
        start, stop = level[:3].astype(float), target[:3].astype(float)
        sizes = np.linalg.norm(start), np.linalg.norm(stop)
        if min(sizes) < 1e-3:
            out[:3] += start[:, None]
            return out
        axis = cross(start, stop)
        sine = float(np.linalg.norm(axis))
        if sine < 1e-6 * sizes[0] * sizes[1]:
            axis, sine = cross(start, self.rng.normal(size=3)), 0.0
            axis /= np.linalg.norm(axis)
        else:
            axis = axis / sine
        angle = np.arctan2(sine, start @ stop)
        course = angle * way
        first = start / sizes[0]
        gravity = first[:, None] * np.cos(course) + cross(axis, first)[:, None] * np.sin(course)
        size = sizes[0] + way * (sizes[1] - sizes[0])
        out[:3] += (size * gravity).astype(np.float32)
        if len(level) == 6:
            # the way's derivative, per sample
            step = 30 * (phase * (1 - phase)) ** 2 / (n - 1)
            speed = np.degrees(step) * self.rate_hz
            out[3:] += (-angle * axis[:, None] * speed).astype(np.float32)
            out[3:] += (gravity * np.radians(twist_deg) * speed).astype(np.float32)
        return out

    def carry(self, level, target) -> np.ndarray:
        """The hand goes elsewhere by minimum jerk (Flash & Hogan 1985), turning on the way."""
        rng = self.rng
        seconds = rng.uniform(0.45, 1.3)
        n = max(4, round(seconds * self.rate_hz))
        twist = rng.normal(0, 40) if rng.random() < 0.5 else 0.0
        out = self.turn(level, target, n, twist)
        phase = np.linspace(0, 1, n)
        shape = 60 * phase - 180 * phase**2 + 120 * phase**3
        way = rng.normal(size=3)
        way *= rng.uniform(0.05, 0.4) / np.linalg.norm(way) / seconds**2
        out[:3] += (way[:, None] * shape).astype(np.float32)
        return out

    def elsewhere(self, level, spread_deg: float) -> np.ndarray:
        """A level turned by about spread_deg."""
        out = level.copy()
        out[:3] = any_rotation(self.rng, spread_deg) @ level[:3]
        return out

    def some(self, level) -> tuple[np.ndarray, np.ndarray]:
        """One of the everyday movements that everybody makes, and the level after it."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.5:
            target = self.elsewhere(level, 40) if rng.random() < 0.5 else level
            return self.carry(level, target), target
        n = max(4, round(rng.uniform(0.4, 1.2) * self.rate_hz))
        if kind < 0.70:
            return self.push(level, n), level
        if kind < 0.78:
            return self.knock(level, n), level
        if kind < 0.88:
            target = self.elsewhere(level, 60)
            return self.turn(level, target, n, rng.normal(0, 60)), target
        return self.other(level)

    def push(self, level, n: int) -> np.ndarray:
        """80 to 350 ms, up to 4 m/s^2, there, or there and back; a hand does not run on rails."""
        rng = self.rng
        out = self.rest(level, n)
        t = np.arange(n) / self.rate_hz
        half = rng.uniform(0.08, 0.35) / 2
        x = np.clip((t - rng.uniform(0.2, 0.8) * t[-1]) / half, -1, 1)
        shape = np.cos(np.pi * x / 2) ** 2 if rng.random() < 0.5 else np.sin(np.pi * x)
        way = rng.normal(size=len(level)) * np.array([3.0] * 3 + [15.0] * 3)[: len(level)]
        return out + (way[:, None] * shape * rng.random()).astype(np.float32)

    def knock(self, level, n: int) -> np.ndarray:
        """Set down, or the table is hit: one to four spikes."""
        rng = self.rng
        out = self.rest(level, n) + np.float32(0)
        for at in rng.integers(0, n - 1, rng.integers(1, 5)):
            size = rng.normal(size=len(level)) * np.array([6.0] * 3 + [40.0] * 3)[: len(level)]
            out[:, at] += size
            out[:, at + 1] -= 0.6 * size
        return out

    def other(self, level) -> tuple[np.ndarray, np.ndarray]:
        """Several seconds of life: walking, or one stroke after another without a plan."""
        if self.rng.random() < 0.35:
            return self.walk(level, self.rng.uniform(2.0, 6.0)), level
        return self.fidget(level)

    def walk(self, level, seconds: float, steps_hz: float = 0.0) -> np.ndarray:
        """Steps of 1.4 to 2.2 Hz and an arm that swings half as often.

        The trunk bounces by 1 to 3 m/s^2, heel strikes are short, the arm turns by up to
        25 degrees either way, about an axis across it.
        """
        rng = self.rng
        n = max(4, round(seconds * self.rate_hz))
        t = np.arange(n) / self.rate_hz
        steps = steps_hz or rng.uniform(1.4, 2.2)
        phase = 2 * np.pi * steps * t + rng.uniform(0, 2 * np.pi)
        fade = np.minimum(1, np.minimum(t, t[::-1]) / 0.4)
        gravity = level[:3] / max(float(np.linalg.norm(level[:3])), 1e-3)
        bounce = rng.uniform(0.8, 3.0) * (np.cos(phase) + 0.4 * np.cos(2 * phase + rng.normal()))
        out = self.rest(level, n) + np.float32(0)
        across = cross(gravity, rng.normal(size=3))
        across /= max(float(np.linalg.norm(across)), 1e-6)
        ahead = cross(across, gravity)
        swing = np.radians(rng.uniform(3, 25)) * np.sin(phase / 2) * fade
        push = rng.uniform(0.3, 2.0) * np.sin(phase / 2 + rng.normal(0, 0.5))
        out[:3] += (fade * (bounce * gravity[:, None] + push * ahead[:, None])).astype(np.float32)
        size = float(np.linalg.norm(level[:3]))
        out[:3] += (size * np.sin(swing) * ahead[:, None]).astype(np.float32)
        if len(level) == 6:
            turning = np.degrees(np.gradient(swing)) * self.rate_hz
            out[3:] += (-turning * across[:, None]).astype(np.float32)
        return out

    def fidget(self, level) -> tuple[np.ndarray, np.ndarray]:
        """Two to six strokes that run into each other, each the way of a hand to somewhere."""
        rng = self.rng
        parts = []
        for _ in range(rng.integers(2, 7)):
            target = self.elsewhere(level, 30)
            parts.append(self.carry(level, target))
            level = target
            if rng.random() < 0.3:
                parts.append(self.rest(level, max(2, round(rng.uniform(0.05, 0.5) * self.rate_hz))))
        overlap = max(1, round(0.1 * self.rate_hz))
        out = parts[0]
        for x in parts[1:]:
            m = min(overlap, x.shape[1], out.shape[1])
            mix = np.linspace(0, 1, m, dtype=np.float32)
            both = out[:, -m:] * (1 - mix) + x[:, :m] * mix
            out = np.concatenate([out[:, :-m], both, x[:, m:]], axis=1)
        return out, level


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a x b of two (3,); np.cross takes twenty times as long for so few values."""
    (p, q, r), (u, v, w) = a.tolist(), b.tolist()
    return np.array([q * w - r * v, r * u - p * w, p * v - q * u])


def resampled(x: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values of x (axes, n) at the fractional samples `at`, float32."""
    i = np.minimum(at.astype(int), x.shape[1] - 1)
    j = np.minimum(i + 1, x.shape[1] - 1)
    part = (at - i).astype(np.float32)
    return x[:, i] + (x[:, j] - x[:, i]) * part


def smoothed(x: np.ndarray) -> np.ndarray:
    padded = np.concatenate([x[:, :1], x, x[:, -1:]], axis=1)
    return (padded[:, :-2] + 2 * x + padded[:, 2:]) / 4


def any_rotation(rng, spread_deg: float) -> np.ndarray:
    """float32 (3, 3): random axis, angle N(0, spread_deg)."""
    axis = rng.normal(size=3)
    return _rotation(axis / np.linalg.norm(axis), np.radians(rng.normal(0, spread_deg)))


def rotation_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest rotation that turns a (3,) to b (3,); none where one of them is nothing."""
    sizes = np.linalg.norm(a), np.linalg.norm(b)
    axis = cross(a, b)
    sine = float(np.linalg.norm(axis))
    if min(sizes) < 1e-3 or sine < 1e-6 * sizes[0] * sizes[1]:
        return np.eye(3, dtype=np.float32)
    return _rotation(axis / sine, np.arctan2(sine, a @ b))


def rotation_about(axis: np.ndarray, degrees: float) -> np.ndarray:
    """float32 (3, 3); none about an axis (3,) that is nothing."""
    size = float(np.linalg.norm(axis))
    if size < 1e-3:
        return np.eye(3, dtype=np.float32)
    return _rotation(axis / size, np.radians(degrees))


def mirrored(x: np.ndarray, axis: int) -> np.ndarray:
    """x (axes, n) as in a mirror across that axis of the sensor.

    Acceleration changes its sign along it; turning, an axial vector, along the two others.
    """
    out = x.copy()
    out[axis] *= -1
    out[[3 + k for k in range(len(x) - 3) if k != axis]] *= -1
    return out


def _rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    x, y, z = axis
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return (np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)).astype(np.float32)
