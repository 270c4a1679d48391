"""All the figures for a model on a data set, measured with the board's integers.

    result = evaluate(read_model("gesture.mlp"), read_dataset("data/demo"))
    json.dump(result.as_json(), file)
"""
from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from host_tools.augment.continuing import continuing_in, continuing_notice
from host_tools.dataset import Dataset, Recording, Span
from host_tools.evaluation.curve import Point, curve, recall_at
from host_tools.evaluation.emulator import Board, Detected, Windows
from host_tools.evaluation.matching import GRACE_MS, HIT, Verdict, judge
from host_tools.evaluation.metrics import Tally, confusion, json_number, macro_f1, ratio
from host_tools.evaluation.rule_events import RuleTrack, with_rules
from host_tools.evaluation.span_accuracy import SpanResults, label_number, span_results
from host_tools.model.codec import encode
from host_tools.model.format import Model


@dataclass(frozen=True)
class Stream:
    """One recording through the board.

    gestures: the spans that count as events, those with a label of the model
    that is not idle. events and verdicts belong together. continuing: labels that go on.
    """

    recording: Recording
    gestures: tuple[Span, ...]
    windows: Windows
    events: tuple[Detected, ...]
    verdicts: tuple[Verdict, ...]
    missed: tuple[int, ...]
    continuing: tuple[str, ...] = ()

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
            truth = sum(label in (None, g.label) for g in s.gestures)
            verdicts = [v for e, v in zip(s.events, s.verdicts, strict=True)
                        if label in (None, e.label)]
            out += Tally.of(truth, verdicts, s.idle_s)
        return out

    @cached_property
    def curve(self) -> list[Point]:
        """Recall and false alarms with other thresholds."""
        return curve(self.model, self.streams)

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
                reported = sum(events.values())
                out[label] = {
                    "windows": json_number(wrong / named),
                    "events": json_number(ratio(reported - events[label], reported)),
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
                "span_recall": json_number(ratio(matrix[k, k], matrix[k].sum())),
                "span_precision": json_number(ratio(matrix[k, k], matrix[:, k].sum())),
            }
            if k != model.idle:
                entry["events"] = self.tally(label=label).as_json()
            per_class[label] = entry
        return {
            "events": self.tally().as_json(),
            "recall_at_false_per_hour": recall_at(self.curve),
            "curve": [p.as_json() for p in self.curve],
            "span": {
                "count": int(len(self.spans.truth)),
                "accuracy": json_number(self.spans.accuracy),
                "macro_f1": json_number(macro_f1(matrix)),
                "not_yet": self.not_yet,
                "labels": list(labels),
                "confusion": matrix.tolist(),
            },
            "per_class": per_class,
            "per_subject": {
                name: {
                    "span_accuracy": json_number(self._accuracy_of(name)),
                    "events": self.tally(subject=name).as_json(),
                }
                for name in subjects
            },
            "error_ratios": self.error_ratios(),
            "model": {"bytes": self.model_bytes, "id": model.model_id, "macs": model.macs},
            "speed": {"realtime_factor": json_number(self.realtime_factor)},
            "data": {
                "name": self.data.name,
                "recordings": len(self.streams),
                "seconds": json_number(sum(s.recording.seconds for s in self.streams)),
            },
            "notices": self.notices,
        }

    def _accuracy_of(self, subject: str) -> float:
        mine = self.spans.subject == subject
        return ratio((self.spans.truth == self.spans.found)[mine].sum(), mine.sum())


def evaluate(model: Model, data: Dataset, progress=None, rules: str = "") -> Evaluation:
    """Run every recording through the model. progress(): called after each recording.

    rules: as the board's setting; rule gestures beside the network. Spans with their labels are
    gestures then.

    Spans whose label the model does not know count as no gesture, with a
    notice: that is how everyday movement is used to count false alarms.
    """
    board = Board(model)
    unknown: Counter[str] = Counter()
    continuing = tuple(k for k in continuing_in(data) if label_number(model, k) >= 0)
    streams = []
    begun = time.perf_counter()
    raws = [board.raw(r) for r in data.recordings]
    fe = model.front_end
    ruled = RuleTrack(rules, fe.rate_hz, fe.accel_g).names if rules else ()
    for r, raw, windows in zip(data.recordings, raws, board.windows_of(data.recordings, raws),
                               strict=True):
        events = board.events(windows)
        if rules:
            events = with_rules(board, rules, r, raw, events)
        unknown += Counter(s.label for s in r.spans
                           if label_number(model, s.label) < 0 and s.label not in ruled)
        gestures = [s for s in r.spans
                    if label_number(model, s.label) not in (-1, model.idle) or s.label in ruled]
        streams.append(
            Stream(r, tuple(gestures), windows, tuple(events),
                   *judge(gestures, events, continuing), continuing)
        )
        if progress is not None:
            progress()
    busy_s = time.perf_counter() - begun
    notices = list(data.notices)
    if continuing:
        notices.append(continuing_notice(continuing))
    if unknown:
        listed = ", ".join(f"{label} ({n})" for label, n in sorted(unknown.items()))
        notices.append(f"the model does not know these labels, they count as no gesture: {listed}")
    board_s = sum(s.recording.seconds + GRACE_MS / 1000 for s in streams)
    factor = ratio(board_s, busy_s)
    return Evaluation(model, data, span_results(board, data, raws), streams, factor, notices)


__all__ = ["Evaluation", "Stream", "Tally", "evaluate"]
