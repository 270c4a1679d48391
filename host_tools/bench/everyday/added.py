"""A gesture added to a model that is there: few takes of it, by somebody new.

The old gestures are other people's. The new one has so many takes of the person who is
judged, and of nobody else.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from host_tools.dataset import Dataset, Recording
from host_tools.training.answers import Heard
from host_tools.training.train import Trained

SETS = {  # name: old gestures, the new one
    "forearm": (("circle_clk", "swipe_left", "swipe_right", "swipe_up", "p_shape"), "v_shape"),
    "letters": (("J", "O", "S", "T", "Z"), "X"),
}
PEOPLE = 2
_MOST_TAKES = 5


@dataclass
class _Found:
    """Gestures that were found, of how many."""

    found: int = 0
    truth: int = 0

    def add(self, found: np.ndarray) -> None:
        self.found += int(found.sum())
        self.truth += len(found)

    @property
    def recall(self) -> float:
        return self.found / max(1, self.truth)


def added(
    takes: int,
    set_of: Callable[[str], Dataset],
    trained: Callable[[str, Dataset], Trained],
    streams_of: Callable[[Dataset], list[Recording]],
    people: int,
) -> dict[str, Any]:
    """Recall of the new gesture, and of the old ones with and without it."""
    new, old, before = _Found(), _Found(), _Found()
    false = 0
    for name, (labels, label) in SETS.items():
        data = set_of(name)
        for person in data.subjects[:people]:
            others = data.subset(
                lambda r, p=person, k=labels: r.subject != p and r.spans[0].label in k
            )
            own = data.subset(lambda r, p=person: r.subject == p).recordings
            mine = [r for r in own if r.spans[0].label == label]
            test = [r for r in own if r.spans[0].label in labels]
            streams = streams_of(Dataset(name, [*test, *mine[_MOST_TAKES:]]))
            known = Dataset(name, [*others.recordings, *mine[:takes]])
            model = trained(f"added.{takes} {person} {label}", known)
            hits, is_new, wrong = _judged(model, streams, label)
            new.add(hits[is_new])
            old.add(hits[~is_new])
            false += wrong
            without = trained(f"added.{takes} {person} without {label}", others)
            hits, is_new, _ = _judged(without, streams_of(Dataset(name, test)), label)
            before.add(hits[~is_new])
    return {
        "recall": new.recall, "hits": new.found, "truth": new.truth, "old_recall": old.recall,
        "old_recall_before": before.recall, "old_truth": old.truth, "false": false,
    }


def _judged(
    trained: Trained, streams: Sequence[Recording], label: str
) -> tuple[np.ndarray, np.ndarray, int]:
    """(which gestures were found, which of them are `label`, false events)."""
    heard = Heard.of(trained.model, streams)
    decision = trained.calibration.decision
    labels = trained.model.labels
    number = labels.index(label) if label in labels else -1
    return heard.found(decision), heard.label == number, heard.judge(decision).false
