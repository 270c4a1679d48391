"""From movement to int16 counts: errors of the part, noise, filter, range.

The digital low-pass filter is modelled as one pole whose -3 dB point is the
bandwidth of the register map's table, behind a pure delay that makes up what is
missing to the table's delay. (The table's gyro delays are those of one pole plus
about 2 ms.) The real filter's order is not documented.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from host_tools.simulator.sensor.tables import Filter
from host_tools.units import GRAVITY

ACCEL_NOISE_G = 300e-6  # g per root Hz, PS table 2
GYRO_NOISE_DPS = 0.01  # deg/s per root Hz, PS table 1
POLE_NOISE = np.pi / 2  # noise bandwidth of one pole over its -3 dB bandwidth


@dataclass
class PartErrors:
    """What is wrong with one part; the default is a perfect one.

    The limits of a real one (PS tables 1, 2): gyro bias +-5 deg/s and
    +-0.24 deg/s per degree, accelerometer bias +-0.06 g and 0.64..1 mg per degree,
    both scales +-3 %. Temperatures count from 25 degrees.
    noise: times the data sheet's noise density.
    """

    gyro_bias_dps: tuple[float, float, float] = (0.0, 0.0, 0.0)
    accel_bias_g: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gyro_scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    accel_scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gyro_drift_dps_per_c: tuple[float, float, float] = (0.0, 0.0, 0.0)
    accel_drift_g_per_c: tuple[float, float, float] = (0.0, 0.0, 0.0)
    noise: float = 0.0


@dataclass(frozen=True)
class ChainSettings:
    """What the registers say about the way of a sample; equal settings, equal way.

    offset_counts: added before clipping, six numbers in counts of the range
    (offset registers and self-test response).
    """

    accel_lsb_per_g: float
    gyro_lsb_per_dps: float
    accel_filter: Filter
    gyro_filter: Filter
    offset_counts: tuple[float, ...] = field(default=(0.0,) * 6)


def pole(bandwidth_hz: float, rate_hz: float) -> float:
    """a in y += (1 - a) (x - y) such that the gain at bandwidth_hz is -3 dB."""
    c = 2 - np.cos(2 * np.pi * min(bandwidth_hz / rate_hz, 0.49))
    return float(c - np.sqrt(c * c - 1))


class SignalChain:
    """Counts at any times of the sensor's clock, in blocks that follow each other."""

    def __init__(
        self, movement: Any, errors: PartErrors, filters: bool, rng: np.random.Generator
    ) -> None:
        self.movement = movement
        self.errors = errors
        self.filters = filters
        self.temperature_c = 25.0
        self._rng = rng
        self._next_us: float | None = None  # the filter's state belongs to this time
        self._settings: ChainSettings | None = None
        self._y = np.zeros(6)

    def counts(
        self, first_us: float, period_us: float, n: int, zero_us: float | None, s: ChainSettings
    ) -> NDArray[np.int16]:
        """n samples from first_us on, period_us apart: int16 (n, 6).

        zero_us: the board's time of the movement's time zero; None: not begun.
        """
        t_us = first_us + period_us * np.arange(n)
        values = (
            self._filtered(t_us, period_us, zero_us, s)
            if self.filters
            else self._physical(t_us, zero_us, self._plain_sigma(s))
        )
        scale = np.array([s.accel_lsb_per_g] * 3 + [s.gyro_lsb_per_dps] * 3)
        counts = np.rint(values * scale + np.array(s.offset_counts))
        return np.clip(counts, -32768, 32767).astype(np.int16)

    @staticmethod
    def _plain_sigma(s: ChainSettings) -> NDArray[np.float64]:
        accel = ACCEL_NOISE_G * np.sqrt(POLE_NOISE * s.accel_filter.bandwidth_hz)
        gyro = GYRO_NOISE_DPS * np.sqrt(POLE_NOISE * s.gyro_filter.bandwidth_hz)
        return np.array([accel] * 3 + [gyro] * 3)

    def _physical(self, t_us, zero_us, sigma) -> NDArray[np.float64]:
        """The part's answer in g and deg/s, noise of `sigma` (6,) at noise = 1 included."""
        e = self.errors
        t_s = np.zeros(len(t_us)) if zero_us is None else np.maximum(t_us - zero_us, 0.0) * 1e-6
        moved = self.movement.sample(t_s)
        values = moved / np.array([GRAVITY] * 3 + [1.0] * 3)
        warm = self.temperature_c - 25.0
        scale = np.array(e.accel_scale + e.gyro_scale)
        bias = np.array(e.accel_bias_g + e.gyro_bias_dps)
        bias = bias + warm * np.array(e.accel_drift_g_per_c + e.gyro_drift_dps_per_c)
        values = values * scale + bias
        noise = np.full((len(t_us), 1), e.noise)
        duration = getattr(self.movement, "duration_s", None)
        if duration is not None and e.noise == 0:
            # No sensor repeats one value forever, and a driver must take one that does for
            # frozen. A recording does so after its end, and where it was rounded or padded.
            noise[(t_s > duration) | self._stands_still(moved, t_s)] = 1.0
        if noise.any():
            values = values + noise * sigma * self._rng.standard_normal(values.shape)
        return values

    def _stands_still(self, moved, t_s) -> NDArray[np.bool_]:
        """(n,): whether the movement says to the letter what it said twice in the last 0.1 s."""
        same = t_s >= 0.1
        for before_s in (0.05, 0.1):
            past = self.movement.sample(np.maximum(t_s - before_s, 0.0))
            same &= (moved == past).all(axis=1)
        return same

    def _filtered(self, t_us, period_us, zero_us, s) -> NDArray[np.float64]:
        rate_hz = max(s.accel_filter.rate_hz, s.gyro_filter.rate_hz)
        steps = max(1, round(period_us * rate_hz / 1e6))
        step_us = period_us / steps
        a_accel = pole(s.accel_filter.bandwidth_hz, rate_hz)
        a_gyro = pole(s.gyro_filter.bandwidth_hz, rate_hz)
        lag_accel = s.accel_filter.delay_ms * 1e3 - a_accel / (1 - a_accel) * step_us
        lag_gyro = s.gyro_filter.delay_ms * 1e3 - a_gyro / (1 - a_gyro) * step_us
        half_rate = rate_hz / 2
        sigma = np.array(
            [ACCEL_NOISE_G * np.sqrt(half_rate)] * 3 + [GYRO_NOISE_DPS * np.sqrt(half_rate)] * 3
        )
        before = 0
        if self._settings != s or self._next_us is None or abs(self._next_us - t_us[0]) > 1:
            # Not where the last block ended: let the filter settle to 1e-4 first.
            before = int(np.ceil(9.2 / -np.log(max(a_accel, a_gyro))))
        total = (len(t_us) - 1) * steps + 1
        grid = t_us[0] + step_us * np.arange(-before - (steps - 1), total)
        x = np.empty((len(grid), 6))
        x[:, :3] = self._physical(grid - lag_accel, zero_us, sigma)[:, :3]
        x[:, 3:] = self._physical(grid - lag_gyro, zero_us, sigma)[:, 3:]
        a = np.array([a_accel] * 3 + [a_gyro] * 3)
        b = 1 - a
        y = x[0].copy() if before else self._y
        out = np.empty((len(t_us), 6))
        skip = before + steps - 1
        for i in range(len(grid)):
            y = a * y + b * x[i]
            k = i - skip
            if k >= 0 and k % steps == 0:
                out[k // steps] = y
        self._y = y
        self._settings = s
        self._next_us = t_us[-1] + period_us
        return out
