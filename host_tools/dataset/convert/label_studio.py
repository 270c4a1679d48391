"""Label Studio's labels of time series, for the CSV files that lie beside the export.

    labels = read_annotations(root, files)
    labels["circle.csv"]        [("0.5", "1.2", "circle"), ...]: texts or numbers, as exported

Exports as JSON, JSON-MIN and CSV are read. start and end are values of the file's own column
of times, or sample indices if it has none. Label Studio puts eight digits before the names of
files that were uploaded; both names are known here.
"""
from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from host_tools.dataset.convert.text import read_text
from host_tools.errors import BeckonError

Part = tuple[Any, Any, str]
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")
_KEY = "timeserieslabels"


def read_annotations(files: Iterable[Path]) -> tuple[dict[str, list[Part]], set[Path]]:
    """The parts by name of file, and the files that are exports. Raises BeckonError."""
    parts: dict[str, list[Part]] = {}
    exports: set[Path] = set()
    for path in files:
        tasks = _tasks(path)
        if tasks is None:
            continue
        exports.add(path)
        for task in tasks:
            try:
                _add(path, task, parts)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as e:
                raise BeckonError("{path}: not an export of Label Studio ({e!r})", path=path,
                                  e=e) from None
    return parts, exports


def parts_of(path: Path, parts: dict[str, list[Part]]) -> list[Part] | None:
    """The parts of a recording's file, None if no task is about it."""
    for name in (path.name, _UPLOADED.sub("", path.name)):
        if name in parts:
            return parts[name]
    return None


def _tasks(path: Path) -> list[dict] | None:
    """The tasks of an export, None for any other file."""
    suffix = path.suffix.lower()
    if suffix not in (".json", ".csv") or path.stat().st_size > 1 << 27:
        return None
    if suffix == ".csv":
        with open(path, "rb") as file:
            if b"annotation_id" not in file.read(2000).split(b"\n")[0]:
                return None
        return list(csv.DictReader(io.StringIO(read_text(path))))
    with open(path, "rb") as file:
        if file.read(200).lstrip(b"\xef\xbb\xbf \r\n\t")[:1] != b"[":
            return None
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, list) or not content or not isinstance(content[0], dict):
        return None
    first = content[0]
    is_full = isinstance(first.get("annotations"), list) and "data" in first
    is_small = "annotation_id" in first or "annotator" in first
    return content if is_full or is_small else None


def _add(path: Path, task: dict, parts: dict[str, list[Part]]) -> None:
    if "annotations" in task:
        done = [a for a in task["annotations"] if not a.get("was_cancelled")]
        found = _results(path, done[0]["result"]) if done else []
        names = [*_names(task["data"]), str(task.get("file_upload") or "")]
    else:
        found = [part for value in task.values() for part in _small(path, value)]
        names = _names(task)
    if not any(names):
        raise BeckonError("{path}: a task names no file of a recording; export tasks whose data "
                          "are CSV files", path=path)
    found.sort(key=lambda part: _order(part[0]))
    for name in filter(None, names):
        base = name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1].split("?")[0]
        parts[base] = parts[_UPLOADED.sub("", base)] = found


def _order(value: Any) -> tuple:
    return (0, value, "") if isinstance(value, int | float) else (1, 0, str(value))


def _names(data: Any) -> list[str]:
    """The values that name a table's file."""
    values = data.values() if isinstance(data, dict) else [data]
    return [v for v in values if isinstance(v, str)
            and re.search(r"\.(csv|tsv|txt)(\.gz)?(\?|$)", v, re.I)]


def _results(path: Path, results: list[dict]) -> list[Part]:
    out = []
    for result in results:
        kind = result.get("type")
        if kind != _KEY:
            raise BeckonError("{path}: has an annotation of type {kind!r}; {key} can be read",
                              path=path, kind=kind, key=_KEY)
        out += _part(path, result["value"])
    return out


def _small(path: Path, value: Any) -> list[Part]:
    if isinstance(value, str) and _KEY in value:
        value = json.loads(value)
    if isinstance(value, list) and any(isinstance(v, dict) and _KEY in v for v in value):
        return [part for v in value for part in _part(path, v)]
    return []


def _part(path: Path, value: dict) -> list[Part]:
    labels = value[_KEY]
    if len(labels) != 1 or not str(labels[0]).strip():
        raise BeckonError("{path}: the region from {start} to {end} has {count} labels; give it "
                          "one", path=path, start=value['start'], end=value['end'],
                          count=len(labels))
    if value["start"] == value["end"]:
        raise BeckonError("{path}: the region {labels!r} at {start} has no length; drag it wider, "
                          "or delete it", path=path, labels=labels[0], start=value['start'])
    return [(value["start"], value["end"], str(labels[0]).strip())]
