"""From the rows of a table to recordings: numbers, times, takes, the even grid.

    series = read_series(table, layout, options)      # of one sensor, or of both
    pieces, notices = to_pieces(path, series, ...)     # one for each take
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from host_tools.dataset.convert.layout import Layout
from host_tools.dataset.convert.options import Options, Piece, Source
from host_tools.dataset.convert.tables import EMPTY, Table, number
from host_tools.dataset.convert.takes import by_id, by_time, cut
from host_tools.dataset.convert.times import (
    LEAST_HZ,
    MOST_HZ,
    plausible_unit,
    spread_equal,
    time_column,
    trim_ends,
)
from host_tools.dataset.folder import MOST
from host_tools.dataset.recording import Recording, Span
from host_tools.dataset.timing import even_grid
from host_tools.errors import BeckonError, Sentence
from host_tools.units import accel_factor, gyro_factor

_MOST_EMPTY = 0.2  # of the rows without a number; more is another kind of file
_RATE_AGREES = 0.05


@dataclass
class Series:
    """t_ms: float64 (n,) from the first row of the file on; lines (n,) of the file.

    values: float64 (n, axes), m/s^2 and deg/s. starts: rows that begin a take. labels,
    subjects: text by row, or None. parts: (start_ms, end_ms, label) of annotations, or None.
    origin_ms: what the file calls time at t_ms 0.
    """

    t_ms: np.ndarray
    values: np.ndarray
    lines: np.ndarray
    starts: list[int] = field(default_factory=list)
    labels: list[str] | None = None
    subjects: list[str] | None = None
    time: str = ""
    origin_ms: float = 0.0
    notices: list[str] = field(default_factory=list)
    parts: list[tuple[float, float, str]] | None = None


def read_series(table: Table, layout: Layout, options: Options) -> Series:
    """Raises BeckonError naming file and line."""
    path = table.path
    if len(table.rows) < 2:
        raise BeckonError("{path}: holds {count} samples", path=path, count=len(table.rows))
    values, full = _numbers(table, layout)
    notices = list(table.notices)
    if not full.all():
        empty = int((~full).sum())
        if empty > _MOST_EMPTY * len(full):
            line = table.rows[int(np.argmin(full))][0]
            raise BeckonError("{path}:{line}: {empty} of {count} rows lack a number; if the "
                              "sensors were sampled apart, export a file for each", path=path,
                              line=line, empty=empty, count=len(full))
        notices.append(f"{path.name}: {empty} rows lack a number and count as lost")
    t, unit, origin = _times(table, layout, options)
    starts = set(table.starts) | set(by_time(t) if "t_ms" in layout.at else [])
    for i in layout.ids:
        starts |= set(by_id([_cell(row, i) for _, row in table.rows]))
    lines = np.array([line for line, _ in table.rows])
    kept = np.flatnonzero(full)
    if len(kept) < 2:
        raise BeckonError("{path}: holds {count} samples", path=path, count=len(kept))
    return Series(
        t[kept], values[kept], lines[kept],
        sorted({int(np.searchsorted(kept, s)) for s in starts} - {0, len(kept)}),
        _texts(table, layout, "label", kept), _texts(table, layout, "subject", kept),
        unit, origin, notices,
    )


def _cell(row: list[str], i: int) -> str:
    return row[i] if i < len(row) else ""


def _texts(table: Table, layout: Layout, name: str, kept: np.ndarray) -> list[str] | None:
    if name not in layout.at:
        return None
    i = layout.at[name]
    return [_cell(table.rows[k][1], i) for k in kept.tolist()]


def _numbers(table: Table, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Values (n, axes) in m/s^2 and deg/s, and which rows hold all of them."""
    axes = layout.axes
    out = _parse(table, [*(layout.at[a] for a in axes), *layout.gravity])
    full = np.asarray(~np.isnan(out).any(axis=1))
    high = np.abs(out) >= MOST
    if high.any():
        k = int(np.argmax(high.any(axis=1)))
        raise BeckonError("{path}:{line}: not a finite number below {most:g}", path=table.path,
                          line=table.rows[k][0], most=MOST)
    if layout.gravity:
        out[:, :3] += out[:, -3:]
    factors = [accel_factor(layout.accel) if a[0] == "a" else gyro_factor(layout.gyro)
               for a in axes]
    return out[:, : len(axes)] * factors, full


