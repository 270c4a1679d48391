"""Cross-validation: train without a part of the data, judge on that part, for each part in turn.

    parts = parts_by(data, "subject", 5)
    result = cross_validate(data, parts, lambda known: choose(known, 100))

What a data set says about people, or days, that a model has not seen. Every
choice, the recipe's and the debouncer's, is made on the known parts alone.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from host_tools.dataset import Dataset, is_idle
from host_tools.evaluation.confusions import Habit, habits
from host_tools.evaluation.evaluate import evaluate
from host_tools.evaluation.metrics import Tally, confusion, json_number, macro_f1, ratio
from host_tools.training.calibrate import streams_of
from host_tools.training.recipe import Recipe
from host_tools.training.train import train


@dataclass(frozen=True)
class Fold:
    """One part that was held out.

    held: subjects in it. truth, found: labels of its spans, str (n,). habits: what of
    that is a person's way, not a mistake. unknown: labels that the other parts lack,
    whose spans do not count. events: on streams of the part, real ones and joined
    single gestures.
    """

    held: tuple[str, ...]
    recordings: int
    truth: np.ndarray
    found: np.ndarray
    habits: tuple[Habit, ...]
    unknown: tuple[str, ...]
    events: Tally
    model_bytes: int

    @property
    def accuracy(self) -> float:
        return ratio(int((self.truth == self.found).sum()), len(self.truth))


@dataclass(frozen=True)
class CrossValidation:
    folds: tuple[Fold, ...]

    @property
    def events(self) -> Tally:
        """All folds' events together."""
        return sum((fold.events for fold in self.folds), Tally())

    def as_json(self) -> dict:
        """Plain values; a figure that does not exist is null."""
        truth = np.concatenate([f.truth for f in self.folds])
        found = np.concatenate([f.found for f in self.folds])
        labels = sorted({*truth.tolist(), *found.tolist()})
        place = {label: i for i, label in enumerate(labels)}
        matrix = confusion(
            np.array([place[x] for x in truth.tolist()], int),
            np.array([place[x] for x in found.tolist()], int), len(labels),
        )
        return {
            "span": {
                "count": len(truth),
                "accuracy": json_number(ratio(int((truth == found).sum()), len(truth))),
                "macro_f1": json_number(macro_f1(matrix)),
                "labels": labels,
                "confusion": matrix.tolist(),
            },
            "events": self.events.as_json(),
            "habits": [asdict(h) for f in self.folds for h in f.habits],
            "model": {"bytes": max(f.model_bytes for f in self.folds)},
            "folds": [
                {
                    "held": list(f.held),
                    "recordings": f.recordings,
                    "span": {"count": len(f.truth), "accuracy": json_number(f.accuracy)},
                    "events": f.events.as_json(),
                    "unknown": list(f.unknown),
                }
                for f in self.folds
            ],
        }


def cross_validate(
    data: Dataset,
    parts: Sequence[Sequence[int]],
    recipe_for: Callable[[Dataset], Recipe],
    budget_per_hour: float = 1.0,
    progress=None,
    counted: int | None = None,
) -> CrossValidation:
    """Train and judge once a part.

    parts: recording indices, no index in two. recipe_for: makes a recipe of
    the known recordings. progress(fold, Report): called while training.
    counted: so many recordings at the beginning are the data set; spans of
    the others, the negatives, are not judged, only the events in them.
    """
    out = []
    for number, held in enumerate(parts):
        chosen = set(held)
        known = Dataset(data.name, [r for i, r in enumerate(data.recordings) if i not in chosen])
        test = Dataset(data.name, [r for i, r in enumerate(data.recordings) if i in chosen])
        recipe = recipe_for(known)

        def show(report, number=number):
            if progress is not None:
                progress(number, report)

        model = train(known, recipe, show, budget_per_hour).model
        own = Dataset(data.name, [data.recordings[i] for i in sorted(chosen)
                                  if counted is None or i < counted])
        judged = evaluate(model, own)
        rng = np.random.default_rng(recipe.seed)
        streams = evaluate(model, Dataset("streams", streams_of(test, recipe, rng)))
        labels = np.array(model.labels)
        truth, found = labels[judged.spans.truth], labels[judged.spans.found]
        out.append(Fold(
            tuple(sorted({r.subject for r in own.recordings})),
            len(test.recordings),
            truth, found, tuple(habits(truth, found, judged.spans.subject)),
            tuple(sorted({x for x in own.labels if x not in model.labels and not is_idle(x)})),
            streams.tally(), judged.model_bytes,
        ))
    return CrossValidation(tuple(out))
