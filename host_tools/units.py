"""Counts of the MPU-6500 and physical units: the chip's table, and what 1 g is.

The only place that turns one into the other. Recorder, training, evaluation and the
simulated sensor all use it, so a recording holds the very counts that the board saw.
PS is the product specification PS-MPU-6500A-01 rev 1.3.
"""

from __future__ import annotations

import numpy as np

from host_tools.errors import BeckonError

GRAVITY = 9.80665  # m/s^2 in 1 g, ISO 80000-3
ACCEL_UNITS = {"m/s2": 1.0, "g": GRAVITY, "mg": GRAVITY / 1000}  # factors to m/s^2
GYRO_UNITS = {"dps": 1.0, "rad/s": 180 / np.pi, "mdps": 0.001}  # factors to deg/s
TIME_UNITS = {"ms": 1.0, "s": 1000.0, "us": 0.001, "ns": 1e-6}  # factors to ms
COUNT_MIN, COUNT_MAX = -32768, 32767
ACCEL_COUNTS_PER_G = {2: 16384.0, 4: 8192.0, 8: 4096.0, 16: 2048.0}  # by range in g, PS table 2
GYRO_COUNTS_PER_DPS = {250: 131.0, 500: 65.5, 1000: 32.8, 2000: 16.4}  # by deg/s, PS table 1


def accel_factor(unit: str) -> float:
    """m/s^2 in 1 of the unit: one of ACCEL_UNITS, or counts:N for N counts per g.

    Raises BeckonError.
    """
    return _factor(unit, ACCEL_UNITS, GRAVITY, "counts per g, such as counts:16384")


def gyro_factor(unit: str) -> float:
    """deg/s in 1 of the unit: one of GYRO_UNITS, or counts:N for N counts per deg/s.

    Raises BeckonError.
    """
    return _factor(unit, GYRO_UNITS, 1.0, "counts per deg/s, such as counts:131")


def _factor(unit: str, units: dict[str, float], whole: float, counts: str) -> float:
    if unit in units:
        return units[unit]
    kind, _, number = unit.partition(":")
    try:
        scale = float(number) if kind == "counts" else 0.0
    except ValueError:
        scale = 0.0
    if not 0.001 <= scale <= 1e6:
        raise BeckonError("unit {unit!r}: name one of {units}, or {counts}", status=2, unit=unit,
                          units=", ".join(units), counts=counts)
    return whole / scale


def accel_counts(accel_g: float) -> float:
    """Counts per m/s^2 at this range (g). Raises BeckonError for one that the chip lacks."""
    return _of(ACCEL_COUNTS_PER_G, accel_g, "accelerometer", "g") / GRAVITY


def gyro_counts(gyro_dps: float) -> float:
    """Counts per deg/s at this range (deg/s). Raises BeckonError for one that the chip lacks."""
    return _of(GYRO_COUNTS_PER_DPS, gyro_dps, "gyroscope", "deg/s")


def counts_per_unit(accel_g: float, gyro_dps: float) -> np.ndarray:
    """float64 (6,): counts per m/s^2 and per deg/s, in the order ax ay az gx gy gz."""
    return np.repeat([accel_counts(accel_g), gyro_counts(gyro_dps)], 3)


def sensor_ranges(counts_per_g: float, counts_per_dps: float) -> tuple[int, int]:
    """(g, deg/s): the ranges at which the chip has these scales. ValueError for others."""
    for accel_g, accel in ACCEL_COUNTS_PER_G.items():
        for gyro_dps, gyro in GYRO_COUNTS_PER_DPS.items():
            if (accel, gyro) == (counts_per_g, counts_per_dps):
                return accel_g, gyro_dps
    raise ValueError(f"{counts_per_g} per g and {counts_per_dps} per deg/s")


def to_counts(samples: np.ndarray, accel_g: float, gyro_dps: float) -> np.ndarray:
    """What the sensor delivers: int16 (n, 6) for samples (n, 3 or 6) in m/s^2 and deg/s.

    A gyroscope that samples lack reads 0. Values beyond the range clip.
    """
    n, axes = samples.shape
    scale = counts_per_unit(accel_g, gyro_dps)[:axes]
    raw = np.zeros((n, 6), np.int16)
    raw[:, :axes] = np.clip(np.rint(samples * scale), COUNT_MIN, COUNT_MAX)
    return raw


def at_limit(counts: np.ndarray) -> np.ndarray:
    """bool (n,): where any axis of counts (n, axes) stands at the end of the sensor's range."""
    return ((counts == COUNT_MAX) | (counts == COUNT_MIN)).any(axis=1)


def _of(table: dict[int, float], full_scale: float, sensor: str, unit: str) -> float:
    try:
        return table[full_scale]  # type: ignore[index]  # 4.0 finds 4
    except KeyError:
        ranges = ", ".join(map(str, table))
        raise BeckonError(
            "the {sensor} has no range of {full_scale} {unit}; choose one of {ranges}",
            sensor=sensor, full_scale=full_scale, unit=unit, ranges=ranges) from None
