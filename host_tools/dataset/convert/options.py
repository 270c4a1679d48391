"""What a foreign file does not say about itself, its units, and what became of it."""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from host_tools.dataset.recording import Dataset, Recording
from host_tools.errors import BeckonError
from host_tools.units import TIME_UNITS, accel_factor, gyro_factor

LABEL_FROM = ("folder", "name", "column")
_OURS = ("t_ms", "ax", "ay", "az", "gx", "gy", "gz", "label", "subject", "take")


@dataclass(frozen=True)
class Options:
    """rate_hz: for files without times. columns: foreign name by ours, where guessing fails.

    accel, gyro, time: units of the files; None: what the file says, else m/s^2, deg/s, and
    the unit that gives a possible rate. label: of everything. label_from: folder, name or
    column; None to choose by the files. subject_pattern: of paths, such as "{subject}/*".
    hmac_key: of an Edge Impulse project, to check or make signatures.
    """

    rate_hz: float | None = None
    accel: str | None = None
    gyro: str | None = None
    time: str | None = None
    label: str | None = None
    subject: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    hmac_key: bytes | None = None
    label_from: str | None = None
    subject_pattern: str = ""

    def time_scale(self) -> float:
        """Factor to ms. Raises BeckonError for an unknown unit."""
        unit = self.time or "ms"
        if unit not in TIME_UNITS:
            raise BeckonError("unit {unit!r} is not known; use {time_units}", status=2, unit=unit,
                              time_units=', '.join(TIME_UNITS))
        return TIME_UNITS[unit]

    def scale(self, axes: int) -> np.ndarray:
        """Factors to m/s^2 and deg/s, (axes,). Raises BeckonError for an unknown unit."""
        factors = [accel_factor(self.accel or "m/s2"), gyro_factor(self.gyro or "dps")]
        return np.repeat(factors, 3)[:axes]


@dataclass(frozen=True)
class Source:
    """What a file was taken for. accel, gyro: units of its values; *_assumed: nobody named them.

    category: training or testing, where the format divides recordings so.
    """

    form: str
    time: str = ""
    accel: str = "m/s2"
    gyro: str = "dps"
    accel_assumed: bool = False
    gyro_assumed: bool = False
    category: str = ""


@dataclass(frozen=True)
class Piece:
    recording: Recording
    source: Source


@dataclass
class Imported(Dataset):
    """sources: one for each recording."""

    sources: list[Source] = field(default_factory=list)

    def add(self, pieces: list[Piece]) -> None:
        self.recordings += [p.recording for p in pieces]
        self.sources += [p.source for p in pieces]


def parse_columns(text: str) -> tuple[tuple[str, str], ...]:
    """"ax=accX,t_ms=time" -> (("ax", "accX"), ("t_ms", "time")). Raises BeckonError.

    A name is that of the header, or the column's number from 1 on in a file without header.
    Nothing behind the sign: the file has no such column.
    """
    out = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        ours, sign, theirs = part.partition("=")
        if not sign or ours.strip() not in _OURS:
            raise BeckonError("column {part!r}: write ours=theirs, ours being t_ms, ax .. gz, "
                              "label, subject or take", status=2, part=part)
        out.append((ours.strip(), theirs.strip()))
    return tuple(out)
