"""A column of times in ms: seconds to nanoseconds, ISO 8601, clock times, equal stamps.

The unit is that of the header or of the option. If neither names one, it is the one unit
that gives a rate of 4 to 2,000 Hz: since the units are a factor of 1,000 apart and the
rates one of 500, there is never a second.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.dataset.convert.tables import number
from host_tools.errors import BeckonError
from host_tools.units import TIME_UNITS

LEAST_HZ, MOST_HZ = 4.0, 2000.0
_MANY_EQUAL = 0.3  # of the steps
_DAY_MS = 86_400_000.0
_CLOCK = re.compile(r"^(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2})(?:[.:,](\d{1,9}))?$")
_STAMP = re.compile(
    r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[T _]+(\d{1,2})[:\-.](\d{1,2})[:\-.](\d{1,2})"
    r"(?:[.:_,](\d{1,9}))?\s*(Z|[+-]\d{2}:?\d{2})?$")


def time_column(
    path: Path, name: str, cells: list[tuple[int, str]], unit: str, option: str | None
) -> tuple[np.ndarray, str, float]:
    """Float64 (n,) ms from the first one on, the unit, or "ISO 8601" or "clock", and the
    first time in ms as the file has it.

    cells: (line, text). unit: of the header, or "". Raises BeckonError for a text that is
    not a time, and if header and option contradict each other.
    """
    values = [number(text) for _, text in cells]
    if all(v is None for v in values) and cells:
        return _texts(path, cells)
    for (line, text), value in zip(cells, values, strict=True):
        if value is None or not abs(value) < 1e20:
            raise BeckonError("{path}:{line}: {text!r} is not a time", path=path, line=line,
                              text=text)
    t = np.array(values, float)
    start = float(t[0])
    t = t - start
    if unit and option and unit != option and plausible_unit(t) != option:
        raise BeckonError("{path}: the column {name!r} is in {unit}, --time-unit says {option}: "
                          "leave the option out", status=2, path=path, name=name, unit=unit,
                          option=option)
    unit = option or unit or plausible_unit(t) or "ms"
    return t * TIME_UNITS[unit], unit, start * TIME_UNITS[unit]


def plausible_unit(t: np.ndarray) -> str:
    """The unit that gives a possible rate, "" if none does. t: times in an unknown unit."""
    steps = np.diff(t)
    ahead = steps[steps > 0]
    if not len(ahead):
        return ""
    step = float(np.median(ahead))
    if (steps == 0).mean() > _MANY_EQUAL:  # whole seconds: so many samples in so long
        step = float(ahead[ahead < 20 * step].sum()) / max(1, len(t) - 1)
    for unit, factor in TIME_UNITS.items():
        if LEAST_HZ * 0.98 <= 1000 / (step * factor) <= MOST_HZ * 1.02:
            return unit
    return ""


def _texts(path: Path, cells: list[tuple[int, str]]) -> tuple[np.ndarray, str, float]:
    clock = _CLOCK.match(cells[0][1].strip()) is not None
    parse = _clock_ms if clock else _stamp_ms
    out = np.empty(len(cells))
    for i, (line, text) in enumerate(cells):
        found = parse(text.strip())
        if found is None:
            raise BeckonError("{path}:{line}: {text!r} is not a time; name another column of "
                              "times with --columns t_ms=NAME, or the rate with --rate and "
                              "--columns t_ms=", path=path, line=line, text=text)
        out[i] = found
    if clock:
        back = np.diff(out, prepend=out[0]) < -_DAY_MS / 2
        out += np.cumsum(back) * _DAY_MS  # midnight
    return out - out[0], "clock" if clock else "ISO 8601", float(out[0])


def _clock_ms(text: str) -> float | None:
    m = _CLOCK.match(text)
    if not m:
        return None
    seconds = 3600 * int(m[1] or 0) + 60 * int(m[2]) + int(m[3])
    return 1000.0 * seconds + 1000.0 * float(f"0.{m[4] or 0}")


def _stamp_ms(text: str) -> float | None:
    m = _STAMP.match(text)
    try:
        if not m:
            return None
        year, month, day, hour, minute, second = (int(m[i]) for i in range(1, 7))
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return whole.timestamp() * 1000.0 + 1000.0 * float(f"0.{m[7] or 0}")
    except (ValueError, OverflowError):
        return None


def spread_equal(t: np.ndarray) -> tuple[np.ndarray, int]:
    """Times of which several are equal, spread to the next one; and how many were equal.

    A clock that is coarser than the samples (whole seconds, a buffer's stamp) gives many
    samples one time. t: ms, never decreasing.
    """
    starts = np.flatnonzero(np.diff(t, prepend=-np.inf) > 0)
    equal = len(t) - len(starts)
    if not equal or len(starts) < 2:
        return t, equal
    sizes = np.diff(np.append(starts, len(t)))
    heads = t[starts]
    out = np.empty(len(t))
    inner = np.diff(heads) / sizes[:-1]  # the period within each group but the last
    usual = float(np.median(inner))
    for i, (first, size) in enumerate(zip(starts, sizes, strict=True)):
        if i == 0 and len(starts) > 2 and size < sizes[1]:  # begun within a tick
            out[first : first + size] = heads[1] - usual * np.arange(size, 0, -1)
        else:
            period = inner[i] if i < len(inner) else usual
            out[first : first + size] = heads[i] + period * np.arange(size)
    return out, equal


def trim_ends(t: np.ndarray) -> tuple[int, int]:
    """(first, last + 1) without the odd steps of starting up and switching off.

    Phones deliver what they had buffered at once, or one sample long before the rest: steps
    of less than a third or more than four times the usual one, within the first and last
    tenth, 30 samples at most. t: ms, increasing.
    """
    steps = np.diff(t)
    if len(steps) < 10:
        return 0, len(t)
    usual = float(np.median(steps))
    odd = np.flatnonzero((steps < usual / 3) | (steps > 4 * usual))
    reach = min(30, len(steps) // 10)
    first = odd[odd < reach]
    last = odd[odd >= len(steps) - reach]
    return (int(first[-1]) + 1 if len(first) else 0), (int(last[0]) + 1 if len(last) else len(t))


def annotated_parts(
    path: Path, parts: Sequence[tuple[Any, Any, str]], unit: str, origin_ms: float,
    rate_hz: float | None,
) -> list[tuple[float, float, str]]:
    """Annotations in ms from the file's first time on. Raises BeckonError if two overlap.

    parts: (start, end, label) as values of the column of times, or as sample indices in a file
    without times. unit, origin_ms: as time_column() gives them.
    """
    out = []
    for start, end, label in parts:
        ends = []
        for value in (start, end):
            found = number(str(value))
            if unit in TIME_UNITS and found is not None:
                ends.append(found * TIME_UNITS[unit] - origin_ms)
            elif unit == "--rate" and found is not None and rate_hz:
                ends.append(found * 1000 / rate_hz)
            else:
                parse = _clock_ms if unit == "clock" else _stamp_ms
                at = parse(str(value).strip())
                if at is None:
                    raise BeckonError("{path}: its label {label!r} is at {value!r}, which is not "
                                      "a time as in the file", path=path, label=label, value=value)
                ends.append(at - origin_ms)
        out.append((ends[0], ends[1], label))
    out.sort()
    for (_, last, before), (first, _, label) in zip(out, out[1:], strict=False):
        if first < last - 1e-6:
            raise BeckonError("{path}: its labels {before!r} and {label!r} overlap at {first:.3f} "
                              "s; a moment has one label", path=path, before=before, label=label,
                              first=first / 1000)
    return out
