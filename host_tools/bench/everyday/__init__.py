"""The parts of `beckon bench life`: who is trained on, who is judged, and how."""
from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from host_tools.bench.everyday.added import PEOPLE, added
from host_tools.bench.life import ARTICLE, ARTICLE_STREAMS, DAILY, SETS
from host_tools.dataset import Dataset, Recording, is_idle, read_dataset, read_datasets
from host_tools.dataset import with_negatives as joined
from host_tools.dataset.split import parts_by
from host_tools.evaluation.emulator import Board, Detected
from host_tools.evaluation.matching import match_events
from host_tools.evaluation.metrics import Tally, poisson_interval
from host_tools.evaluation.span_accuracy import span_results
from host_tools.model.decision import Decision
from host_tools.model.format import Model
from host_tools.model.golden import read_model
from host_tools.paths import DEFAULT_MODEL
from host_tools.training.calibrate import streams_of
from host_tools.training.recipe import choose
from host_tools.training.train import Trained, train

_TOGETHER = 20  # recordings judged at once
_FEW_PEOPLE = {"letters": 2, "forearm": 2, "wand": 1}  # whose own takes are learned
# Its people are not stated. Takes 11 to 20 and 51 to 60 of each gesture differ from the others
# as people do, so that a model of its first takes would be judged on strangers. It stands in
# where the sets of known people have too few takes.
_MADE_BY_SEVERAL = ("wand",)
_LEAST_OTHERS = 3  # takes of each gesture that are left to judge a person's model on


class LifeBench:
    def __init__(self, args: argparse.Namespace, note: Callable[[str], None]):
        self.args, self.note = args, note
        self._read: dict[str, Dataset] = {}

    # --- parts ------------------------------------------------------------

    def streams(self, name: str) -> dict[str, Any]:
        """Event figures of a set, each part left out of training in turn."""
        _, by, count = SETS[name]
        data = self._set(name)
        parts = parts_by(data, by, count, self.args.seed)[: self.args.folds]
        found = []
        named = asked = 0
        for k, part in enumerate(parts):
            held = set(part)
            known, test = _divided(data, held)
            trained = self._train(f"streams.{name} {k + 1}/{len(parts)}", known)
            found.append((trained, self._streams_of(test)))
            spans = span_results(Board(trained.model), test)
            named += int((spans.truth == spans.found).sum())
            asked += len(spans.truth)
        return {**self._figures(found), "span_accuracy": named / max(1, asked)}

    def few(self, number: str) -> dict[str, Any]:
        """N takes per gesture of one person, the person's other takes as streams."""
        takes = int(number)
        found: list[tuple[Trained, list[Recording]]] = []
        for name, people in _FEW_PEOPLE.items():
            if name in _MADE_BY_SEVERAL and found:
                continue
            data = self._set(name)
            for person in data.subjects[: self.args.folds or people][:people]:
                own = data.subset(lambda r, p=person: r.subject == p)
                known, test = _takes(own, takes, spread=name in _MADE_BY_SEVERAL)
                if all(n >= _LEAST_OTHERS for n in _takes_of(known, test).values()):
                    trained = self._train(f"few.{takes} {person}", known)
                    found.append((trained, self._streams_of(test)))
        return self._figures(found)

    def added(self, number: str) -> dict[str, Any]:
        """A sixth gesture from N takes of somebody new."""
        people = min(self.args.folds or PEOPLE, PEOPLE)
        return added(int(number), self._set, self._train, self._streams_of, people)

    def daily(self, name: str) -> dict[str, Any]:
        """Half of the everyday people as negatives; alarms in the movement of the others."""
        learned, heard = self._everyday()
        if name == "article":
            known, test = _alternating(read_datasets([self._path(x) for x in ARTICLE]))
        else:
            _, by, count = SETS[name]
            data = self._set(name)
            held = set(parts_by(data, by, count, self.args.seed)[0])
            known, test = _divided(data, held)
        trained = self._train(f"daily.{name}", joined(known, learned))
        out = self._figures([(trained, self._streams_of(test))])
        self.note(f"daily.{name}: alarms in {heard.seconds / 3600:.1f} h")
        alarms, hours = _alarms(trained.model, heard)
        low, high = poisson_interval(alarms)
        return {
            "false_per_hour": alarms / hours, "false_per_hour_95": [low / hours, high / hours],
            **out, "false": alarms, "false_in_streams": out["false"], "hours": hours,
        }

    def default(self) -> dict[str, Any]:
        """The model that ships: events in recorded streams, alarms in everyday movement."""
        model = read_model(DEFAULT_MODEL)
        self.note("default: streams")
        counts = counted(model, self._data(ARTICLE_STREAMS).recordings)
        _, heard = self._everyday()
        self.note(f"default: alarms in {heard.seconds / 3600:.1f} h")
        alarms, hours = _alarms(model, heard)
        return {
            "hits": counts.hits, "truth": counts.truth, "false": counts.false,
            "false_per_hour": alarms / hours, "hours": hours,
        }

    # --- helpers ----------------------------------------------------------

    def _path(self, name: str) -> str:
        return str(self.args.data / name)

    def _data(self, name: str) -> Dataset:
        if name not in self._read:
            self._read[name] = read_dataset(self._path(name))
        return self._read[name]

    def _set(self, name: str) -> Dataset:
        return self._data(SETS[name][0])

    def _everyday(self) -> tuple[Dataset, Dataset]:
        """(learned, heard): half of the people each."""
        self.note("reading everyday movement")
        parts = []
        for keep in (0, 1):
            recordings = []
            for name in DAILY:
                data = self._data(name)
                people = {p: i % 2 for i, p in enumerate(data.subjects)}
                recordings += [r for r in data.recordings if people[r.subject] == keep]
            parts.append(Dataset("everyday", recordings))
        return parts[0], parts[1]

    def _train(self, what: str, data: Dataset) -> Trained:
        self.note(f"{what}: training")
        by_hand = {"steps": self.args.steps, "seed": self.args.seed}
        recipe = choose(data, self.args.rate, **by_hand)
        return train(data, recipe, None, self.args.false_per_hour)

    def _streams_of(self, test: Dataset) -> list[Recording]:
        rng = np.random.default_rng(self.args.seed + 100)
        return streams_of(test, choose(test, self.args.rate), rng)

    def _figures(self, found: Sequence[tuple[Trained, list[Recording]]]) -> dict[str, Any]:
        """Event figures over all (model, held-out streams) together."""
        total = Tally()
        parts, sizes = [], []
        for trained, streams in found:
            c = counted(trained.model, streams)
            parts.append(c.f1)
            total = total + c
            sizes.append(int.from_bytes(trained.encoded[12:16], "little"))
        hours = total.idle_s / 3600
        return {
            "f1": total.f1, "recall": total.recall, "hits": total.hits, "truth": total.truth,
            "false": total.false, "alarms": total.alarms, "repeated": total.duplicates,
            "idle_hours": hours, "p50_ms": total.latency_ms(0.5), "p95_ms": total.latency_ms(0.95),
            "f1_each": parts, "bytes": max(sizes),
            "decisions": [_settings(t.calibration.decision) for t, _ in found],
        }


