"""Find recordings that hold the same movement: copies, shifted copies, thinned copies.

A copy of a training window in validation makes every figure a lie, and data
sets are full of them: augmented tables, overlapping windows, the same event at
two rates. Two recordings belong together when they share at least three
samples, equal in all axes to the last digit, taken while something moved.
"""
from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from host_tools.dataset.recording import Dataset

_SHARED = 3
_MOVES = 0.5  # m/s^2 away from the recording's median: a sample that is hardly met by chance
_MOST_OWNERS = 64  # a sample in more recordings than this says nothing (coarse resolution)


def assign_groups(data: Dataset) -> int:
    """Give every recording of data its group; returns how many recordings share one."""
    owners: dict[bytes, list[int]] = defaultdict(list)
    for i, r in enumerate(data.recordings):
        x = r.samples[:, :3]
        away = np.abs(x - np.median(x, axis=0)).max(axis=1)
        rows = np.unique(np.round(r.samples[away > _MOVES], 3), axis=0)
        for row in rows:
            owners[row.tobytes()].append(i)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for held in owners.values():
        if 1 < len(held) <= _MOST_OWNERS:
            for a in held[1:]:
                shared[held[0], a] += 1
            for a, b in zip(held[1:], held[2:], strict=False):
                shared[a, b] += 1
    leader = list(range(len(data.recordings)))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    for (a, b), count in shared.items():
        if count >= _SHARED:
            leader[max(find(a), find(b))] = min(find(a), find(b))
    roots = [find(i) for i in range(len(leader))]
    names = [data.recordings[i].name for i in roots]
    data.recordings = [
        replace(r, group=name) for r, name in zip(data.recordings, names, strict=True)
    ]
    sizes: dict[int, int] = defaultdict(int)
    for i in roots:
        sizes[i] += 1
    return sum(n for n in sizes.values() if n > 1)
