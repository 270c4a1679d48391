"""Which units values are in, by the values alone.

    found = judge_units([(samples, rate_hz), ...])

For values as they came: from a file, or from the first seconds of a live line. Gravity gives
the unit of acceleration. That of turn rates follows from how fast gravity turns while a hand
turns and does little else, or from how much a hand turns while it moves: the median of 12
sets of recordings is 36 to 211 deg/s, thus 0.6 to 3.7 rad/s.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from host_tools.dataset.movement import stillest_blocks
from host_tools.units import ACCEL_COUNTS_PER_G, GRAVITY, GYRO_UNITS

_NEAR = 0.15  # of gravity: an accelerometer that nobody calibrated, and a hand that is not still
_NEAR_COUNTS = 0.08  # the ranges' counts are factors of 2 apart, and 1000 (mg) lies between
_LEAST = 3.0  # m/s^2: less than that is not gravity
_STILL = 0.05  # spread within the stillest blocks, as a part of gravity
_TURN_S = 0.2  # turning is compared over so long
_LEAST_TURN = 0.02  # rad in _TURN_S, root mean square: less may be noise
_AGREE = 0.9  # correlation of what the gyroscope predicts with what gravity does
_FACTOR = 1.6  # about how far off the slope may be
_BLOCK_S = 0.25
_MOVING = 0.15  # spread of the acceleration in a block, in g: a hand moves
_FEW, _MANY = 6, 20  # moving blocks that say a little, and that say enough
_RADIANS, _DEGREES = (3.0, 7.0), 12.0  # their median turn rate is below (few, many), above
_MOST, _MILLIS = 600.0, 6000.0  # above what degrees reach, above what only thousandths reach


@dataclass(frozen=True)
class UnitsFound:
    """accel: "m/s2", "g", "mg" or "counts", "" if the values fit none; gyro: "dps", "rad/s",
    "mdps" or "counts", "" if nobody can say, or without gyroscope.

    accel_factor: to m/s^2. rest: |a| in the stillest moments, as it came; still: whether it
    was still. slope: how much gravity turned for each degree that the gyroscope reported, 0 if
    unknown. fault: "" or "zero", "no gravity".
    """

    accel: str
    gyro: str
    accel_factor: float
    rest: float
    still: bool
    slope: float
    fault: str


def judge_units(
    pieces: Iterable[tuple[np.ndarray, float]], gravity: float = 0.0
) -> UnitsFound:
    """pieces: (samples (n, 3 or 6), rate_hz), n at least 2, of one sensor and one unit.

    gravity: in the unit of the samples, if it is known.
    """
    listed = [(np.asarray(x, float), rate_hz) for x, rate_hz in pieces]
    rest, spread = _rest(listed)
    accel, factor, fault = _accel(rest)
    if not any(np.any(x[:, :3]) for x, _ in listed):
        accel, factor, fault = "", 1.0, "zero"
    slope = turning_slope(listed)
    gyro = "counts" if accel == "counts" and listed[0][0].shape[1] == 6 else ""
    if not gyro:
        gyro = _gyro_by_slope(slope) or _gyro_by_size(listed, gravity or (rest if accel else 0))
    return UnitsFound(accel, gyro, factor, rest, spread < _STILL * rest, slope, fault)


def _rest(pieces: Iterable[tuple[np.ndarray, float]]) -> tuple[float, float]:
    """Median |a| of the stillest blocks, and their median spread; 0, 0 if there are none."""
    means, spreads = stillest_blocks(pieces)
    if not len(means):
        return 0.0, 0.0
    return float(np.median(np.linalg.norm(means, axis=1))), float(np.median(spreads))


def _accel(rest: float) -> tuple[str, float, str]:
    for unit, size in (("m/s2", GRAVITY), ("g", 1.0), ("mg", 1000.0)):
        if abs(rest / size - 1) < _NEAR:
            return unit, GRAVITY / size, ""
    for counts in ACCEL_COUNTS_PER_G.values():
        if abs(rest / counts - 1) < _NEAR_COUNTS:
            return "counts", GRAVITY / counts, ""
    return "", 1.0, "no gravity" if rest < _LEAST else ""


def _gyro_by_slope(slope: float) -> str:
    """The unit for which the slope would be near to 1."""
    for unit, factor in GYRO_UNITS.items():
        if slope > 0 and abs(np.log(slope / factor)) < np.log(_FACTOR):
            return unit
    return ""


def _gyro_by_size(pieces: list[tuple[np.ndarray, float]], gravity: float) -> str:
    """The unit by how much turns while a hand moves. gravity: in the samples' unit, or 0."""
    if not gravity:
        return ""
    sizes = [np.zeros(0)]
    for x, rate_hz in pieces:
        n = max(2, int(_BLOCK_S * rate_hz))
        if x.shape[1] == 6 and len(x) >= n:
            blocks = x[: len(x) // n * n].reshape(-1, n, 6)
            moves = np.linalg.norm(blocks[:, :, :3].std(axis=1), axis=1) > _MOVING * gravity
            sizes.append(np.linalg.norm(blocks[moves][:, :, 3:], axis=2).mean(axis=1))
    turns = np.concatenate(sizes)
    if len(turns) < _FEW or not turns.any():
        return ""
    usual = float(np.median(turns))
    if usual < _RADIANS[len(turns) >= _MANY]:
        return "rad/s"
    if usual > _MILLIS:
        return "mdps"
    return "dps" if _DEGREES < usual < _MOST else ""


def turning(samples: np.ndarray, rate_hz: float) -> np.ndarray:
    """Float64 (4,): how gravity turns against what the gyroscope says, as sums.

    A fixed direction u seen from a body that turns at w moves by du/dt = -w x u. The sums are
    of measured * predicted, predicted^2 and measured^2 in rad^2, and the number of moments. They
    add up over recordings. samples: (n, 6), any unit of acceleration, deg/s.
    """
    if samples.shape[1] < 6:
        return np.zeros(4)
    a, w = samples[:, :3].astype(float), np.radians(samples[:, 3:].astype(float))
    size = np.linalg.norm(a, axis=1)
    k = max(2, int(_TURN_S * rate_hz))
    if len(a) < 2 * k:
        return np.zeros(4)
    quiet = np.abs(size - np.median(size)) < 0.08 * max(np.median(size), 1e-6)
    width = max(1, k // 3)
    smooth = np.stack([np.convolve(c, np.ones(width) / width, "same") for c in a.T], axis=1)
    u = smooth / np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-9)
    turn = np.cumsum(-np.cross(w, u), axis=0) / rate_hz
    whole = np.convolve(quiet, np.ones(k + 1), "valid") > k + 0.5
    whole = whole[: len(a) - k]
    predicted = (turn[k:] - turn[:-k])[: len(whole)][whole]
    measured = (u[k:] - u[:-k])[: len(whole)][whole]
    return np.array([(measured * predicted).sum(), (predicted**2).sum(), (measured**2).sum(),
                     len(measured)])


def turning_slope(pieces: Sequence[tuple[np.ndarray, float]]) -> float:
    """How much gravity turns for each degree that the gyroscope reports; 0 if too little turns,
    or the two do not agree.

    It is 1 if all is right, about 57 for turn rates in rad/s, and the true over the assumed
    rate when time is wrong.
    """
    both, predicted, measured, count = np.sum(
        [turning(x, rate_hz) for x, rate_hz in pieces] or [np.zeros(4)], axis=0
    )
    if not count or measured / count < _LEAST_TURN**2 or predicted <= 0:
        return 0.0
    if both / np.sqrt(predicted * measured) < _AGREE:
        return 0.0
    return float(both / predicted)
