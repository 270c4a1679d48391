"""All the figures for a model on a data set, measured with the board's integers.

    result = evaluate(read_model("gesture.mlp"), read_dataset("data/demo"))
    json.dump(result.as_json(), file)
"""
from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from host_tools.dataset import Dataset, Recording, Span
from host_tools.evaluation.emulator import Board, Detected, Windows
from host_tools.evaluation.matching import (
    DUPLICATE,
    FALSE,
    GRACE_MS,
    HIT,
    Verdict,
    match_events,
    missed,
)
from host_tools.evaluation.metrics import confusion, macro_f1, poisson_interval, ratio
from host_tools.evaluation.span_accuracy import SpanResults, label_number, span_results
from host_tools.model.codec import encode
from host_tools.model.format import Model

_HOUR_S = 3600.0


@dataclass(frozen=True)
class Stream:
    """One recording through the board.

    gestures: the spans that count as events, those with a label of the model
    that is not idle. events and verdicts belong together.
    """

    recording: Recording
    gestures: tuple[Span, ...]
    windows: Windows
    events: tuple[Detected, ...]
    verdicts: tuple[Verdict, ...]
    missed: tuple[int, ...]

    @property
    def idle_s(self) -> float:
        """Seconds outside the gestures."""
        inside = sum(s.length_ms for s in self.gestures) / 1000
        return max(0.0, self.recording.seconds - inside)

    @property
    def wrong(self) -> int:
        """Number of missed, false and repeated events."""
        return len(self.missed) + sum(v.kind != HIT for v in self.verdicts)


@dataclass
class Tally:
    """Counts of events; latencies_ms of the hits."""

    truth: int = 0
    hits: int = 0
    missed: int = 0
    false: int = 0
    duplicates: int = 0
    idle_s: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return ratio(self.hits, self.hits + self.false + self.duplicates)

    @property
    def recall(self) -> float:
        return ratio(self.hits, self.truth)

    @property
    def f1(self) -> float:
        """2 hits / (truth + events): a repeated event counts like a false one."""
        return ratio(2 * self.hits, self.truth + self.hits + self.false + self.duplicates)

    def as_json(self) -> dict:
        hours = self.idle_s / _HOUR_S
        low, high = poisson_interval(self.false)
        latency = np.array(self.latencies_ms)
        return {
            "truth": self.truth,
            "hits": self.hits,
            "missed": self.missed,
            "false": self.false,
            "duplicates": self.duplicates,
            "precision": _number(self.precision),
            "recall": _number(self.recall),
            "f1": _number(self.f1),
            "idle_hours": _number(hours),
            "false_per_hour": _number(ratio(self.false, hours)),
            "false_per_hour_95": [_number(ratio(low, hours)), _number(ratio(high, hours))],
            "latency_ms": {
                "p50": _number(np.quantile(latency, 0.5)) if len(latency) else None,
                "p95": _number(np.quantile(latency, 0.95)) if len(latency) else None,
            },
        }


