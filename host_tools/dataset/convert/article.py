"""The tables of the article "TinyML: Machine Learning on ESP32 with MicroPython".

Windows: one row each, `label,shift,ax_0,ay_0,...,gz_0,ax_50,...`, the number
behind the name being milliseconds. Rows whose shift is not 0 are shifted
copies of others and are left out: what they teach, augmentation does better.
Streams: one CSV each with a column for every axis, named move_LABEL_... .
Written are windows of 1 s that begin with the span, as the author's do.
"""
from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from host_tools.dataset.convert import csv_files
from host_tools.dataset.convert.options import Imported, Options, Piece, Source
from host_tools.dataset.convert.tables import number, read_table
from host_tools.dataset.convert.text import decode, read_text
from host_tools.dataset.convert.writer import file_name, label_as_file, new_folder
from host_tools.dataset.folder import MOST
from host_tools.dataset.idle import is_idle
from host_tools.dataset.recording import AXES, Dataset, Recording, Span
from host_tools.dataset.resample import resample_recording
from host_tools.errors import BeckonError

_COLUMN = re.compile(r"^(a|acc_?|g|gyro?_?)([xyz])_(\d+)$", re.I)
_STREAM = re.compile(r"^move_([^_]+)_", re.I)
_ORIGINALS = (0, -99)  # values of shift; -99 marks further windows of no gesture
_NAMES = {"0": "none"}  # the author's number for it; a table with names needs no translation


def is_table(path: Path) -> bool:
    """Whether a CSV file is a table of windows, by its header."""
    try:
        with open(path, "rb") as file:
            head = (decode(file.read(4000)) or "") if path.suffix != ".gz" else read_text(path)
    except (OSError, BeckonError):
        return False
    return any(_COLUMN.match(name.strip()) for name in head.split("\n")[0].split(","))


def read(path: Path, options: Options) -> Imported:
    """A table of windows, a stream, or a folder of either."""
    files = [path] if path.is_file() else sorted(
        p for p in path.rglob("*") if p.name.lower().endswith((".csv", ".csv.gz"))
    )
    return read_files(path, files, options)


def read_files(path: Path, files: list[Path], options: Options) -> Imported:
    data = Imported(path.name, [])
    source = Source("article", "ms", options.accel or "m/s2", options.gyro or "dps",
                    options.accel is None, options.gyro is None)
    for file in files:
        table = read_table(file)
        if any(_COLUMN.match(h) for h in table.header):
            data.add([Piece(r, source) for r in _windows(file, table.header, table.rows, options)])
        else:
            stream = _STREAM.match(file.name)
            label = options.label or (stream[1] if stream else None)
            pieces, notices = csv_files.read_file(file, replace(options, label=label))
            data.add(pieces)
            data.notices += notices
    return data


def _windows(path: Path, header, rows, options: Options) -> list[Recording]:
    places: dict[int, dict[str, int]] = {}
    for i, name in enumerate(header):
        if m := _COLUMN.match(name):
            axis = m[1][0].lower() + m[2].lower()
            places.setdefault(int(m[3]), {})[axis] = i
    times = sorted(places)
    axes = [a for a in AXES if a in places[times[0]]]
    steps = {b - a for a, b in zip(times, times[1:], strict=False)}
    ragged = any(set(places[t]) != set(axes) for t in times)
    if len(steps) != 1 or ragged or len(axes) not in (3, 6):
        raise BeckonError("{path}:1: the columns are not an even grid of samples of 3 or 6 axes",
                          path=path)
    step_ms = steps.pop()
    columns = [places[t][a] for t in times for a in axes]
    label_at = header.index("label") if "label" in header else None
    shift_at = header.index("shift") if "shift" in header else None
    if label_at is None and options.label is None:
        raise BeckonError("{path}: has no column label; give it with --label", status=2, path=path)
    out: list[Recording] = []
    for line, row in rows:
        if shift_at is not None:
            if _to_numbers(path, line, row, [shift_at])[0] not in _ORIGINALS:
                continue
        values = _to_numbers(path, line, row, columns)
        samples = np.array(values).reshape(len(times), len(axes)) * options.scale(len(axes))
        found = options.label or row[label_at].strip()
        if not found:
            raise BeckonError("{path}:{line}: the window has no label", path=path, line=line)
        label = _NAMES.get(found, found)
        span = Span(0.0, float(times[-1] - times[0]), label, options.subject, line)
        rate_hz = 1000 / step_ms
        name = f"{label}_{len(out) + 1:04d}"
        out.append(Recording(name, samples.astype(np.float32), rate_hz, (span,), path=path,
                             native_hz=rate_hz))
    return out


def _to_numbers(path: Path, line: int, row: list[str], columns: list[int]) -> list[float]:
    out = []
    for i in columns:
        value = number(row[i]) if i < len(row) else None
        if value is None or not abs(value) < MOST:
            text = row[i] if i < len(row) else "nothing"
            raise BeckonError("{path}:{line}: {text!r} is not a finite number below {most:g}",
                              path=path, line=line, text=text, most=MOST)
        out.append(value)
    return out


_WINDOW_MS = 1000
_STREAM_COLUMNS = ("timestamp", "acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")


def write(data: Dataset, folder: Path, options: Options) -> int:
    """windows_RATEhz.csv with a row for each span, and move_LABEL_NAME.csv for each stream
    of one gesture; returns how many files. All at the lowest rate of the recordings.

    Raises BeckonError when the sample period is not a whole number of ms.
    """
    rate_hz = min(r.rate_hz for r in data.recordings)
    step_ms = 1000 / rate_hz
    if abs(step_ms - round(step_ms)) > 1e-6:
        raise BeckonError("{rate_hz:g} Hz: samples {step_ms:.4g} ms apart have no column's name "
                          "in whole ms; resample with --rate, to 20 Hz, say", status=2,
                          rate_hz=rate_hz, step_ms=step_ms)
    scale = options.scale(data.axes)
    times = np.arange(0, _WINDOW_MS + 1, round(step_ms))
    files = 1
    with new_folder(folder) as temporary:
        table = open(temporary / f"windows_{rate_hz:g}hz.csv", "w", newline="", encoding="utf-8")
        with table:
            out = csv.writer(table, lineterminator="\n")
            out.writerow(["label", "shift", *(
                f"{a}_{t}" for t in times for a in AXES[: data.axes])])
            for r in data.recordings:
                r = resample_recording(r, rate_hz)
                for s in r.spans:
                    at = round(r.index(s.start_ms)) + np.arange(len(times))
                    x = r.samples[np.clip(at, 0, len(r.samples) - 1), : data.axes] / scale
                    label = "0" if is_idle(s.label) else s.label
                    out.writerow([label, 0, *(f"{v:.7g}" for v in x.ravel().tolist())])
        for r in data.recordings:
            gestures = [s.label for s in r.spans if not is_idle(s.label)]
            if len(gestures) > 1 and len(set(gestures)) == 1:
                r = resample_recording(r, rate_hz)
                name = f"move_{label_as_file(gestures[0], '._')}_{file_name(r)}.csv"
                with open(temporary / name, "w", newline="", encoding="utf-8") as f:
                    out = csv.writer(f, lineterminator="\n")
                    out.writerow(_STREAM_COLUMNS[: 1 + data.axes])
                    for i, row in enumerate((r.samples[:, : data.axes] / scale).tolist()):
                        out.writerow((f"{i * step_ms:.10g}", *(f"{v:.7g}" for v in row)))
                files += 1
    return files
