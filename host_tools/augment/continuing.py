"""Which labels are movements that go on, and which are gestures made once: the only rule for it.

Training does not wait for the end of a movement that goes on, and evaluation counts neither
its latency nor a repeated event. Both follow the data that they are given.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from host_tools.augment.energy import moving_part
from host_tools.dataset import Dataset, is_idle

CONTINUING_S = 6.0  # a label that usually moves longer is a movement that goes on, no gesture


def continuing_labels(lengths: Iterable[tuple[str, float]]) -> tuple[str, ...]:
    """The labels that go on, sorted. lengths: label and seconds of movement, of each span."""
    seconds = defaultdict(list)
    for label, length_s in lengths:
        seconds[label].append(length_s)
    return tuple(k for k in sorted(seconds) if float(np.median(seconds[k])) > CONTINUING_S)


def continuing_in(data: Dataset) -> tuple[str, ...]:
    """The labels of a data set that go on."""
    lengths = []
    for r in data.recordings:
        for s in r.spans:
            first, last = max(0, round(r.index(s.start_ms))), round(r.index(s.end_ms)) + 1
            inside = r.samples[first:last]
            if len(inside) and not is_idle(s.label):
                a, b = moving_part(inside.T, r.rate_hz)
                lengths.append((s.label, (b - a) / r.rate_hz))
    return continuing_labels(lengths)


def continuing_notice(labels: Iterable[str], folder: str = "DATASET") -> str:
    """What training and evaluation say about labels that go on; "" if there are none."""
    listed = ", ".join(labels)
    return (f"{listed}: most spans move for more than {CONTINUING_S:g} s, so each counts as one "
            "movement that goes on, without latency or repeated events; if they repeat a gesture, "
            f"cut them into takes: beckon data cut {folder}" if listed else "")  # fmt: skip
