"""Plain CSV of any make: the columns are guessed from their names, or given.

One file is one recording. Its label comes from the option, from a column
`label` (runs of the same value become spans), or from the file's name up to
the first dot or digit. Written files have a column `label`, empty outside the spans.
"""
from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from pathlib import Path

import numpy as np

from host_tools.dataset.convert.options import Options
from host_tools.dataset.convert.writer import file_name, new_folder
from host_tools.dataset.folder import MOST
from host_tools.dataset.recording import AXES, Dataset, Recording, Span
from host_tools.dataset.timing import even_grid
from host_tools.errors import BeckonError

_TIME = re.compile(r"^(t|t_ms|time|time_?stamp|ms|millis|elapsed|seconds_elapsed)\b", re.I)
_ACCEL = re.compile(r"^(a|acc|accel|accelerometer|acceleration|accelero)[ _.\-]?([xyz])\b", re.I)
_GYRO = re.compile(r"^(g|gyr|gyro|gyroscope|rot|w|omega)[ _.\-]?([xyz])\b", re.I)
_LABEL = re.compile(r"^(label|class|gesture|target)$", re.I)


def read(path: Path, options: Options) -> Dataset:
    """A file, or every .csv and .csv.gz of a folder."""
    files = [path] if path.is_file() else sorted(
        p for p in path.rglob("*.csv*")
        if p.name.endswith((".csv", ".csv.gz")) and p.name != "labels.csv"
    )
    data = Dataset(path.name, [])
    for file in files:
        recording, notices = read_file(file, options)
        data.recordings.append(recording)
        data.notices += notices
    return data


def read_file(path: Path, options: Options) -> tuple[Recording, list[str]]:
    header, rows = read_table(path)
    where = match_columns(path, header, options)
    numbers = [where[a] for a in AXES if a in where]
    columns = ([where["t_ms"]] if "t_ms" in where else []) + numbers
    table = np.array([to_numbers(path, i, row, columns) for i, row in rows])
    if len(table) < 2:
        raise BeckonError(f"{path}: holds {len(table)} samples")
    if "t_ms" in where:
        table[:, 0] = (table[:, 0] - table[0, 0]) * options.time_scale()
    elif options.rate_hz:
        t = np.arange(len(table)) * 1000 / options.rate_hz
        table = np.column_stack([t, table])
    else:
        raise BeckonError(f"{path}: has no column of times; give the rate with --rate", 2)
    table[:, 1:] *= options.scale(table.shape[1] - 1)
    samples, start_ms, rate_hz, gaps, notices = even_grid(path, table)
    end_ms = float(table[-1, 0])
    if options.label is None and "label" in where:
        spans = runs_of([row[where["label"]] for _, row in rows], table[:, 0], options.subject)
    else:
        label = options.label or label_of(path)
        spans = [Span(0.0, end_ms, label, options.subject)]
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    return Recording(name, samples, rate_hz, tuple(spans), start_ms, gaps, "", path,
                     native_hz=rate_hz), notices


def read_table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and (line number, fields) of the other lines; , ; and tab separate."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as e:
        raise BeckonError(f"{path}: cannot be read ({e})") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        rows = [(lines.line_num, row) for row in lines if row]
    except csv.Error as e:
        raise BeckonError(f"{path}:{lines.line_num}: {e}") from None
    if not rows:
        raise BeckonError(f"{path}: is empty")
    return [" ".join(h.split()) for h in rows[0][1]], rows[1:]


def match_columns(path: Path, header: list[str], options: Options) -> dict[str, int]:
    """Our column names -> places in the file."""
    where: dict[str, int] = {}
    listed = ", ".join(header)[:200]
    for ours, theirs in options.columns:
        if theirs not in header:
            raise BeckonError(f"{path}: has no column {theirs!r}, only {listed}", 2)
        where[ours] = header.index(theirs)
    for i, name in enumerate(header):
        found = None
        if _TIME.match(name):
            found = "t_ms"
        elif _LABEL.match(name):
            found = "label"
        elif m := _ACCEL.match(name):
            found = "a" + m[2].lower()
        elif m := _GYRO.match(name):
            found = "g" + m[2].lower()
        if found and i not in where.values():
            where.setdefault(found, i)
    lacking = [a for a in AXES[:3] if a not in where]
    if lacking:
        raise BeckonError(
            f"{path}: cannot tell which column is {lacking[0]} among {listed}; "
            f"say so with --columns {lacking[0]}=NAME", 2
        )
    if 0 < sum(a in where for a in AXES[3:]) < 3:
        raise BeckonError(f"{path}: does not have all of gx, gy, gz", 2)
    return where


def to_numbers(path: Path, line: int, row: list[str], columns: list[int]) -> list[float]:
    out = []
    for i in columns:
        try:
            out.append(float(row[i]))
        except (ValueError, IndexError):
            text = row[i] if i < len(row) else "nothing"
            raise BeckonError(f"{path}:{line}: {text!r} is not a number") from None
    if not (np.abs(out) < MOST).all():
        raise BeckonError(f"{path}:{line}: not a finite number below {MOST:g}")
    return out


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


def label_of(path: Path) -> str:
    """"circle.3f2a.csv", "circle_01.csv", "circle01.csv" -> "circle"."""
    stem = path.name.split(".")[0]
    return re.split(r"[\d]", stem)[0].rstrip("_- ") or stem


def write(data: Dataset, folder: Path, options: Options) -> int:
    """NAME.csv for each recording, columns and units as the options say; returns how many."""
    names = {"t_ms": "t_ms" if options.time == "ms" else "time", **dict(options.columns)}
    with new_folder(folder) as temporary:
        for r in data.recordings:
            columns = [names.get(c, c) for c in ("t_ms", *AXES[: r.axes], "label")]
            t_ms = r.start_ms + np.arange(len(r.samples)) * 1000 / r.rate_hz
            values = r.samples / options.scale(r.axes)
            with open(temporary / f"{file_name(r)}.csv", "w", newline="", encoding="utf-8") as f:
                out = csv.writer(f, lineterminator="\n")
                out.writerow(columns)
                for t, row, label in zip(t_ms / options.time_scale(), values.tolist(),
                                         labels_at(r, t_ms), strict=True):
                    out.writerow((f"{t:.10g}", *(f"{v:.7g}" for v in row), label))
    return len(data.recordings)


def labels_at(r: Recording, t_ms: np.ndarray) -> list[str]:
    """The label of the span that each moment is in, "" outside: what runs_of turns back."""
    out = [""] * len(t_ms)
    for s in r.spans:
        first, last = np.searchsorted(t_ms, (s.start_ms - 1e-6, s.end_ms - 1e-6))
        out[first:last] = [s.label] * (last - first)
    return out
