"""The units of a line that names none: measured before recording begins, or named by hand."""

from typing import Any

import numpy as np

from host_tools.dataset.unit_check import UnitsFound, judge_units
from host_tools.errors import BeckonError
from host_tools.recording.blocks import Block
from host_tools.units import (
    GRAVITY,
    GYRO_COUNTS_PER_DPS,
    GYRO_UNITS,
    accel_factor,
    gyro_factor,
)

_WEIGHTLESS = 0.5  # |a| at its stillest: below gravity in any unit, however much a hand moves


class LineUnits:
    """accel_unit: as accel_factor() takes it, gyro_unit: as gyro_factor() does; "" to measure.

    `accel` and `gyro` are the units in use. `gyro_sure`: the gyroscope's was named, or
    measured; else deg/s are assumed.
    """

    def __init__(self, accel_unit: str = "", gyro_unit: str = ""):
        self._named = accel_unit, gyro_unit
        self.accel, self.gyro = accel_unit or "m/s2", gyro_unit or "dps"
        self._accel_factor = accel_factor(self.accel)
        self._gyro_factor = gyro_factor(self.gyro)
        self.gyro_sure = bool(gyro_unit)

    def measure(self, rows: np.ndarray, rate_hz: float) -> str:
        """Judge rows (n, 3 or 6) as they came. Returns what to say about them, or "".

        Raises BeckonError for what cannot be recorded as it is.
        """
        gravity = GRAVITY / self._accel_factor if self._named[0] else 0.0
        found = judge_units([(rows, rate_hz)], gravity)
        if found.fault == "zero":
            raise BeckonError("every acceleration is 0, so the sensor does not answer its board: "
                              "check its wires")
        said = [self._measured_accel(found), self._measured_gyro(found, rows.shape[1])]
        return "; ".join(filter(None, said))

    def _measured_accel(self, found: UnitsFound) -> str:
        at_rest = f"|a| is {found.rest:.4g} at rest"
        named = self._named[0]
        if named:
            differs = found.accel and found.still and not np.isclose(
                found.accel_factor, self._accel_factor, rtol=0.3)  # fmt: skip
            return (f"{at_rest}: that looks like {found.accel}, not like the {named} of "
                    "--accel-unit" if differs else "")  # fmt: skip
        weightless = found.fault == "no gravity" and (found.still or found.rest < _WEIGHTLESS)
        if not (found.still or weightless or found.accel == "m/s2"):
            raise BeckonError("the sensor moves (|a| is {rest:.4g} at its stillest), so the unit "
                              "of the acceleration is unknown: hold it still for 3 s, or name the "
                              "unit with --accel-unit", rest=found.rest)  # fmt: skip
        if weightless:
            raise BeckonError("{at_rest}: gravity is missing, so a model would not work with "
                              "another sensor; have the firmware print the acceleration with "
                              "gravity, or record it as it is with --accel-unit m/s2",
                              at_rest=at_rest)
        if not found.accel:
            raise BeckonError("{at_rest}: that fits neither m/s2 ({gravity:.2f}) nor g (1) nor mg "
                              "(1000) nor counts; name the unit with --accel-unit, such as "
                              "counts:256 for 256 counts per g", at_rest=at_rest, gravity=GRAVITY)
        self._accel_factor = found.accel_factor
        self.accel = found.accel
        if found.accel == "counts":
            self.accel = f"counts:{round(GRAVITY / found.accel_factor)}"
        return (f"{at_rest}: the acceleration comes in {self.accel} and is converted to m/s2"
                if found.accel != "m/s2" else "")  # fmt: skip

    def _measured_gyro(self, found: UnitsFound, axes: int) -> str:
        named = self._named[1]
        if axes < 6 or not found.gyro:
            return ""
        if named:
            differs = found.gyro in GYRO_UNITS and not np.isclose(
                GYRO_UNITS[found.gyro], self._gyro_factor, rtol=0.5)  # fmt: skip
            return (f"the turn rates look like {found.gyro}, not like the {named} of --gyro-unit"
                    if differs else "")  # fmt: skip
        if found.gyro == "counts":
            known = ", ".join(f"counts:{scale:g} for {dps} deg/s"
                              for dps, scale in GYRO_COUNTS_PER_DPS.items())  # fmt: skip
            raise BeckonError("the acceleration comes in raw counts ({rest:.0f} at rest), so the "
                              "turn rates will, too: name their scale with --gyro-unit (MPU-6500: "
                              "{known})", rest=found.rest, known=known)
        self._take_gyro(found.gyro)
        return (f"the turn rates come in {found.gyro} and are converted to deg/s"
                if found.gyro != "dps" else "")  # fmt: skip

    def _take_gyro(self, unit: str) -> None:
        self.gyro, self.gyro_sure = unit, True
        self._gyro_factor = GYRO_UNITS[unit]

    def convert(self, rows: np.ndarray) -> np.ndarray:
        """Rows (n, 3 or 6) as they came, in m/s^2 and deg/s."""
        scale = np.repeat([self._accel_factor, self._gyro_factor], 3)
        return rows * scale[: rows.shape[1]]

    def corrected(self, blocks: list[Block], rate_hz: float) -> tuple[list[Block], str]:
        """All blocks of a recording as they should be saved, and what changed, or "".

        While the sensor was at rest nobody could tell the unit of the turn rates; now that it
        has moved the values may.
        """
        if self.gyro_sure or not blocks or blocks[0].values.shape[1] < 6:
            return blocks, ""
        found = judge_units([(x, rate_hz) for x in _runs(blocks)], GRAVITY)
        if found.gyro not in GYRO_UNITS:
            return blocks, ""
        self._take_gyro(found.gyro)
        if found.gyro == "dps":
            return blocks, ""
        scale = np.repeat([1.0, self._gyro_factor], 3)
        return ([Block(b.index, b.values * scale, b.clipped) for b in blocks],
                f"the turn rates came in {found.gyro}, as the movements show; they are saved "
                "in deg/s")  # fmt: skip

    def about(self) -> dict[str, Any]:
        return {"line_accel_unit": self.accel,
                "line_gyro_unit": self.gyro if self.gyro_sure else f"{self.gyro} (assumed)"}


def _runs(blocks: list[Block]) -> list[np.ndarray]:
    """The values between gaps, (n, 6) each, n at least 2."""
    runs: list[list[np.ndarray]] = []
    end = -1
    for block in blocks:
        if block.index != end:
            runs.append([])
        runs[-1].append(block.values)
        end = block.end
    joined = [np.concatenate(run) for run in runs]
    return [x for x in joined if len(x) > 1] or [np.zeros((2, 6))]


def found_text(units: LineUnits, axes: int, rate_hz: float) -> str:
    """One line: what is about to be recorded."""
    gyro = f", turn rates in {units.gyro}" + (
        "" if units.gyro_sure else " (assumed: nothing turns; --gyro-unit names another)")
    return (f"{rate_hz:.1f} samples per second, {axes} axes, acceleration in {units.accel}"
            + (gyro if axes == 6 else ", no turn rates"))  # fmt: skip

