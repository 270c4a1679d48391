"""Ward's categories: insertions, deletions, merges, fragmentation, overfill and underfill.

    found = ward(result)                      # Ward: .truth, .reported, .seconds

After Ward, Lukowicz & Gellersen, "Performance Metrics for Activity Recognition" (ACM TIST
2(1), 2011). They compare stretches of time, while a board reports an instant. So an event
stands for the movement that it ended: the last one in the window before it, since the event
before. Each label is compared on its own, gesture against everything else, and the counts are
added. A wrong name is thus a deletion of one label and an insertion of another.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from host_tools.augment.energy import centred_energy
from host_tools.dataset import Recording
from host_tools.evaluation.evaluate import Evaluation, Stream

CORRECT, DELETED, FRAGMENTED, MERGED = "correct", "deleted", "fragmented", "merged"
INSERTED, FRAGMENTING, MERGING = "inserted", "fragmenting", "merging"
BOTH, BOTH_REPORTED = "fragmented and merged", "fragmenting and merging"
SECONDS = ("correct", "deleted", "inserted", "merged", "fragmented", "overfill at the start",
           "overfill at the end", "underfill at the start", "underfill at the end")
_MOVES = 0.12  # of the strongest moment in the window
_PAUSE_S = 0.3  # shorter pauses are inside a movement

Stretch = tuple[float, float]


@dataclass
class Ward:
    """truth: gestures of each category, reported: events, seconds: time (names in SECONDS)."""

    truth: Counter[str] = field(default_factory=Counter)
    reported: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SECONDS, 0.0))

    def __add__(self, other: Ward) -> Ward:
        seconds = {k: s + other.seconds[k] for k, s in self.seconds.items()}
        return Ward(self.truth + other.truth, self.reported + other.reported, seconds)

    def as_json(self) -> dict:
        return {
            "truth": {k: self.truth[k] for k in (CORRECT, DELETED, FRAGMENTED, MERGED, BOTH)},
            "reported": {k: self.reported[k]
                         for k in (CORRECT, INSERTED, FRAGMENTING, MERGING, BOTH_REPORTED)},
            "seconds": {k: round(self.seconds[k], 3) for k in SECONDS},
        }


def ward(result: Evaluation) -> Ward:
    """All streams and labels together."""
    out = Ward()
    for s in result.streams:
        movements = movements_of(s, _window_ms(result))
        for label in {*(g.label for g in s.gestures), *(e.label for e in s.events)}:
            truth = [(g.start_ms, g.end_ms) for g in s.gestures if g.label == label]
            found = [m for m, e in zip(movements, s.events, strict=True) if e.label == label]
            out += compared(truth, found)
    return out


def _window_ms(result: Evaluation) -> float:
    fe = result.model.front_end
    return fe.window * fe.decimation * 1000.0 / fe.rate_hz


def movements_of(stream: Stream, window_ms: float) -> list[Stretch]:
    """The movement that each event ended, (start, end) in ms on the recording's clock."""
    out, before = [], -np.inf
    for event in stream.events:
        out.append(_last_movement(stream.recording, max(event.t_ms - window_ms, before),
                                  event.t_ms))
        before = event.t_ms
    return out


def _last_movement(r: Recording, start_ms: float, end_ms: float) -> Stretch:
    """The last movement between two times; all that lies between them if nothing moves."""
    n = len(r.samples)
    a, b = (min(n, max(0, round(r.index(t)))) for t in (start_ms, end_ms))
    if b - a < 2:
        return start_ms, end_ms
    level = centred_energy(r.samples[a:b].T, r.rate_hz)
    moving = np.flatnonzero(level > max(1.0, _MOVES * float(level.max())))
    if not len(moving):
        return start_ms, end_ms
    pauses = np.flatnonzero(np.diff(moving) > _PAUSE_S * r.rate_hz)
    first = moving[pauses[-1] + 1] if len(pauses) else moving[0]
    period_ms = 1000.0 / r.rate_hz
    return (r.start_ms + (a + int(first)) * period_ms,
            r.start_ms + (a + int(moving[-1]) + 1) * period_ms)


def compared(truth: Sequence[Stretch], found: Sequence[Stretch]) -> Ward:
    """Stretches of one label, in ms; those that touch each other count as one."""
    truth, found = _united(truth), _united(found)
    partners = [[j for j, f in enumerate(found) if t[0] < f[1] and f[0] < t[1]] for t in truth]
    merges = Counter(j for near in partners for j in near)
    split = {j for near in partners if len(near) > 1 for j in near}
    out = Ward()
    for near in partners:
        merged, several = any(merges[j] > 1 for j in near), len(near) > 1
        out.truth[BOTH if merged and several else MERGED if merged else FRAGMENTED if several
                  else CORRECT if near else DELETED] += 1
    for j in range(len(found)):
        merging, one = merges[j] > 1, j in split
        out.reported[BOTH_REPORTED if merging and one else MERGING if merging else FRAGMENTING
                     if one else CORRECT if merges[j] else INSERTED] += 1
    out.seconds = _seconds(truth, found)
    return out


def _united(stretches: Sequence[Stretch]) -> list[Stretch]:
    out: list[Stretch] = []
    for a, b in sorted(s for s in stretches if s[1] > s[0]):
        if out and a <= out[-1][1]:
            out[-1] = out[-1][0], max(b, out[-1][1])
        else:
            out.append((a, b))
    return out


def _seconds(truth: list[Stretch], found: list[Stretch]) -> dict[str, float]:
    """Time of each category: what a segment is follows from its neighbours (section 4.1 there)."""
    edges = sorted({t for s in (*truth, *found) for t in s})
    kinds = []
    for a, b in zip(edges, edges[1:], strict=False):
        middle = (a + b) / 2
        kinds.append((_holds(truth, middle), _holds(found, middle)))
    out = dict.fromkeys(SECONDS, 0.0)
    right = (True, True)
    for k, kind in enumerate(kinds):
        before = k > 0 and kinds[k - 1] == right
        after = k + 1 < len(kinds) and kinds[k + 1] == right
        name = {right: "correct", (False, False): ""}.get(kind)
        if name is None:
            inside, edge, alone = ("fragmented", "underfill", "deleted") if kind[0] else (
                "merged", "overfill", "inserted")
            # What comes before the part that is right is at the start
            name = (inside if before and after else f"{edge} at the end" if before
                    else f"{edge} at the start" if after else alone)
        if name:
            out[name] += (edges[k + 1] - edges[k]) / 1000
    return out


def _holds(stretches: list[Stretch], t: float) -> bool:
    return any(a < t < b for a, b in stretches)
