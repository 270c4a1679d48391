"""Cross-validation: train without a part of the data, judge on that part, for each part in turn.

    split = held_out(data, seed, "subject", 5)
    result = cross_validate(split.parts, lambda known: choose(known, 100))

What a data set says about people, or days, that a model has not seen. Every
choice, the recipe's and the decision's, is made on the known parts alone. What counts is
the events in streams: recorded streams, each person's single gestures joined to streams,
and the recordings without gestures as they are.
"""
from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from host_tools.dataset import Dataset, Recording, is_idle
from host_tools.evaluation.confusions import Habit, habits
from host_tools.evaluation.curve import Point, recall_at, together
from host_tools.evaluation.evaluate import Evaluation, evaluate
from host_tools.evaluation.metrics import Tally, confusion, json_number, macro_f1, ratio
from host_tools.training.calibrate import streams_of
from host_tools.training.recipe import Recipe
from host_tools.training.train import train

_CLIPS = 40  # recordings without gestures that something is put between gestures of
_CLIP_S = 3.0


@dataclass(frozen=True)
class Fold:
    """One part that was held out.

    held: subjects in it. truth, found: labels of its spans, str (n,). habits: what of
    that is a person's way, not a mistake. unknown: labels that the other parts lack,
    whose spans do not count. events: in streams and in recordings without gestures; by_label,
    by_subject: the same, divided. curve: with other thresholds.
    """

    held: tuple[str, ...]
    recordings: int
    truth: np.ndarray
    found: np.ndarray
    habits: tuple[Habit, ...]
    unknown: tuple[str, ...]
    events: Tally
    by_label: dict[str, Tally]
    by_subject: dict[str, Tally]
    span_subjects: np.ndarray
    curve: list[Point]
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

    @property
    def by_label(self) -> dict[str, Tally]:
        return _summed([fold.by_label for fold in self.folds])

    @property
    def by_subject(self) -> dict[str, Tally]:
        return _summed([fold.by_subject for fold in self.folds])

    @property
    def curve(self) -> list[Point]:
        """All folds' models with the same threshold, together."""
        return together([fold.curve for fold in self.folds])

    @property
    def weakest(self) -> str | None:
        """The gesture of which the smallest part is found."""
        known = {label: t.recall for label, t in self.by_label.items() if t.truth}
        return min(known, key=lambda label: (known[label], label), default=None)

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
        subjects = np.concatenate([f.span_subjects for f in self.folds])
        right = truth == found
        weakest, by_label, points = self.weakest, self.by_label, self.curve
        return {
            "events": self.events.as_json(),
            "recall_at_false_per_hour": recall_at(points),
            "curve": [p.as_json() for p in points],
            "weakest": None if weakest is None else {
                "label": weakest, "recall": json_number(by_label[weakest].recall)},
            "per_class": {k: {"events": t.as_json()} for k, t in sorted(by_label.items())},
            "per_subject": {
                k: {"events": t.as_json(), "span_accuracy": json_number(
                    ratio(int(right[subjects == k].sum()), int((subjects == k).sum())))}
                for k, t in sorted(self.by_subject.items())
            },
            "span": {
                "count": len(truth),
                "accuracy": json_number(ratio(int((truth == found).sum()), len(truth))),
                "macro_f1": json_number(macro_f1(matrix)),
                "labels": labels,
                "confusion": matrix.tolist(),
            },
            "habits": [asdict(h) for f in self.folds for h in f.habits],
            "model": {"bytes": max(f.model_bytes for f in self.folds)},
            "folds": [
                {
                    "held": list(f.held),
                    "recordings": f.recordings,
                    "events": f.events.as_json(),
                    "recall_at_false_per_hour": recall_at(f.curve),
                    "span": {"count": len(f.truth), "accuracy": json_number(f.accuracy)},
                    "unknown": list(f.unknown),
                }
                for f in self.folds
            ],
        }


def cross_validate(
    parts: Sequence[tuple[Dataset, Dataset]],
    recipe_for: Callable[[Dataset], Recipe],
    budget_per_hour: float = 1.0,
    progress=None,
    negatives: Container[str] = (),
) -> CrossValidation:
    """Train and judge once for each part.

    parts: (known, held out), as held_out() of host_tools/dataset/held_out.py divides the data.
    recipe_for: makes a recipe of the known recordings. progress(fold, Report): called while
    training. negatives: paths, or names, of recordings whose spans are not judged, only the
    events in them.
    """
    out = []
    for number, (known, test) in enumerate(parts):
        recipe = recipe_for(known)

        def show(report, number=number):
            if progress is not None:
                progress(number, report)

        model = train(known, recipe, show, budget_per_hour).model
        own = Dataset(test.name, [r for r in test.recordings
                                  if str(r.path or r.name) not in negatives])
        judged = evaluate(model, own)
        rng = np.random.default_rng(recipe.seed)
        heard = held_streams(test, recipe, rng)
        streams = evaluate(model, Dataset("streams", heard))
        labels = np.array(model.labels)
        truth, found = labels[judged.spans.truth], labels[judged.spans.found]
        out.append(Fold(
            tuple(sorted({r.subject for r in own.recordings})),
            len(test.recordings),
            truth, found, tuple(habits(truth, found, judged.spans.subject)),
            tuple(sorted({x for x in own.labels if x not in model.labels and not is_idle(x)})),
            streams.tally(), *_divided(streams), judged.spans.subject, streams.curve,
            judged.model_bytes,
        ))
    return CrossValidation(tuple(out))


def held_streams(
    test: Dataset, recipe: Recipe, rng: np.random.Generator
) -> list[Recording]:
    """What events are counted in: streams of one person each, then what holds no gesture."""
    people = {r.subject for r in test.recordings if not _still(r)}
    still = [r for r in test.recordings if _still(r)]
    clips = [_clip(still[i]) for i in rng.permutation(len(still))[:_CLIPS]]
    out = []
    for person in sorted(people):
        mine = [r for r in test.recordings if r.subject == person and not _still(r)]
        for r in streams_of(Dataset(person, mine + clips), recipe, rng):
            out.append(replace(r, name=f"{person}/{r.name}"))
    return out + [r for r in still if r.seconds > 2 * recipe.window_s]


def _still(r: Recording) -> bool:
    return all(is_idle(s.label) for s in r.spans)


def _clip(r: Recording) -> Recording:
    """The beginning of a recording without gestures, to be put between gestures."""
    samples = r.samples[: max(2, round(_CLIP_S * r.rate_hz))]
    end_ms = r.start_ms + (len(samples) - 1) * 1000 / r.rate_hz
    return replace(r, samples=samples, gaps=(), spans=tuple(
        replace(s, start_ms=r.start_ms, end_ms=end_ms) for s in r.spans[:1]))


def _divided(found: Evaluation) -> tuple[dict[str, Tally], dict[str, Tally]]:
    """The events by label, and by the person of each stream with gestures."""
    labels = {g.label for s in found.streams for g in s.gestures}
    people = {s.recording.subject for s in found.streams if s.gestures}
    return ({k: found.tally(label=k) for k in sorted(labels)},
            {k: found.tally(subject=k) for k in sorted(people)})


def _summed(parts: Sequence[dict[str, Tally]]) -> dict[str, Tally]:
    out: dict[str, Tally] = {}
    for part in parts:
        for name, tally in part.items():
            out[name] = out.get(name, Tally()) + tally
    return out
