"""Augmentation of values: the same movement measured by another hand or another sensor.

windows: float32 (n, length, 6), ax ay az in m/s^2 with gravity, gx gy gz in
deg/s. Every function returns new windows. Three axes (no gyroscope) work too.
"""
from __future__ import annotations

import numpy as np

_STANDARD_GRAVITY = 9.80665  # m/s^2


def tempo(windows: np.ndarray, factor: np.ndarray, share: float = 1.0) -> np.ndarray:
    """Values of a movement that is `factor` times as fast: turning * f, acceleration * f^2.

    Only what differs from the window's mean acceleration (nearly gravity) is
    scaled. share: 0 leaves the values, 1 is the full law of motion.
    """
    f = (factor**share).astype(np.float32)[:, None, None]
    out = windows.copy()
    rest = windows[..., :3].mean(axis=1, keepdims=True)
    out[..., :3] = rest + (windows[..., :3] - rest) * f * f
    out[..., 3:] *= f
    return out


def scale(windows: np.ndarray, rng, spread: float) -> np.ndarray:
    """A larger, smaller, harder or gentler movement: each sensor's size times exp(N(0, spread))."""
    n = len(windows)
    out = windows.copy()
    size = np.exp(rng.normal(0, spread, (n, 1, 2))).astype(np.float32)
    rest = windows[..., :3].mean(axis=1, keepdims=True)
    out[..., :3] = rest + (windows[..., :3] - rest) * size[..., :1]
    out[..., 3:] *= size[..., 1:]
    return out


def scale_warp(windows: np.ndarray, rng, strength: float) -> np.ndarray:
    """Some parts of the movement stronger than others: a slow wave of gain over time."""
    n, length, _ = windows.shape
    phase = np.linspace(0, 1, length, dtype=np.float32)[None]
    gain = np.zeros((n, length), np.float32)
    for wave in (0.5, 1.0):
        offset = rng.random((n, 1), np.float32)
        gain += rng.normal(0, strength, (n, 1)).astype(np.float32) * np.sin(
            2 * np.pi * (wave * phase + offset)
        )
    gain = np.exp(gain)[..., None]
    out = windows * gain
    rest = windows[..., :3].mean(axis=1, keepdims=True)
    out[..., :3] = rest + (windows[..., :3] - rest) * gain
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


def rotate(windows: np.ndarray, rng, spread_deg: float) -> np.ndarray:
    """The sensor worn or held otherwise: both sensors' axes turned together."""
    r = rotations(rng, len(windows), spread_deg).transpose(0, 2, 1)
    return np.concatenate(
        [windows[..., i : i + 3] @ r for i in range(0, windows.shape[2], 3)], axis=2
    )


def bias(windows: np.ndarray, rng, accel: float, gyro: float) -> np.ndarray:
    """Zero-point errors of another sensor: constant N(0, accel) m/s^2 and N(0, gyro) deg/s."""
    n, _, axes = windows.shape
    level = np.repeat(np.float32([accel, gyro]), 3)[:axes]
    return windows + rng.normal(size=(n, 1, axes)).astype(np.float32) * level


def drift(windows: np.ndarray, rng, accel: float, gyro: float) -> np.ndarray:
    """Zero points that wander by N(0, accel) and N(0, gyro) over the window (warming up)."""
    n, length, axes = windows.shape
    level = np.repeat(np.float32([accel, gyro]), 3)[:axes]
    slope = rng.normal(size=(n, 1, axes)).astype(np.float32) * level
    return windows + slope * np.linspace(-0.5, 0.5, length, dtype=np.float32)[None, :, None]


def noise(windows: np.ndarray, rng, accel: float, gyro: float) -> np.ndarray:
    """Sensor noise and tremor: white, N(0, accel) m/s^2 and N(0, gyro) deg/s a sample."""
    level = np.repeat(np.float32([accel, gyro]), 3)[: windows.shape[-1]]
    return windows + rng.standard_normal(windows.shape, np.float32) * level


def smooth(windows: np.ndarray, rng, chance: float) -> np.ndarray:
    """With this chance a 1-2-1 low-pass: data sets differ in filter and original rate,
    and smoothness must not tell the classes apart."""
    out = windows.copy()
    chosen = np.flatnonzero(rng.random(len(windows)) < chance)
    w = windows[chosen]
    padded = np.concatenate([w[:, :1], w, w[:, -1:]], axis=1)
    out[chosen] = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    return out


def clip(windows: np.ndarray, accel_g: float, gyro_dps: float) -> np.ndarray:
    """What the sensor cannot measure beyond its range."""
    limit = np.repeat(np.float32([accel_g * _STANDARD_GRAVITY, gyro_dps]), 3)[: windows.shape[-1]]
    return np.clip(windows, -limit, limit)
