"""What the simulated sensor feels, as a function of time.

A movement is any object with

    sample(t_s) -> float array (n, 6)    for t_s : float array (n,), seconds, rising

that gives ax ay az in m/s^2 with gravity and gx gy gz in deg/s. Optional:
`duration_s` (when it is over; missing or None: never) and `filtered` (True when
the values come out of a sensor's own filter already).
"""
from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host_tools.units import GRAVITY


class RecordedMovement:
    """A recording, interpolated linearly; its first and last samples hold outside.

    t_ms : (n,) milliseconds, strictly rising. The first one is time zero.
    values : (n, 6) or (n, 3), m/s^2 and deg/s; a missing gyroscope reads 0.

    At a sample's own time its values come out exactly.
    Raises ValueError for another shape, for no samples, for times that do not
    rise and for values that are not finite.
    """

    filtered = True

    def __init__(self, t_ms: ArrayLike, values: ArrayLike) -> None:
        t = np.asarray(t_ms, dtype=float)
        v = np.asarray(values, dtype=float)
        if t.ndim != 1 or v.ndim != 2 or v.shape[1] not in (3, 6) or len(t) != len(v):
            raise ValueError(
                f"a recording is times (n,) and values (n, 6), not {t.shape} and {v.shape}"
            )
        if len(t) == 0:
            raise ValueError("the recording has no samples")
        if not (np.isfinite(t).all() and np.isfinite(v).all()):
            raise ValueError("the recording holds values that are not finite")
        if len(t) > 1 and not (np.diff(t) > 0).all():
            raise ValueError("the recording's times do not rise")
        if v.shape[1] == 3:
            v = np.hstack([v, np.zeros_like(v)])
        self._t = (t - t[0]) * 1e-3
        self._v = v
        self.duration_s = float(self._t[-1])

    def sample(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The movement at t_s (n,) seconds: (n, 6)."""
        t, v = self._t, self._v
        if len(t) == 1:
            return np.repeat(v, len(t_s), axis=0)
        # A time within a nanosecond of a sample is that sample: interpolation is
        # off by rounding, and a value halfway between two counts could then
        # become the other one.
        near = np.clip(np.searchsorted(t, t_s - 1e-9), 0, len(t) - 1)
        x = np.where(np.abs(t[near] - t_s) < 1e-9, t[near], np.clip(t_s, 0.0, t[-1]))
        left = np.minimum(np.searchsorted(t, x, side="right") - 1, len(t) - 2)
        part = ((x - t[left]) / (t[left + 1] - t[left]))[:, None]
        between = v[left] + (v[left + 1] - v[left]) * part
        return np.where(part == 1, v[left + 1], between)


class Rest:
    """Lying still. accel_g: the direction of gravity in g; rate_dps: a steady rotation."""

    filtered = False
    duration_s = None

    def __init__(self, accel_g=(0.0, 0.0, 1.0), rate_dps=(0.0, 0.0, 0.0)) -> None:
        self._row = np.array([a * GRAVITY for a in accel_g] + list(rate_dps), dtype=float)

    def sample(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.repeat(self._row[None, :], len(t_s), axis=0)


class Sines:
    """Six sines at different frequencies: every sample differs from the last, on all axes.

    frequency_hz: of ax; the others lie a little above. accel_g, gyro_dps: amplitudes.
    """

    filtered = False
    duration_s = None

    def __init__(self, frequency_hz=1.3, accel_g=1.5, gyro_dps=300.0) -> None:
        self._w = 2 * np.pi * frequency_hz * np.array([1, 1.13, 1.31, 1.43, 1.61, 1.87])
        self._a = np.array([accel_g * GRAVITY] * 3 + [gyro_dps] * 3)
        self._offset = np.array([0, 0, GRAVITY, 0, 0, 0])

    def sample(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._offset + self._a * np.sin(np.outer(t_s, self._w) + np.arange(6))