def _settings(d: Decision) -> str:
    return f"span {d.span}, {d.threshold_percent} %, calm {d.calm_windows} of {d.calm_ratio}/64"


def _divided(data: Dataset, held: set[int]) -> tuple[Dataset, Dataset]:
    """(the others, the held recordings)."""
    known = [r for i, r in enumerate(data.recordings) if i not in held]
    return Dataset(data.name, known), Dataset(data.name, [data.recordings[i] for i in sorted(held)])


def _takes(data: Dataset, takes: int, spread: bool) -> tuple[Dataset, Dataset]:
    """(`takes` recordings of each label, the others): the first ones, or spread over all."""
    of_label: dict[str, list[int]] = {}
    for i, r in enumerate(data.recordings):
        of_label.setdefault(r.spans[0].label, []).append(i)
    chosen: set[int] = set()
    for all_of in of_label.values():
        step = max(1, len(all_of) // takes) if spread else 1
        chosen |= set(all_of[::step][:takes])
    others, some = _divided(data, chosen)
    return some, others


def _takes_of(known: Dataset, test: Dataset) -> dict[str, int]:
    """Recordings of each known gesture among those that judge."""
    labels = [r.spans[0].label for r in test.recordings]
    return {k: labels.count(k) for k in known.labels if not is_idle(k)}


def _alternating(data: Dataset) -> tuple[Dataset, Dataset]:
    """Two of three of each label's recordings, and the third; all of no gesture in the first."""
    seen: dict[str, int] = {}
    known: list[Recording] = []
    test: list[Recording] = []
    for r in data.recordings:
        label = r.spans[0].label
        seen[label] = seen.get(label, 0) + 1
        held = seen[label] % 3 == 0 and not is_idle(label)
        (test if held else known).append(r)
    return Dataset(data.name, known), Dataset(data.name, test)


def counted(model: Model, streams: Sequence[Recording]) -> Tally:
    """Events of the board against the labels; alarms are the false ones outside gestures."""
    board = Board(model)
    out = Tally()
    for k in range(0, len(streams), _TOGETHER):  # a few at a time: memory
        some = streams[k : k + _TOGETHER]
        for r, windows in zip(some, board.windows_of(some, [board.raw(r) for r in some]),
                              strict=True):
            out = out + _count(r, board.events(windows), model)
    return out


def _count(r: Recording, events: Sequence[Detected], model: Model) -> Tally:
    spans = [(s.start_ms, s.end_ms, s.label) for s in r.spans
             if not is_idle(s.label) and s.label in model.labels]
    verdicts = match_events(spans, [(e.t_ms, e.label) for e in events])
    idle_s = r.seconds - sum(b - a for a, b, _ in spans) / 1000
    return Tally.of(len(spans), verdicts, idle_s)


def _alarms(model: Model, heard: Dataset) -> tuple[int, float]:
    """Events in recordings that hold no gesture, and their hours."""
    found = counted(model, joined(Dataset("", []), heard).recordings)
    return found.false, found.idle_s / 3600


__all__ = ["LifeBench"]
