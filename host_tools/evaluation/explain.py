"""Why the board said what it said: each class' share over time around an event, and words.

    around = shares(stream.windows, t_ms)
    around.percent[i]        # of window i, one number a class; the best is its confidence
    sentence = reason(stream, number, model)
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.evaluation.emulator import Windows
from host_tools.evaluation.evaluate import Stream
from host_tools.evaluation.matching import DUPLICATE, GRACE_MS, HIT, in_reach
from host_tools.model.format import Model

_NEAR_MS = 3000.0  # a label farther away explains nothing


@dataclass(frozen=True)
class Shares:
    """The windows around a moment.

    t_ms: float (k,), the ends of the windows. percent: int (k, classes), what the
    softmax of the engine gives each class. label, confidence: int (k,), what the
    debouncer gets.
    """

    t_ms: np.ndarray
    percent: np.ndarray
    label: np.ndarray
    confidence: np.ndarray


def shares(windows: Windows, t_ms: float, before_ms: float = 2000.0,
           after_ms: float = 1500.0) -> Shares:
    """The engine's answers from before_ms before t_ms to after_ms after it.

    No windows, if t_ms lies in a gap or outside of the recording.
    """
    for p in windows.pieces:
        hop_ms = p.t_ms[1] - p.t_ms[0] if len(p.t_ms) > 1 else 0.0
        if len(p.t_ms) and p.t_ms[0] - hop_ms <= t_ms <= p.t_ms[-1]:
            near = (p.t_ms >= t_ms - before_ms) & (p.t_ms <= t_ms + after_ms)
            return Shares(p.t_ms[near], p.shares[near].astype(int), p.label[near],
                          p.confidence[near])
    none = np.zeros(0, np.int64)
    return Shares(none.astype(float), np.zeros((0, 0), np.int64), none, none)


def reason(stream: Stream, number: int, model: Model) -> str:
    """In words, what is right or wrong with event `number` of the stream."""
    event, verdict = stream.events[number], stream.verdicts[number]
    gestures = stream.gestures
    if verdict.kind == HIT and verdict.span is not None and verdict.latency_ms is not None:
        side = "after" if verdict.latency_ms >= 0 else "before"
        return f"right: {abs(verdict.latency_ms):.0f} ms {side} the label's end"
    if verdict.kind == HIT:
        return f"right: during a {event.label} that goes on"
    if verdict.kind == DUPLICATE and verdict.span is not None:
        ends = gestures[verdict.span].end_ms / 1000
        return (f"repeated: the {event.label} that ends at {ends:.2f} s was reported already; "
                "a longer dead time or more quiet windows would hold it back")
    inside = [g for g in gestures if in_reach(event.t_ms, g.start_ms, g.end_ms)]
    if inside:
        return (f"false: a {inside[-1].label} is labelled here, it was taken for {event.label}; "
                "if the label is wrong, correct it")
    near = sorted((g for g in gestures if g.label == event.label),
                  key=lambda g: _away(g.start_ms, g.end_ms, event.t_ms))
    away = _away(near[0].start_ms, near[0].end_ms, event.t_ms) if near else _NEAR_MS + 1
    if near and away <= _NEAR_MS:
        when = "before its start" if event.t_ms < near[0].start_ms else "after its end"
        late = f" (later than {GRACE_MS / 1000:g} s does not count)" if "end" in when else ""
        return (f"false: the nearest {event.label} is labelled {away / 1000:.1f} s away, this came "
                f"{when}{late}")
    return (f"false: nothing is labelled here; label it {event.label} if one was made, or add it "
            "as a negative")


def _away(start_ms: float, end_ms: float, t_ms: float) -> float:
    return max(0.0, start_ms - t_ms, t_ms - end_ms)


__all__ = ["Shares", "reason", "shares"]
