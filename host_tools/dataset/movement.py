"""Where in a labelled span the movement is: people label generously, or whole recordings."""
from __future__ import annotations

import numpy as np

_ACCEL = 1.2  # m/s^2 and
_GYRO = 25.0  # deg/s: levels that a resting hand stays below
_SMOOTH_MS = 100.0
_SHARE = 0.12  # of the span's strongest moment; a gentle end still counts


def activity(samples: np.ndarray, rate_hz: float) -> np.ndarray:
    """How much each sample moves, float32 (n,): 1 is as much as a resting hand may.

    Acceleration is counted against its median, so neither gravity nor its
    calibration matters; turning as it is.
    """
    level = np.linalg.norm(samples[:, :3] - np.median(samples[:, :3], axis=0), axis=1) / _ACCEL
    if samples.shape[1] == 6:
        turn = samples[:, 3:] - np.median(samples[:, 3:], axis=0)
        level = np.hypot(level, np.linalg.norm(turn, axis=1) / _GYRO)
    width = max(1, round(_SMOOTH_MS * rate_hz / 1000))
    padded = np.pad(level, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid").astype(np.float32)


def find_movement(samples: np.ndarray, rate_hz: float, start: int, end: int) -> tuple[int, int]:
    """First and last + 1 moving sample inside [start, end); the whole span if nothing moves."""
    level = activity(samples[start:end], rate_hz)
    if not len(level):
        return start, end
    moving = np.flatnonzero(level > max(1.0, _SHARE * float(level.max())))
    if len(moving) < 2:
        return start, end
    return start + int(moving[0]), start + int(moving[-1]) + 1
