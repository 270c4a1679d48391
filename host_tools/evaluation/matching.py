"""Which events are right: detections against labelled spans. The only place that decides it.

An event hits a span when its label is the span's and its time lies between the
span's start and GRACE_MS after the span's end; the first such event only. A
further one is a duplicate, every other event is false. A span that no event
hits is missed. Latency is the event's time minus the span's end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

GRACE_MS = 1000.0

HIT, DUPLICATE, FALSE = "hit", "duplicate", "false"


@dataclass(frozen=True)
class Verdict:
    """kind: HIT, DUPLICATE or FALSE; span: index of the span concerned, or None.

    latency_ms: of a hit, else None. It is negative before the span's end.
    """

    kind: str
    span: int | None = None
    latency_ms: float | None = None


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
    gestures: Sequence[Labelled], events: Sequence[Reported]
) -> tuple[tuple[Verdict, ...], tuple[int, ...]]:
    """One verdict per event, and the indices of the gestures that no event hit."""
    spans = [(g.start_ms, g.end_ms, g.label) for g in gestures]
    verdicts = match_events(spans, [(e.t_ms, e.label) for e in events])
    return tuple(verdicts), tuple(missed(spans, verdicts))


def in_reach(t_ms: float, start_ms: float, end_ms: float) -> bool:
    """Whether an event at t_ms can belong to a span: inside it, or within the grace after it."""
    return start_ms <= t_ms <= end_ms + GRACE_MS


def match_events(
    spans: Sequence[tuple[float, float, str]], events: Sequence[tuple[float, str]]
) -> list[Verdict]:
    """One verdict per event, in the order given.

    spans: (start_ms, end_ms, label) of gestures only. events: (t_ms, label). A
    span's hit is its earliest fitting event that hits no earlier span.
    """
    taken: set[int] = set()
    verdicts: list[Verdict] = [Verdict(FALSE)] * len(events)
    by_time = sorted(range(len(events)), key=lambda i: events[i][0])
    order = sorted(range(len(spans)), key=lambda i: spans[i][0])
    for i in by_time:
        t_ms, label = events[i]
        fitting = [
            k
            for k in order
            if spans[k][2] == label and in_reach(t_ms, spans[k][0], spans[k][1])
        ]
        free = [k for k in fitting if k not in taken]
        if free:
            taken.add(free[0])
            verdicts[i] = Verdict(HIT, free[0], t_ms - spans[free[0]][1])
        elif fitting:
            verdicts[i] = Verdict(DUPLICATE, fitting[-1])
    return verdicts


def missed(spans: Sequence[tuple[float, float, str]], verdicts: Sequence[Verdict]) -> list[int]:
    """Indices of the spans that no event hit."""
    hit = {verdict.span for verdict in verdicts if verdict.kind == HIT}
    return [i for i in range(len(spans)) if i not in hit]
