"""Divide a data set so that nobody is judged on what was trained on.

By subject where there are enough; otherwise each label's recordings in
their order, cut into runs, since recordings made one after another are alike.
Recordings of one group always stay together.
"""
from __future__ import annotations

from collections import defaultdict

import numpy as np

from .groups import assign_groups
from .labels import is_idle
from .recording import Dataset

LEAST_SUBJECTS = 2


def folds(data: Dataset, count: int, seed: int = 0) -> list[list[int]]:
    """Recording indices of `count` parts, each as like the whole as can be.

    Raises ValueError when there are fewer groups than parts.
    """
    if data.recordings and not data.recordings[0].group:
        assign_groups(data)
    people = {r.subject for r in data.recordings if r.subject}
    gesturing = {
        r.subject for r in data.recordings if any(not is_idle(s.label) for s in r.spans)
    }
    part = np.full(len(data.recordings), -1)
    if len(gesturing) >= max(LEAST_SUBJECTS, count):
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


def hold_out(data: Dataset, seed: int = 0) -> tuple[Dataset, Dataset]:
    """(training, validation): validation is about a quarter, every label in both if possible."""
    people = {r.subject for r in data.recordings if any(not is_idle(s.label) for s in r.spans)}
    count = min(4, len(people)) if len(people) >= LEAST_SUBJECTS else 3
    parts = folds(data, count, seed)
    gestures = {s.label for r in data.recordings for s in r.spans if not is_idle(s.label)}
    for held in parts:
        chosen = set(held)
        left = [r for i, r in enumerate(data.recordings) if i not in chosen]
        if gestures <= {s.label for r in left for s in r.spans} and held:
            out = [r for i, r in enumerate(data.recordings) if i in chosen]
            return Dataset(data.name, left), Dataset(data.name, out)
    raise ValueError(f"{data.name}: too few recordings to hold some out")
