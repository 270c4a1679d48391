"""Which events are right: detections against labelled spans. The only place that decides it.

An event hits a span when its label is the span's and its time lies between the
span's start and GRACE_MS after the span's end; the first such event only. A
further one is a duplicate, every other event is false. A span that no event
hits is missed. Latency is the event's time minus the span's end. An alarm is a false
event outside every gesture and the GRACE_MS after it.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

GRACE_MS = 1000.0

HIT, DUPLICATE, FALSE = "hit", "duplicate", "false"


class Verdict(NamedTuple):
    """kind: HIT, DUPLICATE or FALSE; span: index of the span concerned, or None.

    latency_ms: of a hit, else None. It is negative before the span's end. alarm: a false
    event outside every gesture. again: a hit of a movement that goes on, after its first one;
    such a movement's hits have no latency.
    """

    kind: str
    span: int | None = None
    latency_ms: float | None = None
    alarm: bool = False
    again: bool = False


class Labelled(Protocol):
    """A span of a gesture, as host_tools.dataset.Span."""

    @property
    def start_ms(self) -> float: ...
    @property
    def end_ms(self) -> float: ...
    @property
    def label(self) -> str: ...


class Reported(Protocol):
    """An event, as host_tools.evaluation.emulator.Detected."""

    @property
    def t_ms(self) -> float: ...
    @property
    def label(self) -> str: ...


def judge(
    gestures: Sequence[Labelled], events: Sequence[Reported],
    continuing: Collection[str] = (),
) -> tuple[tuple[Verdict, ...], tuple[int, ...]]:
    """One verdict per event, and the indices of the gestures that no event hit.

    continuing: labels of movements that go on (host_tools.augment.continuing). An event that
    repeats within one is right.
    """
    spans = [(g.start_ms, g.end_ms, g.label) for g in gestures]
    verdicts = match_events(spans, [(e.t_ms, e.label) for e in events])
    if continuing:
        verdicts = [_of_continuing(v) if e.label in continuing and v.span is not None else v
                    for e, v in zip(events, verdicts, strict=True)]  # fmt: skip
    return tuple(verdicts), tuple(missed(spans, verdicts))


def _of_continuing(verdict: Verdict) -> Verdict:
    return Verdict(HIT, verdict.span, again=verdict.kind == DUPLICATE)


def in_reach(t_ms: float, start_ms: float, end_ms: float) -> bool:
    """Whether an event at t_ms can belong to a span: inside it, or within the grace after it."""
    return start_ms <= t_ms <= end_ms + GRACE_MS


class Gestures:
    """Labelled spans, sorted once, for many runs of events: training tries thousands.

    start_ms, end_ms, label: (n,) each; labels are compared with ==.
    """

    def __init__(self, start_ms: ArrayLike, end_ms: ArrayLike, label: Sequence):
        start = np.asarray(start_ms, float)
        self._number = np.argsort(start, kind="stable").tolist()
        self._start = start[self._number]
        ends = np.asarray(end_ms, float)[self._number]
        self._reach = np.maximum.accumulate(ends + GRACE_MS)  # of this span and those before
        self._end = ends.tolist()
        self._label = [label[i] for i in self._number]

    def __len__(self) -> int:
        return len(self._end)

    def match(self, t_ms: np.ndarray, label: Sequence) -> list[Verdict]:
        """One verdict per event, in the order given: t_ms float (k,), label (k,).

        A span's hit is its earliest fitting event that hits no earlier span.
        """
        out = [_ALARM] * len(t_ms)
        # Spans first..last - 1 have begun, and one of them may still be in reach
        first = np.searchsorted(self._reach, t_ms, side="left")
        last = np.searchsorted(self._start, t_ms, side="right")
        near = np.flatnonzero(first < last)
        taken = [False] * len(self)
        for i in near[np.argsort(t_ms[near], kind="stable")].tolist():
            t, name = float(t_ms[i]), label[i]
            places = range(int(first[i]), int(last[i]))
            there = [k for k in places if t <= self._end[k] + GRACE_MS]
            fitting = [k for k in there if self._label[k] == name]
            free = [k for k in fitting if not taken[k]]
            if free:
                taken[free[0]] = True
                out[i] = Verdict(HIT, self._number[free[0]], t - self._end[free[0]])
            elif fitting:
                out[i] = Verdict(DUPLICATE, self._number[fitting[-1]])
            elif there:
                out[i] = _MISNAMED
        return out


_ALARM, _MISNAMED = Verdict(FALSE, alarm=True), Verdict(FALSE)


def match_events(
    spans: Sequence[tuple[float, float, str]], events: Sequence[tuple[float, str]]
) -> list[Verdict]:
    """One verdict per event, in the order given.

    spans: (start_ms, end_ms, label) of gestures only. events: (t_ms, label).
    """
    found = Gestures([s[0] for s in spans], [s[1] for s in spans], [s[2] for s in spans])
    return found.match(np.array([t for t, _ in events], float), [label for _, label in events])


def missed(spans: Sequence[tuple[float, float, str]], verdicts: Sequence[Verdict]) -> list[int]:
    """Indices of the spans that no event hit."""
    hit = {verdict.span for verdict in verdicts if verdict.kind == HIT}
    return [i for i in range(len(spans)) if i not in hit]
