"""What a foreign file does not say about itself, and its units."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.errors import BeckonError
from host_tools.units import ACCEL_UNITS, GYRO_UNITS, TIME_UNITS


@dataclass(frozen=True)
class Options:
    """rate_hz: for files without times. columns: foreign name by ours, where guessing fails.

    hmac_key: of an Edge Impulse project, to check or make signatures.
    """

    rate_hz: float | None = None
    accel: str = "m/s2"
    gyro: str = "dps"
    time: str = "ms"
    label: str | None = None
    subject: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    hmac_key: bytes | None = None

    def time_scale(self) -> float:
        """Factor to ms. Raises BeckonError for an unknown unit."""
        if self.time not in TIME_UNITS:
            raise BeckonError(f"unit {self.time!r} is not known; use {', '.join(TIME_UNITS)}", 2)
        return TIME_UNITS[self.time]

    def scale(self, axes: int) -> np.ndarray:
        """Factors to m/s^2 and deg/s, (axes,). Raises BeckonError for an unknown unit."""
        for value, known in ((self.accel, ACCEL_UNITS), (self.gyro, GYRO_UNITS)):
            if value not in known:
                raise BeckonError(f"unit {value!r} is not known; use {', '.join(known)}", 2)
        return np.repeat([ACCEL_UNITS[self.accel], GYRO_UNITS[self.gyro]], 3)[:axes]


def parse_columns(text: str) -> tuple[tuple[str, str], ...]:
    """"ax=accX,t_ms=time" -> (("ax", "accX"), ("t_ms", "time")). Raises BeckonError."""
    out = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        ours, sign, theirs = part.partition("=")
        if not sign or ours.strip() not in ("t_ms", "ax", "ay", "az", "gx", "gy", "gz", "label"):
            raise BeckonError(
                f"column {part!r}: write ours=theirs, ours being t_ms, ax .. gz or label", 2
            )
        out.append((ours.strip(), theirs.strip()))
    return tuple(out)
