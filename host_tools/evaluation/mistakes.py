"""What went wrong, one line each, the hardest mistakes first.

A false event is the harder the surer the model was; then come missed gestures,
then repeated ones. Wrong spans are sorted by the confidence in the wrong label.
"""
from __future__ import annotations

from dataclasses import dataclass

from host_tools.evaluation.evaluate import Evaluation, Stream
from host_tools.evaluation.matching import DUPLICATE, FALSE, in_reach

MISSED = "missed"
_ORDER = {FALSE: 0, MISSED: 1, DUPLICATE: 2}


@dataclass(frozen=True)
class Mistake:
    """kind: FALSE, MISSED or DUPLICATE. t_ms: of the event, or where the missed span starts.

    truth: label of the span there, "" outside all. confidence: percent, None if missed.
    """

    recording: str
    subject: str
    t_ms: float
    kind: str
    label: str
    truth: str
    confidence: int | None


def event_mistakes(result: Evaluation) -> list[Mistake]:
    """Every false, missed and repeated event."""
    out = []
    for s in result.streams:
        r = s.recording
        for event, verdict in zip(s.events, s.verdicts, strict=True):
            if verdict.kind in _ORDER:
                out.append(Mistake(r.name, r.subject, event.t_ms, verdict.kind, event.label,
                                   _truth_at(s, event.t_ms), event.confidence))
        for k in s.missed:
            span = s.gestures[k]
            out.append(Mistake(r.name, r.subject, span.start_ms, MISSED, "", span.label, None))
    return sorted(out, key=lambda m: (_ORDER[m.kind], -(m.confidence or 0), m.recording, m.t_ms))


def _truth_at(s: Stream, t_ms: float) -> str:
    """The gesture whose span, or second after it, holds t_ms; the latest one."""
    near = [g for g in s.gestures if in_reach(t_ms, g.start_ms, g.end_ms)]
    return max(near, key=lambda g: g.start_ms).label if near else ""


def span_mistakes(result: Evaluation) -> list[Mistake]:
    """Every span that was taken for another label."""
    spans, labels = result.spans, result.model.labels
    out = []
    for i, (k, span) in enumerate(spans.where):
        if spans.truth[i] != spans.found[i]:
            name = result.data.recordings[k].name
            out.append(Mistake(name, span.subject, span.start_ms, FALSE, labels[spans.found[i]],
                               span.label, int(spans.confidence[i])))
    return sorted(out, key=lambda m: (-(m.confidence or 0), m.recording, m.t_ms))
