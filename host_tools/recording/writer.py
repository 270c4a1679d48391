"""Recordings into a data-set folder: CSV.gz, JSON beside it, labels.csv; never half of one."""

import csv
import gzip
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.errors import BeckonError
from host_tools.files import replace_file
from host_tools.recording.blocks import Block
from host_tools.recording.takes import joined

_HEADER = ("recording", "start_ms", "end_ms", "label", "subject")
_AXES = ("ax", "ay", "az", "gx", "gy", "gz")
_LEAST_FREE = 1 << 20


@dataclass(frozen=True)
class LabelledSpan:
    """Samples [start, stop) by the source's index."""

    start: int
    stop: int
    label: str


@dataclass(frozen=True)
class Segment:
    """Samples [first, end) of a session that become one recording."""

    first: int
    end: int
    spans: tuple[LabelledSpan, ...]


def check_name(what: str, name: str) -> str:
    """name, if it can be a label or a subject. Raises BeckonError."""
    bad = sorted({c for c in name if not (c.isalnum() or c in "_- .")})
    if bad:
        raise BeckonError("{what} {name!r} holds {bad!r}; use letters, digits, _ and -", status=2,
                          what=what, name=name, bad=bad[0])
    if not name.strip() or name != name.strip() or name.startswith("."):
        raise BeckonError("{what} {name!r} cannot be; use letters, digits, _ and -", status=2,
                          what=what, name=name)
    if len(name.encode()) > 32:
        raise BeckonError("{what} {name!r} is too long; 32 bytes are allowed", status=2, what=what,
                          name=name)
    return name


def check_folder(folder: Path) -> None:
    """Make folder and see that it can be written to. Raises BeckonError."""
    probe = folder / "recordings" / f".beckon-{os.getpid()}.tmp"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
        if shutil.disk_usage(folder).free < _LEAST_FREE:
            raise OSError(28, "No space left on device")
    except OSError as error:
        probe.unlink(missing_ok=True) if probe.parent.is_dir() else None
        raise _fault(folder, error) from None


def segments(length: int, spans: list[LabelledSpan], bad: list[tuple[int, int]]) -> list[Segment]:
    """The parts of a session of `length` samples that hold labelled spans and no bad take.

    A bad take is an unlabelled gesture: it must not be taken for rest.
    """
    found = []
    first = 0
    for start, end in sorted(bad) + [(length, length)]:
        start = max(first, start)
        inside = tuple(s for s in spans if first <= s.start and s.stop <= start)
        if inside:
            found.append(Segment(first, start, inside))
        first = max(first, end)
    return found


def write_recording(
    folder: Path,
    name: str,
    blocks: list[Block],
    segment: Segment,
    rate_hz: float,
    about: dict[str, Any],
    subject: str,
    utc_start: datetime,
) -> Path:
    """Write one segment; returns the CSV's path. rate_hz: as measured. Raises BeckonError.

    Lost samples leave a gap in t_ms. about: more entries for the JSON file.
    """
    rows, indices, lost = _rows(blocks, segment)
    period_ms = 1000 / rate_hz
    data = gzip.compress(_csv((indices - segment.first) * period_ms, rows), mtime=0)
    path = folder / "recordings" / f"{name}.csv.gz"
    entries = {
        **about,
        "subject": subject,
        "utc_start": utc_start.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "measured_hz": round(rate_hz, 4),
        "samples": len(rows),
        "dropped": lost,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    lines = [(name, f"{(s.start - segment.first) * period_ms:.0f}",
              f"{(s.stop - segment.first) * period_ms:.0f}", s.label, subject)
             for s in segment.spans]  # fmt: skip
    try:
        if path.exists():
            raise BeckonError("{path} exists already; name another folder", path=path)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
        beside = (json.dumps(entries, indent=2) + "\n").encode()
        replace_file(folder / "recordings" / f"{name}.json", beside)
        if lines:
            _append(folder / "labels.csv", lines)
    except OSError as error:
        raise _fault(folder, error) from None
    return path


def _csv(t_ms: np.ndarray, values: np.ndarray) -> bytes:
    """t_ms (n,) and values (n, 3 or 6), with digits enough to give the counts back."""
    axes = values.shape[1]
    pattern = ",".join(["%.2f"] + ["%.4f"] * min(3, axes) + ["%.3f"] * (axes - 3))
    lines = [",".join(("t_ms", *_AXES[:axes]))]
    lines += [pattern % (t, *row) for t, row in zip(t_ms, values, strict=True)]
    return ("\n".join(lines) + "\n").encode()


def _rows(blocks: list[Block], segment: Segment) -> tuple[np.ndarray, np.ndarray, int]:
    values, _, lost = joined(blocks, segment.first, segment.end)
    indices = [np.arange(max(b.index, segment.first), min(b.end, segment.end)) for b in blocks
               if b.index < segment.end and b.end > segment.first]  # fmt: skip
    return values, np.concatenate(indices) if indices else np.zeros(0, int), lost


def _append(path: Path, lines: Iterable[tuple[str, ...]]) -> None:
    """Add lines to labels.csv; whoever reads it sees the old file or the new one."""
    old = path.read_text(encoding="utf-8") if path.exists() else ",".join(_HEADER) + "\n"
    if old and not old.endswith("\n"):
        old += "\n"
    header = next(csv.reader(io.StringIO(old)), [])
    if list(_HEADER[:4]) != [c for c in header if c in _HEADER[:4]]:
        raise BeckonError("{path}:1: the first line must be {header}; fix it", path=path,
                          header=','.join(_HEADER))
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n", extrasaction="ignore", restval="")
    for line in lines:
        writer.writerow(dict(zip(_HEADER, line, strict=True)))
    replace_file(path, (old + out.getvalue()).encode())


def _fault(folder: Path, error: OSError) -> BeckonError:
    if error.errno == 28:
        return BeckonError("no space left for {folder}; free some, or name another folder with "
                           "--out", folder=folder)
    return BeckonError("{filename}: {reason}; name another folder with --out",
                       filename=error.filename or folder, reason=error.strerror)
