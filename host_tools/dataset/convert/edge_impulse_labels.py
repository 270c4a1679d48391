"""Edge Impulse's labels beside the samples: info.labels, and structured_labels.labels.

info.labels, as an export has it: {"files": [{"path", "category", "label": {"type", ...}}]} with
the types label, unlabeled and multi-label. structured_labels.labels, as its interface for
uploads takes it: {"structuredLabels": {FILE: [{"startIndex", "endIndex", "label"}]}}. Both
ends of a part are samples that belong to it.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools.dataset.convert.text import read_text
from host_tools.errors import BeckonError


@dataclass(frozen=True)
class FileLabel:
    """label: of the whole sample, or "". parts: (first, last, label). category: or ""."""

    label: str = ""
    parts: tuple[tuple[int, int, str], ...] = ()
    category: str = ""
    unlabelled: bool = False


def read_file_labels(root: Path) -> dict[Path, FileLabel]:
    """The labels of a folder's files. Raises BeckonError for types that are not known."""
    found: dict[Path, FileLabel] = {}
    if not root.is_dir():
        return found
    for info in sorted(root.rglob("info.labels")):
        found |= _info(info)
    for structured in sorted(root.rglob("structured_labels.labels")):
        for path, parts in _structured(structured).items():
            category = found[path].category if path in found else ""
            found[path] = FileLabel("", parts, category)
    return found


def _load(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as e:
        raise BeckonError("{path}: not a list of labels ({e!r})", path=path, e=e) from None


def _info(info: Path) -> dict[Path, FileLabel]:
    try:
        return {info.parent / str(f["path"]): _label(info, f) for f in _load(info)["files"]}
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise BeckonError("{info}: not a list of labels ({e!r})", info=info, e=e) from None


def _label(info: Path, entry: dict) -> FileLabel:
    label = entry.get("label") or {"type": "unlabeled"}
    category = str(entry.get("category", ""))
    category = category if category in ("training", "testing") else ""
    kind = label.get("type")
    if kind == "label":
        return FileLabel(str(label["label"]), (), category)
    if kind == "multi-label":
        return FileLabel("", _parts(info, label["labels"]), category)
    if kind == "unlabeled":
        return FileLabel("", (), category, unlabelled=True)
    raise BeckonError("{info}: {path} has a label of type {kind!r}; label, multi-label and "
                      "unlabeled can be read", info=info, path=entry['path'], kind=kind)


def _structured(path: Path) -> dict[Path, tuple[tuple[int, int, str], ...]]:
    content = _load(path)
    try:
        if content.get("type", "structured-labels") != "structured-labels":
            raise BeckonError("{path}: is of type {type!r}, not structured-labels", path=path,
                              type=content['type'])
        return {path.parent / str(name): _parts(path, parts)
                for name, parts in content["structuredLabels"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise BeckonError("{path}: not a list of labels ({e!r})", path=path, e=e) from None


def _parts(path: Path, listed: list[dict]) -> tuple[tuple[int, int, str], ...]:
    parts = []
    for part in listed:
        first, last = int(part["startIndex"]), int(part["endIndex"])
        label = str(part["label"]).strip()
        if not 0 <= first <= last or not label:
            raise BeckonError("{path}: a part from {first} to {last} labelled {label!r}",
                              path=path, first=first, last=last, label=label)
        parts.append((first, last, label))
    parts.sort()
    for (_, last, _), (first, _, label) in zip(parts, parts[1:], strict=False):
        if first <= last:
            raise BeckonError("{path}: the part {label!r} begins at {first}, within another",
                              path=path, label=label, first=first)
    return tuple(parts)
