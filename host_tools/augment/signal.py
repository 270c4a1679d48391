"""Augmentation of values: the same movement measured by another hand or another sensor.

windows: float32 (axes, n, length), ax ay az in m/s^2 with gravity and, with
six axes, gx gy gz in deg/s: axis by axis, since NumPy is slow over short last
axes. Every function returns new windows and changes nothing of its arguments.
"""
from __future__ import annotations

import numpy as np

from host_tools.units import GRAVITY

# Gains multiply what differs from the window's mean acceleration (nearly
# gravity) and the turning rate as it is. They are made first, combined by
# multiplying, and applied in one pass by amplify().


def tempo_gains(factor: np.ndarray):
    """Gains (accel, gyro), each (n, 1), of a movement `factor` times as fast.

    Turning grows by f, acceleration by f^2.
    """
    f = factor.astype(np.float32)[:, None]
    return f * f, f


def size_gains(rng, n: int, spread: float):
    """A larger, smaller, harder or gentler movement: exp(N(0, spread)) for each sensor."""
    size = np.exp(rng.normal(0, spread, (2, n, 1))).astype(np.float32)
    return size[0], size[1]


def amplify(windows: np.ndarray, accel: np.ndarray, gyro: np.ndarray) -> np.ndarray:
    """Apply gains (n, 1) or (n, length): acceleration about its mean, turning about 0."""
    out = np.empty_like(windows)
    for axis, w in enumerate(windows):
        if axis < 3:
            rest = w.mean(axis=1, keepdims=True)
            out[axis] = rest + (w - rest) * accel
        else:
            out[axis] = w * gyro
    return out


def stretch(windows: np.ndarray, rng, spread: float) -> np.ndarray:
    """The movement drawn wider, taller or deeper: each axis' size times exp(N(0, spread))."""
    out = windows.copy()
    gains = np.exp(rng.normal(0, spread, (*windows.shape[:2], 1))).astype(np.float32)
    rest = windows[:3].mean(axis=2, keepdims=True)
    out[:3] = rest + (windows[:3] - rest) * gains[:3]
    out[3:] *= gains[3:]
    return out


def rotations(rng, n: int, spread_deg: float) -> np.ndarray:
    """n rotation matrices float32 (n, 3, 3): random axis, angle N(0, spread_deg).

    Rodrigues: R = 1 + sin(a) K + (1 - cos(a)) K^2, K the axis' cross-product matrix.
    """
    axis = rng.normal(size=(n, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.radians(rng.normal(0, spread_deg, n))[:, None, None]
    k = np.zeros((n, 3, 3))
    k[:, 0, 1], k[:, 0, 2], k[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    k -= k.transpose(0, 2, 1)
    return (np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)).astype(np.float32)


def rotations_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest rotations that turn directions a (n, 3) to b (n, 3), float32 (n, 3, 3).

    With v = a x b and c = a . b, of unit length: 1 + [v] + [v]^2 / (1 + c). None at all
    where they are nearly opposite, since no shortest one exists there.
    """
    a = a / np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-6)
    b = b / np.maximum(np.linalg.norm(b, axis=1, keepdims=True), 1e-6)
    v, c = np.cross(a, b), (a * b).sum(axis=1)
    k = np.zeros((len(a), 3, 3))
    k[:, 0, 1], k[:, 0, 2], k[:, 1, 2] = -v[:, 2], v[:, 1], -v[:, 0]
    k -= k.transpose(0, 2, 1)
    out = np.eye(3) + k + (k @ k) / np.maximum(1 + c, 0.05)[:, None, None]
    return np.where((c > -0.9)[:, None, None], out, np.eye(3)).astype(np.float32)


def rotate(windows: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """The sensor worn or held otherwise: both sensors' axes turned together.

    matrices: (n, 3, 3), as from rotations().
    """
    out = np.empty_like(windows)
    for sensor in range(0, len(windows), 3):
        for i in range(3):
            out[sensor + i] = sum(
                matrices[:, i, j, None] * windows[sensor + j] for j in range(3)
            )
    return out


def bias(windows: np.ndarray, rng, accel: float, gyro: float) -> np.ndarray:
    """Zero-point errors of another sensor: constant N(0, accel) m/s^2 and N(0, gyro) deg/s."""
    return windows + _each(rng, windows, accel, gyro)


def noise(windows: np.ndarray, rng, accel: float, gyro: float) -> np.ndarray:
    """Sensor noise and tremor: white, N(0, accel) m/s^2 and N(0, gyro) deg/s a sample."""
    level = np.array([accel] * 3 + [gyro] * 3, np.float32)[: len(windows), None, None]
    return windows + rng.standard_normal(windows.shape, np.float32) * level


def _each(rng, windows: np.ndarray, accel: float, gyro: float) -> np.ndarray:
    axes, n, _ = windows.shape
    level = np.array([accel] * 3 + [gyro] * 3, np.float32)[:axes, None, None]
    return rng.standard_normal((axes, n, 1), np.float32) * level


def smooth(windows: np.ndarray, rng, chance: float) -> np.ndarray:
    """With this chance a 1-2-1 low-pass: data sets differ in filter and original rate,
    and smoothness must not distinguish the classes."""
    out = windows.copy()
    chosen = np.flatnonzero(rng.random(windows.shape[1]) < chance)
    w = windows[:, chosen]
    padded = np.concatenate([w[..., :1], w, w[..., -1:]], axis=2)
    out[:, chosen] = (padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]) / 4
    return out


def clip(windows: np.ndarray, accel_g: float, gyro_dps: float) -> np.ndarray:
    """What the sensor cannot measure beyond its range. windows: axes first, any shape."""
    limit = np.array([accel_g * GRAVITY] * 3 + [gyro_dps] * 3, np.float32)
    limit = limit[: len(windows)]
    limit = limit.reshape(-1, *[1] * (windows.ndim - 1))
    return np.clip(windows, -limit, limit)
