"""Movement that is no gesture, made up or cut from gestures.

A classifier that never saw anything else but gestures calls everything one.
What real life offers is endless; these are the kinds that every wearer makes:
holding still, tilting slowly, little pushes, knocks of a table, half a
gesture, a gesture backwards, two gestures stuck together.

rest: float32 (n, 6), what the sensor reads when it is held still (gravity as
held, zero-point of the gyroscope). All results are float32 (n, length, 6) in
m/s^2 and deg/s.
"""
from __future__ import annotations

import numpy as np


def still(rng, rest: np.ndarray, length: int, accel: float = 0.08, gyro: float = 1.0):
    """At rest in the hand: rest plus tremor, a slow wave and white noise."""
    n, axes = rest.shape
    level = np.repeat(np.float32([accel, gyro]), 3)[:axes]
    level = level * np.exp(rng.normal(0, 0.7, (n, 1))).astype(np.float32)
    out = np.repeat(rest[:, None], length, axis=1)
    out += _wave(rng, n, length, axes, 3) * level[:, None] * 2
    out += rng.standard_normal(out.shape, np.float32) * level[:, None]
    return out


def tilt(rng, rest: np.ndarray, length: int, rate_hz: float, turn_deg: float = 60.0):
    """Slowly turned in the hand by up to turn_deg, gravity and gyroscope agreeing.

    A body that turns at w sees a fixed direction move by dg/dt = -w x g.
    """
    n, axes = rest.shape
    out = still(rng, rest, length)
    axis = rng.normal(size=(n, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    course = _wave(rng, n, length, 1, 2)[..., 0]
    course *= np.radians(turn_deg * rng.uniform(0.05, 1, (n, 1)) ** 2) / 2
    g = rest[:, None, :3].astype(np.float64)
    k = axis[:, None]
    cos, sin = np.cos(-course)[..., None], np.sin(-course)[..., None]
    turned = g * cos + np.cross(k, g) * sin + k * (k * g).sum(-1, keepdims=True) * (1 - cos)
    out[..., :3] += (turned - g).astype(np.float32)
    if axes == 6:
        speed = np.degrees(np.gradient(course, axis=1)) * rate_hz
        out[..., 3:] += (speed[..., None] * k).astype(np.float32)
    return out


def push(rng, windows: np.ndarray, rate_hz: float, accel: float = 4.0) -> np.ndarray:
    """A short push somewhere in each window: 80 to 350 ms, up to `accel` m/s^2, there and back.

    With it comes a little turning, as a hand is no rail.
    """
    n, length, axes = windows.shape
    t = np.arange(length)[None] / rate_hz
    half = rng.uniform(0.08, 0.35, (n, 1)) / 2
    centre = rng.uniform(0, length / rate_hz, (n, 1))
    x = np.clip((t - centre) / half, -1, 1)
    lone = rng.random((n, 1)) < 0.5  # one bump, or the braking half as well
    shape = np.where(lone, np.cos(np.pi * x / 2) ** 2, np.sin(np.pi * x)).astype(np.float32)
    way = rng.normal(size=(n, 1, axes)).astype(np.float32)
    way[..., :3] *= accel / 2 * rng.random((n, 1, 1), np.float32)
    way[..., 3:] *= 10 * rng.random((n, 1, 1), np.float32)
    return windows + shape[..., None] * way


def knock(rng, windows: np.ndarray, accel: float = 12.0) -> np.ndarray:
    """The board is set down or the table hit: one to four spikes, one or two samples long."""
    n, length, axes = windows.shape
    out = windows.copy()
    for _ in range(4):
        at = rng.integers(0, length, n)
        hit = rng.random(n) < 0.5
        size = rng.normal(size=(n, axes)).astype(np.float32)
        size[:, :3] *= accel / 2 * rng.random((n, 1), np.float32)
        size[:, 3:] *= 40 * rng.random((n, 1), np.float32)
        rows = np.arange(n)[hit]
        out[rows, at[hit]] += size[hit]
        out[rows, np.minimum(at[hit] + 1, length - 1)] -= size[hit] * 0.6
    return out


def reverse(windows: np.ndarray) -> np.ndarray:
    """Backwards in time: accelerations keep their sign, turning changes it."""
    out = windows[:, ::-1].copy()
    out[..., 3:] *= -1
    return out


def splice(rng, first: np.ndarray, second: np.ndarray, fade: int = 4) -> np.ndarray:
    """The beginning of one window, then the end of another, cross-faded over `fade` samples."""
    n, length, _ = first.shape
    cut = rng.uniform(0.3, 0.7, (n, 1)) * length
    mix = np.clip((np.arange(length)[None] - cut) / fade + 0.5, 0, 1).astype(np.float32)[..., None]
    return first * (1 - mix) + second * mix


def _wave(rng, n: int, length: int, axes: int, waves: int) -> np.ndarray:
    """Smooth random courses float32 (n, length, axes), about -1..1."""
    phase = np.linspace(0, 2 * np.pi, length, dtype=np.float32)[None, :, None]
    out = np.zeros((n, length, axes), np.float32)
    for _ in range(waves):
        turns = rng.uniform(0.1, 1.5, (n, 1, axes)).astype(np.float32)
        start = rng.uniform(0, 2 * np.pi, (n, 1, axes)).astype(np.float32)
        out += np.sin(turns * phase + start)
    return out / waves
