"""Read the data-set folder: recordings/NAME.csv[.gz] and labels.csv.

    dataset = read_dataset("shared/data/tkeyo_mpu6500_100hz")
    dataset = read_dataset("shared/data/tkeyo_mpu6500_20hz_windows:none")

recordings: `t_ms,ax,ay,az[,gx,gy,gz]`, m/s^2 with gravity and deg/s.
labels.csv: `recording,start_ms,end_ms,label,subject`. Outside its spans, a
labelled recording holds no gesture.
"""
from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path

import numpy as np

from host_tools.dataset.idle import IDLE_LABEL, split_spec
from host_tools.dataset.recording import AXES, Dataset, Recording, Span
from host_tools.dataset.timing import even_grid
from host_tools.errors import BeckonError
from host_tools.wording import counted

MOST = 1e15  # times since 1970 in microseconds fit, and every value into 32 bits' floats
# Reading takes seven times the file's size in memory. A packed recording is three to twenty times
# larger unpacked, one of a sensor that stands still fifty; a trap a thousand times.
_MOST_BYTES = 1 << 30
_MOST_PACKED = 64 << 20  # unpacked, or
_MOST_RATIO = 100
_SLACK_MS = 100.0  # a label may end this much after the last sample: rounding, half a sample


def read_dataset(spec: str | Path) -> Dataset:
    """Read one DATASET argument: a folder, or FOLDER:label,label.

    With a selection only spans with those labels remain, and recordings that
    have none of them are left out. Raises BeckonError naming file and line.
    """
    folder, wanted = split_spec(str(spec))
    if not folder.is_dir():
        raise BeckonError("{folder}: no such folder; name one with recordings/ and labels.csv",
                          folder=folder)
    spans = read_labels(folder / "labels.csv")
    paths = _recording_paths(folder)
    if wanted is not None:
        known = {s.label for group in spans.values() for s in group}
        for label in wanted:
            if label not in known:
                raise BeckonError("{folder}: no span is labelled {label!r}; there are {known}",
                                  folder=folder, label=label, known=', '.join(sorted(known)))
    recordings, notices = [], []
    for name, group in spans.items():
        if name not in paths:
            raise BeckonError("{path}:{line}: recording {name!r} is not in {folder}; add the file "
                              "or delete the line", path=folder / 'labels.csv', line=group[0].line,
                              name=name, folder=folder / 'recordings')
        recording, found = read_recording(paths[name])
        notices += found
        _check_spans(folder / "labels.csv", recording, group)
        if wanted is not None:
            group = [s for s in group if s.label in wanted]
            if not group:
                continue
        recordings.append(recording.with_spans(sorted(group, key=lambda s: s.start_ms)))
    unlabelled = sorted(set(paths) - set(spans))
    if unlabelled and wanted is None:
        notices.append(
            f"{folder}: not used: {counted(len(unlabelled), 'recording')} without a label "
            f"({', '.join(unlabelled[:3])}{', ...' if len(unlabelled) > 3 else ''})"
        )
    if not recordings:
        raise BeckonError("{folder}: no labelled recording; label one in labels.csv",
                          folder=folder)
    return Dataset(folder.name, recordings, notices)


def read_datasets(specs) -> Dataset:
    """Read several DATASET arguments into one; equal names get their folder before them."""
    parts = [read_dataset(s) for s in specs]
    if len(parts) == 1:
        return parts[0]
    merged = Dataset(" + ".join(p.name for p in parts), [], [])
    seen: dict[str, int] = {}
    for part in parts:
        for r in part.recordings:
            seen[r.name] = seen.get(r.name, 0) + 1
    for part in parts:
        for r in part.recordings:
            name = f"{part.name}/{r.name}" if seen[r.name] > 1 else r.name
            merged.recordings.append(Recording(**{**r.__dict__, "name": name}))
        merged.notices += part.notices
    return merged


def with_negatives(data: Dataset, negatives: Dataset) -> Dataset:
    """data and recordings that hold no gesture at all, whatever their labels say."""
    idle = []
    for r in negatives.recordings:
        end_ms = r.start_ms + (len(r.samples) - 1) * 1000 / r.rate_hz
        subject = r.spans[0].subject if r.spans else ""
        idle.append(r.with_spans([Span(r.start_ms, end_ms, IDLE_LABEL, subject)]))
    return Dataset(
        f"{data.name}, no gesture: {negatives.name}",
        [*data.recordings, *idle],
        [*data.notices, *negatives.notices],
    )


def _recording_paths(folder: Path) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for path in sorted((folder / "recordings").glob("*.csv*")):
        if path.name.endswith((".csv", ".csv.gz")):
            name = path.name.removesuffix(".gz").removesuffix(".csv")
            if name in paths:
                raise BeckonError("{path}: {name} is there as well; delete one", path=path,
                                  name=paths[name].name)
            paths[name] = path
    if not paths:
        raise BeckonError("{path}: holds no .csv or .csv.gz file", path=folder / 'recordings')
    return paths


