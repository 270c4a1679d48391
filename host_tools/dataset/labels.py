"""labels.csv for programs that change it: read what is there, write all of it at once.

    table = read_labels_file(path)        # an empty one if there is no file yet
    table.rows["take-01"].append(Row(1200, 2100, "circle", "anna"))
    write_labels_file(path, table)

What reading for training refuses (folder.read_labels) is refused here, too, except that
a file may be missing or hold no span yet. Columns that Beckon does not know are kept.
"""
from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from host_tools.dataset.folder import read_labels
from host_tools.errors import BeckonError
from host_tools.files import replace_file

COLUMNS = ("recording", "start_ms", "end_ms", "label", "subject")


@dataclass(frozen=True)
class Row:
    """One span; other: the values of unknown columns, in the order of LabelsTable.other."""

    start_ms: float
    end_ms: float
    label: str
    subject: str = ""
    other: tuple[str, ...] = ()


@dataclass
class LabelsTable:
    """rows: by recording, in the file's order; other: names of unknown columns."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    other: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The file's bytes: UTF-8, one line per span, those of a recording by time."""
        text = io.StringIO()
        out = csv.writer(text, lineterminator="\n")
        out.writerow((*COLUMNS, *self.other))
        for recording, rows in self.rows.items():
            for row in sorted(rows, key=lambda r: r.start_ms):
                other = row.other or ("",) * len(self.other)
                out.writerow((recording, _number(row.start_ms), _number(row.end_ms), row.label,
                              row.subject, *other))
        return text.getvalue().encode("utf-8")


def read_labels_file(path: Path) -> LabelsTable:
    """The file's table. Raises BeckonError naming the line."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return LabelsTable()
    except OSError as error:
        raise BeckonError("{path}: cannot be read ({reason})", path=path,
                          reason=error.strerror) from None
    if not data.strip():
        return LabelsTable()
    try:
        rows = list(_rows(data))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BeckonError("{path}: not a CSV text file ({error})", path=path,
                          error=error) from None
    header = rows[0][1] if rows else []
    other = tuple(c for c in header if c not in COLUMNS)
    table = LabelsTable({}, other)
    if len(rows) < 2 and set(COLUMNS[:4]) <= set(header):
        return table
    by_line = dict(rows[1:])
    places = [header.index(c) for c in other]
    for recording, spans in read_labels(path).items():
        for span in spans:
            values = by_line.get(span.line, [])
            extra = tuple(values[i] if i < len(values) else "" for i in places)
            table.rows.setdefault(recording, []).append(
                Row(span.start_ms, span.end_ms, span.label, span.subject, extra)
            )
    return table


def _rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields), as csv.DictReader counts lines and skips empty ones."""
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    for fields in reader:
        if fields:
            yield reader.line_num, fields


def write_labels_file(path: Path, table: LabelsTable) -> bytes:
    """Write the table whole or not at all; returns the bytes. Raises BeckonError.

    A crash or a power cut at any moment leaves the old file or the new one.
    """
    data = table.encode()
    try:
        replace_file(path, data)
    except OSError as error:
        raise BeckonError("{path}: cannot be written ({reason}); the labels are unchanged",
                          path=path, reason=error.strerror) from None
    return data


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
