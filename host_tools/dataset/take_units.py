"""Values that betray their unit: a sensor at 9.8 m/s^2 cannot read 1, 1000 or 16384.

    for finding in check_units([(samples, rate_hz), ...]):
        print(finding.text, finding.cure)

For files of takes, which are full of movement (unit_check.py judges a line whose sensor is
held still). The first two seconds of each take are enough, and one take is. On 14 public
sets, 40 draws each, the mean of a take's acceleration was 0.45 to 2.1 g for one take, and 0.84
to 1.08 g for 30. The sensor turns, but gravity's share of the mean remains, while acceleration
without gravity averages out: a hand that starts and stops has gained no speed.

The gyroscope is held against the accelerometer: how far the direction of the measured
acceleration turns in 0.1 s, over how far the turn rates say. Translation makes the ratio
larger (1 to 10, rarely more), rad/s read as deg/s 57 times larger.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from host_tools.errors import Sentence
from host_tools.units import (
    ACCEL_COUNTS_PER_G,
    GRAVITY,
    GYRO_COUNTS_PER_DPS,
    accel_factor,
    gyro_factor,
)

CHECKED_S = 2.0  # of each take
_FREE_G = 0.4  # g: a smaller mean is acceleration without gravity, or another unit
_MOST_G = 2.3  # g: a larger mean is another unit
_STEADY = 0.6  # mean over root mean square: gravity is in it
_STEADY_AT_1G = 0.45  # likewise, where the mean is what gravity is in that unit
_TURN_S = 0.1
_TURNED = 0.1  # rad, root mean square: less says nothing
_RAD_RATIO = 20.0
_MOST_RAD = (12.0, 20.0)  # rad/s that few and several takes of a hand reach, 1150 deg/s
_SEVERAL = 3  # takes
_GYRO_SCALES = ", ".join(f"--gyro-unit counts:{n:g} for the range {dps} deg/s"
                         for dps, n in GYRO_COUNTS_PER_DPS.items())  # fmt: skip
_WITH_GRAVITY = Sentence("use the acceleration with gravity (raw or total acceleration), which is "
                        "what the board's sensor measures")
_MOST_DPS = 4500.0  # no gyroscope for hands has a wider range than 4000 deg/s


@dataclass(frozen=True)
class UnitFinding:
    """quantity: accel or gyro. unit: what the values seem to be in; "" if no unit mends it.

    text: what is wrong. cure: what to do, with the options that the commands share.
    """

    quantity: str
    unit: str
    text: str
    cure: str

    @property
    def message(self) -> Sentence:
        return Sentence("{text}; {cure}", text=self.text, cure=self.cure)

    @property
    def lacks_gravity(self) -> bool:
        return self.quantity == "accel" and "gravity is missing" in self.text

    def __str__(self) -> str:
        return self.message


def check_units(
    pieces: Iterable[tuple[np.ndarray, float]], accel: str = "m/s2", gyro: str = "dps"
) -> list[UnitFinding]:
    """What the values say against their units; empty if nothing does.

    pieces: (samples (n, 3 or 6) as they were read, not converted; rate_hz), one for each
    take. accel, gyro: the units that were named for them. Raises BeckonError for unknown ones.
    """
    heads = [(np.asarray(x, np.float64)[: max(2, round(CHECKED_S * hz))], hz) for x, hz in pieces]
    heads = [(x, hz) for x, hz in heads if len(x) >= 2]
    if not heads:
        return []
    found = _check_accel([x[:, :3] for x, _ in heads], accel)
    full = [(x, hz) for x, hz in heads if x.shape[1] == 6]
    if full:
        counts = any(f.unit.startswith("counts") for f in found)
        found += _check_gyro(full, gyro, counts)
    return found


def _check_accel(heads: list[np.ndarray], unit: str) -> list[UnitFinding]:
    sizes = [float(np.sqrt((x**2).sum(axis=1).mean())) for x in heads]
    if max(sizes) == 0:
        return [UnitFinding("accel", "", Sentence("the acceleration is 0 in every sample"),
                            Sentence("check the wiring, or the columns (--columns)"))]
    level = float(np.median([np.linalg.norm(x.mean(axis=0)) for x in heads]))
    steady = level / max(float(np.median(sizes)), 1e-12)
    in_g = level * accel_factor(unit) / GRAVITY
    if _FREE_G < in_g < _MOST_G:
        return []
    name = "m/s^2" if unit == "m/s2" else unit
    measured = Sentence("the acceleration averages {level:.3g} {unit}, {in_g:.2g} times gravity",
                       level=level, unit=name, in_g=in_g)
    if all(np.all(x == np.rint(x)) for x in heads) and level > 900:
        per_g = _nearest(level, (1000, *ACCEL_COUNTS_PER_G.values()))
        if per_g != 1000:
            return [UnitFinding(
                "accel", f"counts:{per_g:g}",
                Sentence("{measured}: the values seem to be raw counts", measured=measured),
                Sentence("name the counts per g: --accel-unit counts:{per_g:g} if the range is "
                        "{range} g", per_g=per_g, range=_range_of(per_g)))]
    guess = min(("m/s2", "g", "mg"), key=lambda u: _away(level * accel_factor(u) / GRAVITY))
    guessed_g = level * accel_factor(guess) / GRAVITY
    right = _FREE_G < guessed_g < _MOST_G
    # Small values are g, or movement without gravity, which has no direction that lasts
    sure = in_g > _MOST_G or steady > (_STEADY_AT_1G if 0.8 < guessed_g < 1.2 else _STEADY)
    if right and guess != unit and sure:
        shown = "m/s^2" if guess == "m/s2" else guess
        return [UnitFinding(
            "accel", guess, Sentence("{measured}: the values seem to be in {unit}",
                                    measured=measured, unit=shown),
            Sentence("use --accel-unit {unit}", unit=guess))]
    if in_g <= _FREE_G:
        return [UnitFinding(
            "accel", "", Sentence("{measured}: gravity is missing", measured=measured),
            Sentence("{cure}, or --accel-unit {unit}", cure=_WITH_GRAVITY, unit=guess)
            if right else _WITH_GRAVITY)]
    return [UnitFinding(
        "accel", "", Sentence("{measured}: another unit, or a broken sensor", measured=measured),
        Sentence("name the unit with --accel-unit (m/s2, g, mg, or counts:16384 for 16384 counts "
                "per g)"))]


def _away(ratio: float) -> float:
    return abs(float(np.log(max(ratio, 1e-12))))


def _nearest(level: float, candidates) -> float:
    return min(candidates, key=lambda c: _away(level / c))


def _range_of(counts_per_g: float) -> int:
    return next(g for g, counts in ACCEL_COUNTS_PER_G.items() if counts == counts_per_g)


def _check_gyro(
    heads: list[tuple[np.ndarray, float]], unit: str, counts: bool
) -> list[UnitFinding]:
    rates = np.concatenate([np.linalg.norm(x[:, 3:], axis=1) for x, _ in heads])
    if not rates.any():
        return [UnitFinding(
            "gyro", "", Sentence("the turn rate is 0 in every sample"),
            Sentence("check the sensor, or import without it: --columns gx=,gy=,gz="))]
    top = float(np.quantile(rates, 0.99))
    scaled = top * gyro_factor(unit)
    whole = all(np.all(x[:, 3:] == np.rint(x[:, 3:])) for x, _ in heads)
    name = "deg/s" if unit == "dps" else unit
    if unit in ("dps", "rad/s", "mdps") and whole and (counts or scaled > _MOST_DPS):
        if counts or top > 40 * _MOST_DPS or _turning(heads, unit)[0] > 0.01:
            return [UnitFinding(
                "gyro", "counts:131",
                Sentence("turn rates reach {top:.3g}: the values seem to be raw counts", top=top),
                Sentence("name the counts per deg/s (MPU-6500: {scales})", scales=_GYRO_SCALES))]
    if scaled > _MOST_DPS:
        guess = {"rad/s": "dps"}.get(unit, "mdps")
        return [UnitFinding(
            "gyro", guess,
            Sentence("turn rates reach {top:.3g} {unit}, {scaled:.3g} deg/s: the values seem to be "
                    "in {guess}", top=top, unit=name, scaled=scaled,
                    guess="deg/s" if guess == "dps" else guess),
            Sentence("use --gyro-unit {unit}", unit=guess))]
    if unit != "dps" or top > _MOST_RAD[len(heads) >= _SEVERAL]:
        return []
    ratio, turned = _turning(heads, unit)
    if turned > _TURNED and ratio > _RAD_RATIO:
        return [UnitFinding(
            "gyro", "rad/s",
            Sentence("turn rates reach only {top:.3g}, while gravity turns {ratio:.0f} times as "
                    "fast: the values seem to be in rad/s", top=top, ratio=ratio),
            Sentence("use --gyro-unit {unit}", unit="rad/s"))]
    return []


def _turning(heads: list[tuple[np.ndarray, float]], unit: str) -> tuple[float, float]:
    """How far the acceleration's direction turns in 0.1 s over how far the gyroscope says,
    and the former in rad, both as root mean squares.
    """
    measured = predicted = 0.0
    moments = 0
    for x, rate_hz in heads:
        k = max(1, round(_TURN_S * rate_hz))
        if len(x) < 2 * k + 1:
            continue
        smooth = np.stack([np.convolve(c, np.ones(k) / k, "valid") for c in x.T], axis=1)
        u = smooth[:, :3] / np.maximum(np.linalg.norm(smooth[:, :3], axis=1, keepdims=True), 1e-9)
        w = np.radians(smooth[:, 3:] * gyro_factor(unit))
        turn = np.cumsum(-np.cross(w, u), axis=0) / rate_hz  # du/dt = -w x u, seen from the body
        measured += float(((u[k:] - u[:-k]) ** 2).sum())
        predicted += float(((turn[k:] - turn[:-k]) ** 2).sum())
        moments += len(u) - k
    if not moments:
        return 0.0, 0.0
    return float(np.sqrt(measured / max(predicted, 1e-12))), float(np.sqrt(measured / moments))
