"""How much a hand moves, whatever its attitude: 1 is as much as a resting hand may.

Acceleration is compared with what it was LAG_S ago, so that gravity does not count
however the hand is held; turning counts as it is. A hand that rests in another
attitude after a gesture is at rest.
"""
from __future__ import annotations

import numpy as np

JERK = 1.5  # m/s^2 within LAG_S, and
TURN = 25.0  # deg/s: levels that a resting hand stays below
LAG_S = 0.12
MEAN_S = 0.08  # two frames at 25 Hz


def energy(samples: np.ndarray, rate_hz: float) -> np.ndarray:
    """float32 (n,) for samples (axes, n), m/s^2 and deg/s: what is known when each arrives."""
    level = _level(samples, max(1, round(LAG_S * rate_hz)))
    width = max(1, round(MEAN_S * rate_hz))
    padded = np.concatenate([np.full(width - 1, level[0]), level])
    return np.convolve(padded, np.ones(width) / width, mode="valid").astype(np.float32)


def centred_energy(samples: np.ndarray, rate_hz: float) -> np.ndarray:
    """The same without delay: each sample is the middle of what is compared."""
    lag = max(1, round(LAG_S * rate_hz))
    level = _level(samples, lag, ahead=lag // 2)
    width = max(1, round(MEAN_S * rate_hz)) | 1
    padded = np.pad(level, width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid").astype(np.float32)


def _level(samples: np.ndarray, lag: int, ahead: int = 0) -> np.ndarray:
    accel = samples[:3]
    n = accel.shape[1]
    later = np.minimum(np.arange(n) + ahead, n - 1)
    before = np.maximum(np.arange(n) + ahead - lag, 0)
    jerk = np.linalg.norm(accel[:, later] - accel[:, before], axis=0) / JERK
    if len(samples) < 6:
        return jerk
    return np.hypot(jerk, np.linalg.norm(samples[3:], axis=0) / TURN)


def moving_part(samples: np.ndarray, rate_hz: float, least_share: float = 0.12) -> tuple[int, int]:
    """First and last + 1 moving sample of (axes, n); all of them if nothing moves.

    least_share: of the strongest moment, so that a sensor that shakes all the time, or a
    hand that never rests, still has a beginning and an end.
    """
    level = centred_energy(samples, rate_hz)
    moving = np.flatnonzero(level > max(1.0, least_share * float(level.max())))
    if len(moving) < 2:
        return 0, samples.shape[1]
    return int(moving[0]), int(moving[-1]) + 1
