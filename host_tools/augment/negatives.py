"""Movement that is not a gesture, made up or cut from gestures.

A classifier that never saw anything else but gestures calls everything one.
What real life offers is endless; these are the kinds that every wearer makes:
holding still, tilting slowly, little pushes, knocks of a table, a gesture
backwards.

rest: float32 (axes, n), what the sensor reads when it is held still (gravity
as held, zero points of the gyroscope). Results are float32 (axes, n, length)
in m/s^2 and deg/s.
"""
from __future__ import annotations

import numpy as np


def _levels(axes: int, accel: float, gyro: float) -> np.ndarray:
    return np.array([accel] * 3 + [gyro] * 3, np.float32)[:axes, None, None]


def still(rng, rest: np.ndarray, length: int, accel: float = 0.08, gyro: float = 1.0):
    """At rest in the hand: rest plus tremor, a slow wave and white noise."""
    axes, n = rest.shape
    level = _levels(axes, accel, gyro) * np.exp(rng.normal(0, 0.7, (1, n, 1))).astype(np.float32)
    out = rest[..., None] + 2 * level * _wave(rng, axes, n, length, 3)
    return out + level * rng.standard_normal(out.shape, np.float32)


def tilt(rng, rest: np.ndarray, length: int, rate_hz: float, turn_deg: float = 60.0):
    """Slowly turned in the hand by up to turn_deg, gravity and gyroscope agreeing.

    A body that turns at w sees a fixed direction g move by dg/dt = -w x g.
    """
    axes, n = rest.shape
    out = still(rng, rest, length)
    k = rng.normal(size=(n, 3))
    k /= np.linalg.norm(k, axis=1, keepdims=True)
    course = _wave(rng, 1, n, length, 2)[0]
    course *= np.radians(turn_deg * rng.uniform(0.05, 1, (n, 1)) ** 2) / 2
    g = rest[:3].T.astype(np.float64)
    sideways, along = np.cross(k, g), k * (k * g).sum(axis=1, keepdims=True)
    cos, sin = np.cos(-course), np.sin(-course)
    for i in range(3):
        across = (g - along)[:, i, None]
        out[i] += (across * cos + sideways[:, i, None] * sin - across).astype(np.float32)
    if axes == 6:
        speed = np.degrees(np.gradient(course, axis=1)) * rate_hz
        out[3:] += (k.T[..., None] * speed).astype(np.float32)
    return out


def push(rng, windows: np.ndarray, rate_hz: float, accel: float = 4.0) -> np.ndarray:
    """A short push somewhere in each window: 80 to 350 ms, up to `accel` m/s^2, there and back.

    With it comes a little turning, as a hand does not run on rails.
    """
    axes, n, length = windows.shape
    t = np.arange(length)[None] / rate_hz
    half = rng.uniform(0.08, 0.35, (n, 1)) / 2
    centre = rng.uniform(0, length / rate_hz, (n, 1))
    x = np.clip((t - centre) / half, -1, 1)
    lone = rng.random((n, 1)) < 0.5  # one bump, or the braking half as well
    shape = np.where(lone, np.cos(np.pi * x / 2) ** 2, np.sin(np.pi * x)).astype(np.float32)
    way = rng.standard_normal((axes, n, 1), np.float32) * _levels(axes, accel / 2, 10)
    return windows + shape * way * rng.random((1, n, 1), np.float32)


def knock(rng, windows: np.ndarray, accel: float = 12.0) -> np.ndarray:
    """The board is set down or the table hit: one to four spikes, one or two samples long."""
    axes, n, length = windows.shape
    out = windows.copy()
    for _ in range(4):
        rows = np.flatnonzero(rng.random(n) < 0.5)
        at = rng.integers(0, length, len(rows))
        size = rng.standard_normal((axes, len(rows)), np.float32)
        size *= _levels(axes, accel / 2, 40)[..., 0] * rng.random((1, len(rows)), np.float32)
        out[:, rows, at] += size
        out[:, rows, np.minimum(at + 1, length - 1)] -= size * np.float32(0.6)
    return out


def reverse(windows: np.ndarray) -> np.ndarray:
    """Backwards in time: accelerations keep their sign, turning changes it."""
    out = windows[..., ::-1].copy()
    out[3:] *= -1
    return out


def _wave(rng, axes: int, n: int, length: int, waves: int) -> np.ndarray:
    """Smooth random courses float32 (axes, n, length), about -1..1."""
    phase = np.linspace(0, 2 * np.pi, length, dtype=np.float32)
    out = np.zeros((axes, n, length), np.float32)
    for _ in range(waves):
        turns = rng.uniform(0.1, 1.5, (axes, n, 1)).astype(np.float32)
        start = rng.uniform(0, 2 * np.pi, (axes, n, 1)).astype(np.float32)
        out += np.sin(turns * phase + start)
    return out / waves