def read_labels(path: Path) -> dict[str, list[Span]]:
    """labels.csv as recording -> spans. Raises BeckonError naming the line."""
    fields = ("recording", "start_ms", "end_ms", "label")
    spans: dict[str, list[Span]] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as f:
            rows = csv.DictReader(f)
            missing = [c for c in fields if c not in (rows.fieldnames or ())]
            if missing:
                raise BeckonError("{path}:1: no column {missing!r}; the first line must be "
                                  "recording,start_ms,end_ms,label,subject", path=path,
                                  missing=missing[0])
            for row in rows:
                line = rows.line_num
                if None in row or any(row[c] is None for c in fields):
                    raise BeckonError("{path}:{line}: {count} fields do not fit the header",
                                      path=path, line=line, count=len(row))
                try:
                    start, end = float(row["start_ms"]), float(row["end_ms"])
                except ValueError:
                    raise BeckonError("{path}:{line}: start_ms {start_ms!r} or end_ms {end_ms!r} "
                                      "is not a number", path=path, line=line,
                                      start_ms=row['start_ms'], end_ms=row['end_ms']) from None
                if not (np.isfinite(start) and np.isfinite(end) and 0 <= start < end):
                    raise BeckonError("{path}:{line}: span {start:g}..{end:g} ms; it must start "
                                      "at 0 or later and end after its start", path=path,
                                      line=line, start=start, end=end)
                label = row["label"].strip()
                if not label:
                    raise BeckonError("{path}:{line}: empty label; name the gesture", path=path,
                                      line=line)
                span = Span(start, end, label, (row.get("subject") or "").strip(), line)
                spans.setdefault(row["recording"].strip(), []).append(span)
    except FileNotFoundError:
        raise BeckonError("{path}: missing; label the recordings first", path=path) from None
    except (UnicodeDecodeError, csv.Error) as e:
        raise BeckonError("{path}: not a CSV text file ({e})", path=path, e=e) from None
    if not spans:
        raise BeckonError("{path}: holds no span; label the recordings first", path=path)
    return spans


def _check_spans(path: Path, recording: Recording, spans: list[Span]) -> None:
    end_ms = recording.start_ms + recording.seconds * 1000
    last = None
    for span in sorted(spans, key=lambda s: s.start_ms):
        if span.end_ms > end_ms + _SLACK_MS:
            raise BeckonError("{path}:{line}: span ends at {end_ms:g} ms, recording {recording!r} "
                              "at {recording_end_ms:.0f} ms", path=path, line=span.line,
                              end_ms=span.end_ms, recording=recording.name, recording_end_ms=end_ms)
        if last is not None and span.start_ms < last.end_ms:
            raise BeckonError("{path}:{line}: span {start_ms:g}..{end_ms:g} ms of {recording!r} "
                              "overlaps the one in line {other_line}", path=path, line=span.line,
                              start_ms=span.start_ms, end_ms=span.end_ms, recording=recording.name,
                              other_line=last.line)
        last = span


def read_recording(path: Path) -> tuple[Recording, list[str]]:
    """One recording file and notices about it. Raises BeckonError naming the line.

    An hour of six axes at 100 Hz takes less than half a second.
    """
    text = _text(path)
    header, _, body = text.partition("\n")
    columns = [c.strip() for c in header.split(",")]
    wanted = ["t_ms", *AXES] if len(columns) > 4 else ["t_ms", *AXES[:3]]
    if columns != wanted:
        raise BeckonError("{path}:1: columns {header!r}; they must be {wanted}", path=path,
                          header=header.strip(), wanted=','.join(wanted))
    lines = body.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) < 2:
        _numbers(path, lines, len(columns))  # a wrong line is worth more than their number
        raise BeckonError("{path}: holds {count} samples; record again", path=path,
                          count=len(lines))
    table = _table(path, lines, len(columns))
    samples, start_ms, rate_hz, gaps, notices = even_grid(path, table)
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    recording = Recording(
        name, samples, rate_hz, (), start_ms, gaps, "", path, native_hz=rate_hz
    )
    return recording, notices


def _text(path: Path) -> str:
    """What the file holds, unpacked."""
    try:
        most = _MOST_BYTES
        if path.suffix == ".gz":
            most = min(most, max(_MOST_PACKED, _MOST_RATIO * path.stat().st_size))
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            data = file.read(most + 1)
        if len(data) <= most:
            return data.decode("ascii")
    except (OSError, EOFError, zlib.error) as e:
        raise BeckonError("{path}: cannot be read ({e}); copy it again", path=path, e=e) from None
    except UnicodeDecodeError:
        raise BeckonError("{path}: not a CSV text file", path=path) from None
    raise BeckonError("{path}: holds more than {most} MB: cut it into pieces", path=path,
                      most=most >> 20)


def _table(path: Path, lines: list[str], columns: int) -> np.ndarray:
    """The numbers of CSV lines, float64 (lines, columns), each as float() reads it."""
    try:
        table = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2)
    except ValueError:
        return _numbers(path, lines, columns)
    # It passes over empty lines, and takes "nan" and "inf" for numbers
    if table.shape == (len(lines), columns) and (np.abs(table) < MOST).all():
        return table
    return _numbers(path, lines, columns)


def _numbers(path: Path, lines: list[str], columns: int) -> np.ndarray:
    """The same a line at a time: slow, but it knows which line is wrong. Raises BeckonError."""
    table = np.empty((len(lines), columns))
    for row, line in enumerate(lines):
        number = row + 2  # in the file: the first is the header
        fields = line.split(",")
        if len(fields) != columns:
            raise BeckonError("{path}:{number}: {count} fields instead of {columns}", path=path,
                              number=number, count=len(fields), columns=columns)
        for column, field in enumerate(fields):
            try:
                value = float(field.replace("_", "x"))  # 1_000 is a number in Python alone
            except ValueError:
                raise BeckonError("{path}:{number}: {field!r} is not a number", path=path,
                                  number=number, field=field.strip()) from None
            if not abs(value) < MOST:
                raise BeckonError("{path}:{number}: {field} is not a finite number below {most:g}",
                                  path=path, number=number, field=field.strip(), most=MOST)
            table[row, column] = value
    return table