@dataclass
class Evaluation:
    model: Model
    data: Dataset
    spans: SpanResults
    streams: list[Stream]
    realtime_factor: float
    notices: list[str]

    def tally(self, label: str | None = None, subject: str | None = None) -> Tally:
        """Counts over everything, or over one label or one subject."""
        out = Tally()
        for s in self.streams:
            if subject is not None and s.recording.subject != subject:
                continue
            lost = set(s.missed)
            for i, span in enumerate(s.gestures):
                if label is None or span.label == label:
                    out.truth += 1
                    out.missed += i in lost
            for event, verdict in zip(s.events, s.verdicts, strict=True):
                if label is None or event.label == label:
                    out.hits += verdict.kind == HIT
                    out.false += verdict.kind == FALSE
                    out.duplicates += verdict.kind == DUPLICATE
                    if verdict.latency_ms is not None:
                        out.latencies_ms.append(verdict.latency_ms)
            out.idle_s += s.idle_s
        return out

    @property
    def model_bytes(self) -> int:
        """Size of the model file."""
        return len(encode(self.model))

    @property
    def confusion(self) -> np.ndarray:
        return confusion(self.spans.truth, self.spans.found, len(self.model.labels))

    def error_ratios(self) -> dict[str, dict[str, float | None]]:
        """The article's ratio for each gesture: of all windows named a gesture in the
        streams that hold only this one, the part named another; and the same of events."""
        out: dict[str, dict[str, float | None]] = {}
        labels = self.model.labels
        for label in labels:
            windows: Counter[int] = Counter()
            events: Counter[str] = Counter()
            for s in self.streams:
                if {g.label for g in s.gestures} == {label}:
                    for piece in s.windows.pieces:
                        windows.update(piece.label.tolist())
                    events.update(e.label for e in s.events)
            named = sum(n for k, n in windows.items() if k != self.model.idle)
            if named:
                wrong = named - windows[labels.index(label)]
                told = sum(events.values())
                out[label] = {
                    "windows": _number(wrong / named),
                    "events": _number(ratio(told - events[label], told)),
                }
        return out

    @property
    def not_yet(self) -> int:
        """Gestures that the network takes for none at their end."""
        idle = self.model.idle
        return int(self.confusion[:, idle].sum() - self.confusion[idle, idle])

    def as_json(self) -> dict:
        """Plain values; figures that do not exist are null."""
        model, labels = self.model, self.model.labels
        matrix = self.confusion
        subjects = sorted({s.recording.subject for s in self.streams})
        per_class = {}
        for k, label in enumerate(labels):
            entry: dict = {
                "spans": int(matrix[k].sum()),
                "span_recall": _number(ratio(matrix[k, k], matrix[k].sum())),
                "span_precision": _number(ratio(matrix[k, k], matrix[:, k].sum())),
            }
            if k != model.idle:
                entry["events"] = self.tally(label=label).as_json()
            per_class[label] = entry
        return {
            "span": {
                "count": int(len(self.spans.truth)),
                "accuracy": _number(self.spans.accuracy),
                "macro_f1": _number(macro_f1(matrix)),
                "not_yet": self.not_yet,
                "labels": list(labels),
                "confusion": matrix.tolist(),
            },
            "events": self.tally().as_json(),
            "per_class": per_class,
            "per_subject": {
                name: {
                    "span_accuracy": _number(self._accuracy_of(name)),
                    "events": self.tally(subject=name).as_json(),
                }
                for name in subjects
            },
            "error_ratios": self.error_ratios(),
            "model": {"bytes": self.model_bytes, "id": model.model_id, "macs": model.macs},
            "speed": {"realtime_factor": _number(self.realtime_factor)},
            "data": {
                "name": self.data.name,
                "recordings": len(self.streams),
                "seconds": _number(sum(s.recording.seconds for s in self.streams)),
            },
            "notices": self.notices,
        }

    def _accuracy_of(self, subject: str) -> float:
        mine = self.spans.subject == subject
        return ratio((self.spans.truth == self.spans.found)[mine].sum(), mine.sum())


def evaluate(model: Model, data: Dataset, progress=None) -> Evaluation:
    """Run every recording through the model. progress(): called after each recording.

    Spans whose label the model does not know count as no gesture, with a
    notice: that is how everyday movement is used to count false alarms.
    """
    board = Board(model)
    unknown: Counter[str] = Counter()
    streams = []
    begun = time.perf_counter()
    raws = [board.raw(r) for r in data.recordings]
    for r, windows in zip(data.recordings, board.windows_of(data.recordings, raws), strict=True):
        events = board.events(windows)
        unknown += Counter(s.label for s in r.spans if label_number(model, s.label) < 0)
        gestures = [s for s in r.spans if label_number(model, s.label) not in (-1, model.idle)]
        truth = [(s.start_ms, s.end_ms, s.label) for s in gestures]
        verdicts = match_events(truth, [(e.t_ms, e.label) for e in events])
        streams.append(
            Stream(r, tuple(gestures), windows, tuple(events), tuple(verdicts),
                   tuple(missed(truth, verdicts)))
        )
        if progress is not None:
            progress()
    busy_s = time.perf_counter() - begun
    notices = list(data.notices)
    if unknown:
        listed = ", ".join(f"{label} ({n})" for label, n in sorted(unknown.items()))
        notices.append(f"the model does not know these labels, they count as no gesture: {listed}")
    board_s = sum(s.recording.seconds + GRACE_MS / 1000 for s in streams)
    factor = ratio(board_s, busy_s)
    return Evaluation(model, data, span_results(board, data, raws), streams, factor, notices)


def _number(x) -> float | None:
    """A float for JSON, which knows no NaN."""
    x = float(x)
    return round(x, 6) if np.isfinite(x) else None


__all__ = ["Evaluation", "Stream", "Tally", "evaluate"]