def _parse(table: Table, columns: list[int]) -> np.ndarray:
    """float64 (rows, columns), NaN for cells without a number. Raises BeckonError for words."""
    try:
        cells = [[row[i] for i in columns] for _, row in table.rows]
        if not any("_" in text for row in cells for text in row):
            return np.array([list(map(float, row)) for row in cells])
    except (IndexError, ValueError):
        pass
    out = np.empty((len(table.rows), len(columns)))
    for k, (line, row) in enumerate(table.rows):
        for j, i in enumerate(columns):
            text = _cell(row, i)
            value = number(text)
            if value is None:
                if text.lower() not in EMPTY or i >= len(row):
                    raise BeckonError("{path}:{line}: {text!r} is not a number", path=table.path,
                                      line=line, text=text or 'nothing')
                value = np.nan
            out[k, j] = value
    return out


def _times(table: Table, layout: Layout, options: Options) -> tuple[np.ndarray, str, float]:
    path = table.path
    if "t_ms" not in layout.at:
        if not options.rate_hz:
            raise BeckonError("{path}: has no column of times; give the rate with --rate",
                              status=2, path=path)
        return np.arange(len(table.rows)) * 1000 / options.rate_hz, "--rate", 0.0
    i = layout.at["t_ms"]
    cells = [(line, _cell(row, i)) for line, row in table.rows]
    t, unit, origin = time_column(path, layout.time_name or "times", cells, layout.time_unit,
                                  options.time)
    return t, unit, origin


def to_pieces(
    path: Path, series: Series, source: Source, options: Options, name: str,
    label_of: Callable[[str, int], str] | None, subject: str,
) -> tuple[list[Piece], list[str]]:
    """The takes of a series as recordings, and notices.

    label_of: the label of a take without a column of labels, None: spans come from it.
    A take among others that cannot be used is left out with a notice; alone it is refused.
    """
    takes = cut(len(series.t_ms), series.starts)
    pieces: list[Piece] = []
    notices = list(series.notices)
    faults: list[BeckonError] = []
    for k, (first, last) in enumerate(takes):
        take_name = name if len(takes) == 1 else f"{name}_{k + 1:03d}"
        try:
            piece, found = _take(path, series, first, last, source, options, take_name, label_of,
                                 subject)
        except BeckonError as fault:
            faults.append(fault)
            continue
        pieces.append(piece)
        notices += found
    if not pieces:
        raise faults[0]
    if len(takes) > 1:
        notices.append(f"{path.name}: holds {len(takes)} takes")
    if faults:
        notices.append(f"{path.name}: {len(faults)} of {len(takes)} takes are left out, the first: "
                       f"{faults[0]}")
    return pieces, notices


