"""Divide a data set so that nobody is judged on what was trained on.

By subject where there are enough; otherwise each label's recordings in
their order, cut into runs, since recordings made one after another are alike.
Recordings of one group always stay together.
"""
from __future__ import annotations

import json
from collections import defaultdict

import numpy as np

from host_tools.dataset.idle import is_idle
from host_tools.dataset.near_duplicates import assign_groups
from host_tools.dataset.recording import Dataset, Recording
from host_tools.errors import BeckonError

LEAST_SUBJECTS = 2
BY = ("subject", "day", "recording")


def parts_by(data: Dataset, by: str, count: int, seed: int = 0) -> list[list[int]]:
    """Recording indices of `count` parts; no subject, or no day, is in two of them.

    by: one of BY. A day is that of `utc_start` in the NAME.json beside a
    recording; recordings of no gesture without one are dealt out in their
    order. Raises BeckonError when there are fewer subjects or days than parts.
    """
    if by == "recording":
        return _checked(data, folds(data, count, seed, by_order=True), by)
    keys = [r.subject if by == "subject" else day_of(r) for r in data.recordings]
    names = sorted({k for k, r in zip(keys, data.recordings, strict=True) if k and _gestures(r)})
    if len(names) < count:
        raise BeckonError(
            f"{data.name}: gestures of {len(names)} {by}s ({', '.join(names) or 'none is named'}) "
            f"make no {count} parts; take fewer, or --by recording", 2
        )
    for k, r in zip(keys, data.recordings, strict=True):
        if not k and _gestures(r):
            raise BeckonError(f"{r.path or r.name}: its {by} is not known; take --by recording", 2)
    order = np.random.default_rng(seed).permutation(len(names))
    number = {names[j]: i % count for i, j in enumerate(order)}
    others = sorted({k or r.name for k, r in zip(keys, data.recordings, strict=True)} - set(names))
    number.update((name, i % count) for i, name in enumerate(others))
    part = np.array(
        [number[k or r.name] for k, r in zip(keys, data.recordings, strict=True)], int
    )
    if data.recordings and not data.recordings[0].group:
        assign_groups(data)
    _keep_groups(data, part)
    return _checked(data, [np.flatnonzero(part == k).tolist() for k in range(count)], by)


def day_of(r: Recording) -> str:
    """The day on which our recorder made the recording, "" if nothing tells."""
    if r.path is None:
        return ""
    stem = r.path.name.removesuffix(".gz").removesuffix(".csv")
    try:
        about = json.loads((r.path.parent / f"{stem}.json").read_text(encoding="utf-8"))
        return str(about["utc_start"])[:10]
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _gestures(r: Recording) -> bool:
    return any(not is_idle(s.label) for s in r.spans)


def _checked(data: Dataset, parts: list[list[int]], by: str) -> list[list[int]]:
    for part in parts:
        if not any(_gestures(data.recordings[i]) for i in part):
            raise BeckonError(f"{data.name}: too few recordings for {len(parts)} parts", 2)
    return parts


def folds(
    data: Dataset, count: int, seed: int = 0, by_order: bool = False
) -> list[list[int]]:
    """Recording indices of `count` parts, each as like the whole as can be.

    by_order: each label's recordings in runs even if there are subjects enough.
    """
    if data.recordings and not data.recordings[0].group:
        assign_groups(data)
    people = {r.subject for r in data.recordings if r.subject}
    gesturing = {
        r.subject for r in data.recordings if any(not is_idle(s.label) for s in r.spans)
    }
    part = np.full(len(data.recordings), -1)
    if len(gesturing) >= max(LEAST_SUBJECTS, count) and not by_order:
        names = np.random.default_rng(seed).permutation(sorted(people | {""}))
        number = {name: i % count for i, name in enumerate(names)}
        # Subjects who make no gestures must not crowd those who do out of a part
        for i, name in enumerate(sorted(gesturing, key=list(names).index)):
            number[name] = i % count
        for i, r in enumerate(data.recordings):
            part[i] = number[r.subject]
    else:
        _by_order(data, part, count)
    _keep_groups(data, part)
    return [np.flatnonzero(part == k).tolist() for k in range(count)]


def _by_order(data: Dataset, part: np.ndarray, count: int) -> None:
    by_label = defaultdict(list)
    seen = set()
    for i, r in enumerate(data.recordings):
        part[i] = 0
        if r.group not in seen:  # the others follow in _keep_groups
            seen.add(r.group)
            by_label[r.spans[0].label if r.spans else ""].append(i)
    offset = 0
    for label in sorted(by_label):
        runs = np.array_split(np.array(by_label[label]), count)
        for k, run in enumerate(runs):
            # Few recordings leave some runs empty; not always the same ones
            part[run] = (k + (offset if len(by_label[label]) < count else 0)) % count
        offset += len(by_label[label])


def _keep_groups(data: Dataset, part: np.ndarray) -> None:
    first: dict[str, int] = {}
    for i, r in enumerate(data.recordings):
        part[i] = first.setdefault(r.group or r.name, part[i])
