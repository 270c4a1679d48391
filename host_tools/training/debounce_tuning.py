"""Choose the debouncer's settings: the best event F1 on streams the network was not trained on.

Every candidate runs through the firmware's own debouncer. Of the settings
that keep to the budget of false alarms, the best F1 wins; where several are
as good, the one in the middle of the good ones is taken, since the edge of a
plateau is where the next person falls off, and delay is paid for.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from host_tools.dataset import Recording, is_idle
from host_tools.evaluation.emulator import Board, Windows
from host_tools.evaluation.matching import DUPLICATE, FALSE, HIT, match_events

THRESHOLDS = (30, 40, 50, 60, 65, 70, 75, 80, 85, 88, 90)  # smoothed labels end at 95
# Windows of a gesture, as time: long ones let the end of a movement outvote its beginning
_COUNT_MS = (40.0, 80.0, 120.0, 160.0, 200.0, 240.0, 320.0, 400.0, 520.0, 640.0, 800.0)
_QUIET_MS = (240.0, 160.0, 320.0)  # the first one unless another is better
_DEAD_MS = (400.0, 0.0, 700.0)
_FREE_MS = 150.0  # delay that costs nothing
_COST_MS = 20_000.0  # so much delay more is worth as much as all of F1
_COST_OF_FALSE = 1 / 200  # of F1, for each false alarm an hour beyond the budget
_LEAST_S = 900.0  # false alarms in less time than this say little about an hour


@dataclass(frozen=True)
class Score:
    """What settings achieve. f1 counts a repeated event like a false one."""

    f1: float
    false_per_hour: float
    latency_p50_ms: float

    @property
    def worth(self) -> float:
        return self.f1 - max(0.0, self.latency_p50_ms - _FREE_MS) / _COST_MS


def pack(threshold=80, min_count=4, min_span=0, quiet=6, refractory=10, majority_of=0) -> bytes:
    """Settings as they lie in the model file."""
    return bytes([threshold, min_count, min_span, quiet, refractory, majority_of, 0, 0])


DEFAULT = pack()


def score(board: Board, streams: Sequence[tuple[Recording, Windows]], settings: bytes) -> Score:
    """Event figures of one candidate over streams and their windows."""
    truth = hits = false = repeated = 0
    idle_s = 0.0
    latency = []
    for recording, windows in streams:
        spans = [(s.start_ms, s.end_ms, s.label) for s in recording.spans if not is_idle(s.label)]
        events = board.events(windows, settings)
        for v in match_events(spans, [(e.t_ms, e.label) for e in events]):
            hits += v.kind == HIT
            false += v.kind == FALSE
            repeated += v.kind == DUPLICATE
            if v.latency_ms is not None:
                latency.append(v.latency_ms)
        truth += len(spans)
        idle_s += _idle_s(recording)
    told = hits + false + repeated
    return Score(
        2 * hits / max(1, truth + told),
        3600 * false / max(1.0, idle_s),
        float(np.median(latency)) if latency else 1000.0,
    )


def _idle_s(r: Recording) -> float:
    """Seconds of a recording outside its gestures."""
    return r.seconds - sum(s.length_ms for s in r.spans if not is_idle(s.label)) / 1000


def tune(
    board: Board, streams: Sequence[tuple[Recording, Windows]], budget_per_hour: float = 1.0
) -> tuple[bytes, Score]:
    """The settings for this board, and what they achieve on these streams."""
    hop_ms = board.model.front_end.hop_ms
    idle_s = sum(_idle_s(r) for r, _ in streams)

    def measure(threshold, count, quiet_ms, dead_ms):
        quiet, dead = max(1, round(quiet_ms / hop_ms)), round(dead_ms / hop_ms)
        settings = pack(threshold, count, 0, quiet, dead)
        s = score(board, streams, settings)
        over = max(0.0, s.false_per_hour - budget_per_hour) if idle_s > _LEAST_S else 0.0
        return s.worth - min(0.5, over * _COST_OF_FALSE), settings, s

    counts = sorted({max(1, round(ms / hop_ms)) for ms in _COUNT_MS})
    grid = {
        (i, j): measure(threshold, count, _QUIET_MS[0], _DEAD_MS[0])
        for i, threshold in enumerate(THRESHOLDS)
        for j, count in enumerate(counts)
    }

    # The mean with the neighbours in threshold and count: the middle of a plateau wins.
    # Beyond the grid nothing is known to be good, so that its edge is no middle.
    def around(i, j):
        near = [grid[a, b][0] if (a, b) in grid else 0.0
                for a in (i - 1, i, i + 1) for b in (j - 1, j, j + 1)]
        return (2 * grid[i, j][0] + float(np.mean(near))) / 3

    i, j = max(grid, key=lambda key: (around(*key), -abs(key[0] - 6), -key[1]))
    best = grid[i, j]
    for quiet_ms, dead_ms in product(_QUIET_MS, _DEAD_MS):
        other = measure(THRESHOLDS[i], counts[j], quiet_ms, dead_ms)
        if other[0] > best[0] + 0.002:
            best = other
    return best[1], best[2]