def _take(
    path: Path, series: Series, first: int, last: int, source: Source, options: Options, name: str,
    label_of: Callable[[str, int], str] | None, subject: str,
) -> tuple[Piece, list[str]]:
    part = slice(first, last)
    t, values, lines = series.t_ms[part], series.values[part], series.lines[part]
    rows = np.arange(first, last)
    if len(t) < 2:
        raise BeckonError("{path}:{line}: a take of {count} samples", path=path, line=lines[0],
                          count=len(t))
    notices = []
    if source.time != "--rate":
        # The same row twice is one sample that a logger wrote twice
        twice = np.flatnonzero((np.diff(t) == 0) & (np.diff(values, axis=0) == 0).all(axis=1)) + 1
        if len(twice):
            keep = np.setdiff1d(np.arange(len(t)), twice)
            if len(keep) >= 2 and len(twice) < 0.6 * len(t) and np.all(np.diff(t[keep]) > 0):
                t, values, lines, rows = t[keep], values[keep], lines[keep], rows[keep]
                notices.append(f"{name}: {len(twice)} rows are there twice and count once")
        if np.all(np.diff(t) >= 0):
            t, equal = spread_equal(t)
            if equal:
                notices.append(f"{name}: {equal} samples have the time of the one before; they are "
                               "spread evenly to the next time")
            begin, end = trim_ends(t)
            if end - begin < len(t) and end - begin >= 2:
                cut_off = len(t) - (end - begin)
                t, values, lines, rows = (x[begin:end] for x in (t, values, lines, rows))
                notices.append(f"{name}: {cut_off} samples at the ends, where the recorder started "
                               "or stopped, are left out")
    begin_ms = float(t[0])
    t = t - begin_ms
    samples, start_ms, rate_hz, gaps, found = even_grid(path, np.column_stack([t, values]),
                                                        lines.tolist())
    check_rate(path, rate_hz, source, options,
               plausible_unit(t) if source.time == "ms" else "")
    if series.subjects is not None and not options.subject:
        subject = series.subjects[rows[0]].strip() or subject
    if series.parts is not None:
        spans = _spans_of(series.parts, begin_ms, float(t[-1]), subject)
    elif series.labels is not None and label_of is None:
        spans = runs_of([series.labels[i] for i in rows], t, subject)
    else:
        assert label_of is not None
        spans = [Span(0.0, float(t[-1]), label_of(name, first), subject)]
    recording = Recording(name, samples, rate_hz, tuple(spans), start_ms, gaps, "", path,
                          native_hz=rate_hz)
    return Piece(recording, source), notices + found


def _spans_of(
    parts: list[tuple[float, float, str]], begin_ms: float, length_ms: float, subject: str
) -> list[Span]:
    """Annotations within a take, on the take's own clock."""
    out = []
    for start, end, label in parts:
        start, end = max(0.0, start - begin_ms), min(length_ms, end - begin_ms)
        if end > start:
            out.append(Span(start, end, label, subject))
    return out


def check_rate(
    path: Path, rate_hz: float, source: Source, options: Options, likely: str = ""
) -> None:
    """Raises BeckonError for a rate that no gesture sensor has, or not the one named.

    likely: what a unit would be called that, taken for ms, gives a possible rate.
    """
    if not LEAST_HZ * 0.98 <= rate_hz <= MOST_HZ * 1.02:
        unit = Sentence(", if its times are in {unit}", unit=source.time) \
            if source.time not in ("", "--rate") else ""
        cure = Sentence("name the rate with --rate") if source.time == "--rate" else Sentence(
            "name the unit of the times with --time-unit{likely}", likely=likely and f" {likely}")
        raise BeckonError("{path}: has {rate_hz:.4g} samples per second{unit}; {least_hz:g} to "
                          "{most_hz:g} Hz can be used: {cure}", status=2, path=path,
                          rate_hz=rate_hz, unit=unit, least_hz=LEAST_HZ, most_hz=MOST_HZ,
                          cure=cure)
    if options.rate_hz and source.time != "--rate":
        if abs(rate_hz / options.rate_hz - 1) > _RATE_AGREES:
            raise BeckonError("{path}: its times say {rate_hz:.4g} Hz, --rate says {option_hz:g}: "
                              "leave --rate out, or the times with --columns t_ms=", status=2,
                              path=path, rate_hz=rate_hz, option_hz=options.rate_hz)


def runs_of(labels: list[str], t_ms: np.ndarray, subject: str) -> list[Span]:
    """Spans of equal neighbouring labels; an empty label is none."""
    spans, start = [], 0
    for i in range(1, len(labels) + 1):
        if i == len(labels) or labels[i] != labels[start]:
            if labels[start].strip():
                end = t_ms[min(i, len(labels) - 1)]
                spans.append(Span(float(t_ms[start]), float(end), labels[start].strip(), subject))
            start = i
    return [s for s in spans if s.end_ms > s.start_ms]


def source_of(layout: Layout, series: Series, form: str) -> Source:
    return Source(form, series.time, layout.accel, layout.gyro,
                  "ax" in layout.at and not layout.accel_named,
                  "gx" in layout.at and not layout.gyro_named)
