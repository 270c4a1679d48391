"""Plain CSV of any make: the columns are guessed from their names, or given.

A file holds one recording or several takes; two files of a phone's sensors hold one. Its
label comes from the option, from a column `label` (runs of the same value become spans),
from its folder, or from its name up to the first dot or digit. Written files have a column
`label`, empty outside the spans.
"""
from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from host_tools.dataset.convert.label_studio import Part, parts_of, read_annotations
from host_tools.dataset.convert.labelling import Labelling
from host_tools.dataset.convert.layout import find_layout
from host_tools.dataset.convert.options import Imported, Options, Piece
from host_tools.dataset.convert.samples import read_series, source_of, to_pieces
from host_tools.dataset.convert.sensor_files import group_files, read_group
from host_tools.dataset.convert.tables import read_table
from host_tools.dataset.convert.times import annotated_parts
from host_tools.dataset.convert.writer import file_name, new_folder
from host_tools.dataset.recording import AXES, Dataset, Recording

_SUFFIXES = (".csv", ".csv.gz", ".txt", ".tsv", ".txt.gz", ".tsv.gz", ".log", ".dat")
_PASSED_OVER = re.compile(
    r"^(labels|metadata|meta|device|time|annotation|readme|license|activity_key)(\.|$)", re.I)


def is_text_table(path: Path) -> bool:
    return path.name.lower().endswith(_SUFFIXES)


def files_of(path: Path) -> list[Path]:
    """A file, or every table of a folder; without what loggers write about a recording."""
    if path.is_file():
        return [path]
    return sorted(
        p for p in path.rglob("*")
        if p.is_file() and is_text_table(p) and not _PASSED_OVER.match(p.name)
        and "meta" not in (parent.name for parent in p.relative_to(path).parents)
    )


def read(path: Path, options: Options) -> Imported:
    files = files_of(path)
    beside: list[Path] = []
    if path.is_dir():
        beside = [p for p in sorted(path.rglob("*")) if p.suffix.lower() in (".json", ".csv")
                  and p.is_file()]
    parts, exports = read_annotations(beside)
    return read_files(path, [f for f in files if f not in exports], options, parts)


def read_files(
    root: Path, files: list[Path], options: Options, parts: dict[str, list[Part]] | None = None
) -> Imported:
    """The tables among a folder's files; those of one recording's sensors are joined.

    parts: annotations by name of file.
    """
    data = Imported(root.name, [])
    groups = group_files(files)
    labelling = Labelling(root, [group.labelled for group in groups], options)
    for group in groups:
        if group.single:
            pieces, notices = read_file(group.path, options, labelling, "", parts)
        else:
            pieces, notices = read_group(group, options, labelling)
        data.add(pieces)
        data.notices += notices
    return data


def read_file(
    path: Path, options: Options, labelling: Labelling | None = None, form: str = "",
    parts: dict[str, list[Part]] | None = None,
) -> tuple[list[Piece], list[str]]:
    """The takes of one file, and notices. Raises BeckonError naming file and line."""
    labelling = labelling or Labelling(path, [path], options)
    table = read_table(path)
    layout = find_layout(table, options)
    series = read_series(table, layout, options)
    source = source_of(layout, series, form or layout.form)
    listed = parts_of(path, parts or {})
    if listed is not None and not options.label:
        series.parts = annotated_parts(path, listed, series.time, series.origin_ms,
                                       options.rate_hz)
    by_column = labelling.by_column(path, series.labels is not None)
    return to_pieces(path, series, source, options, label_stem(path),
                     None if by_column else lambda name, row: labelling.label(path),
                     labelling.subject(path))


def label_stem(path: Path) -> str:
    """The file's name without what says its format."""
    name = path.name
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] or name
    return path.stem


def write(data: Dataset, folder: Path, options: Options) -> int:
    """NAME.csv for each recording, columns and units as the options say; returns how many."""
    names = {"t_ms": "t_ms" if (options.time or "ms") == "ms" else "time", **dict(options.columns)}
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
