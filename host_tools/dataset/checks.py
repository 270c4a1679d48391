"""What looks wrong in recordings: units, gravity, range, rate. Notices, never refusals.

    for notice in check(dataset): print(notice)

A notice names the finding, where, and the likely cure.
"""
from __future__ import annotations

from collections import Counter

import numpy as np

from host_tools.dataset.classes import class_faults
from host_tools.dataset.movement import stillest
from host_tools.dataset.recording import Dataset, Recording
from host_tools.units import GRAVITY

_LEAST_RANGE = (15.0, 100.0)  # m/s^2, deg/s: no sensor's range is smaller
_SAME = 0.0005  # values this near to each other are one limit (calibration, rounding)
_CLIPPED = 0.005  # part of the samples at the limit that is worth telling


def check(data: Dataset) -> list[str]:
    """All findings about a data set, most serious first."""
    out = class_faults(data)
    found = rest_level(data)
    if found is not None:
        out += _gravity(found)
    out += _turning(data)
    out += _clipping(data)
    out += _rates(data)
    out += _subjects(data)
    return out


def rest_level(data: Dataset) -> float | None:
    """Median |a| of the stillest tenth of all blocks; None if there are hardly any."""
    still = stillest((r.samples, r.rate_hz) for r in data.recordings)
    return float(np.median(np.linalg.norm(still, axis=1))) if len(still) else None


def _gravity(rest: float) -> list[str]:
    if 0.85 < rest < 1.15:
        return [f"at rest |a| is {rest:.2f}: acceleration seems to be in g; multiply by {GRAVITY}"]
    if 850 < rest < 1150:
        return [f"at rest |a| is {rest:.0f}: acceleration seems in mg; multiply by "
                f"{GRAVITY / 1000:.8f}"]
    if rest < 3:
        return [
            f"at rest |a| is {rest:.2f} m/s^2: gravity is missing; a sensor that measures gravity "
            "will not agree with a model trained on this"
        ]
    if abs(rest / GRAVITY - 1) > 0.1:
        return [f"at rest |a| is {rest:.2f} m/s^2 instead of 9.8: wrong range or unit, or no rest"]
    if abs(rest / GRAVITY - 1) > 0.025:
        off = 100 * (rest / GRAVITY - 1)
        return [f"at rest |a| is {rest:.2f} m/s^2: the sensor is {off:+.0f} % off"]
    return []


def turning_ratio(r: Recording) -> tuple[float, float]:
    """How much gravity turns for each degree that the gyroscope reports, and its weight.

    A fixed direction u seen from a body that turns at w moves by du/dt = -w x u.
    The slope of the measured against the predicted change is 1; it is about 57
    for turn rates in rad/s, and the true over the assumed rate when time is wrong.
    """
    if r.axes < 6:
        return 0.0, 0.0
    a, w = r.samples[:, :3].astype(float), np.radians(r.samples[:, 3:].astype(float))
    size = np.linalg.norm(a, axis=1)
    k = max(2, int(0.2 * r.rate_hz))
    if len(a) < 2 * k:
        return 0.0, 0.0
    quiet = np.abs(size - np.median(size)) < 0.08 * max(np.median(size), 1e-6)
    width = max(1, k // 3)
    smooth = np.stack([np.convolve(c, np.ones(width) / width, "same") for c in a.T], axis=1)
    u = smooth / np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-9)
    turn = np.cumsum(-np.cross(w, u), axis=0) / r.rate_hz
    whole = np.convolve(quiet, np.ones(k + 1), "valid") > k + 0.5
    whole = whole[: len(a) - k]
    predicted = (turn[k:] - turn[:-k])[: len(whole)][whole]
    measured = (u[k:] - u[:-k])[: len(whole)][whole]
    return float((measured * predicted).sum()), float((predicted**2).sum())


def _turning(data: Dataset) -> list[str]:
    pairs = [turning_ratio(r) for r in data.recordings]
    both, weight = sum(p[0] for p in pairs), sum(p[1] for p in pairs)
    if weight < 1e-4:
        return []
    slope = both / weight
    said = f"gravity turns {slope:.2g} times as fast as the gyroscope says"
    if slope > 20:
        return [f"{said}: turn rates seem to be in rad/s; multiply by 57.2958"]
    if weight > 5 and not 0.45 < slope < 1.6:
        return [f"{said}: the rate, the gyroscope's range or an axis may be wrong"]
    return []


def _at_limit(x: np.ndarray, limit: float) -> np.ndarray:
    """bool (n,): samples that sit at the limit with a neighbour of the same axis, x (n, 3) >= 0."""
    at = x >= (1 - _SAME) * limit
    held = np.zeros_like(at)
    held[1:] |= at[1:] & at[:-1]
    held[:-1] |= at[1:] & at[:-1]
    return np.asarray(held.any(axis=1))


def _clipping(data: Dataset) -> list[str]:
    """A largest value that many samples share, two running at least, is the sensor's limit."""
    out = []
    for group, name, unit, least in (
        (0, "acceleration", "m/s^2", _LEAST_RANGE[0]), (1, "turn rate", "deg/s", _LEAST_RANGE[1])
    ):
        part = slice(3 * group, 3 * group + 3)
        sizes = [np.abs(r.samples[:, part]) for r in data.recordings if r.axes > 3 * group]
        limit = max((float(x.max()) for x in sizes), default=0.0)
        if limit < least:
            continue
        hits = [int(_at_limit(x, limit).sum()) for x in sizes]
        total, files = sum(map(len, sizes)), sum(h > 0 for h in hits)
        if files > 1 and sum(hits) > _CLIPPED * total:
            out.append(
                f"{name} is clipped at {limit:.4g} {unit} in {files} recordings "
                f"({100 * sum(hits) / total:.1f} % of the samples): "
                "record with a wider range if you can"
            )
    return out


def _rates(data: Dataset) -> list[str]:
    rates = Counter(round(r.native_hz or r.rate_hz) for r in data.recordings)
    if max(rates, default=0) > 1.03 * min(rates, default=0):
        listed = ", ".join(f"{hz} Hz ({n})" for hz, n in sorted(rates.items()))
        return [f"recordings have different rates and are resampled: {listed}"]
    return []


def _subjects(data: Dataset) -> list[str]:
    if len(data.subjects) < 2:
        return ["all from one person: figures will not hold for others"]
    return []
