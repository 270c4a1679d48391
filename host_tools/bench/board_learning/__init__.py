"""The parts of `beckon bench learn`: who teaches what, and how it is judged."""
from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from host_tools.bench.board_learning.everyday import Everyday
from host_tools.bench.board_learning.misses import KINDS, misses
from host_tools.bench.learn import EVERYDAY
from host_tools.dataset import Dataset, Recording, is_idle, read_dataset
from host_tools.evaluation.board_learning import Refused, teach
from host_tools.model.format import Model
from host_tools.training.answers import Heard
from host_tools.training.calibrate import streams_of
from host_tools.training.recipe import choose
from host_tools.training.train import train

_RATE_HZ = 50
_DRAWS = 3
_RUN = 10  # takes of the wand by one hand
_HELD = 4  # of so many takes of the wand one is judged
_EVERYDAY_S = 1800
_SUMS = ("hits", "truth", "false_new", "known_hits", "known_hits_before", "known_truth",
         "false_known", "false_known_before", "taught", "refused", "equal", "equal_refused",
         *KINDS, "everyday", "everyday_before", "everyday_s")


class LearnBench:
    def __init__(self, args: argparse.Namespace, note: Callable[[str], None]):
        self.args, self.note = args, note

    def run(
        self, name: str, folder: str, labels: Sequence[str], people: Sequence[str]
    ) -> dict[str, Any]:
        """The figures of one set, over all seeds."""
        data = read_dataset(str(self.args.data / folder))
        sums = dict.fromkeys(_SUMS, 0)
        reasons: list[str] = []
        for seed in range(1, self.args.seeds + 1):
            known = Dataset(name, [r for i, r in enumerate(data.recordings)
                                   if _label(r) not in labels and not _held(r, i, people)])
            self.note(f"{name}, seed {seed}: training")
            recipe = choose(known, _RATE_HZ, steps=self.args.steps, seed=seed)
            model = train(known, recipe).model
            life = Everyday(model, self._everyday())
            for teacher in people or ("",):
                own = [r for i, r in enumerate(data.recordings)
                       if (r.subject == teacher if people else _held(r, i, people)
                           or _label(r) in labels)]
                self._teacher(f"{name}, seed {seed} {teacher}", model, own, labels, seed, sums,
                              reasons, life)
        return {**_figures(sums), "reasons": sorted(reasons)}

    def together(self, figures: dict[str, Any]) -> dict[str, Any]:
        return _figures({k: sum(f[k] for f in figures.values()) for k in _SUMS})

    def _teacher(
        self, what: str, model: Model, own: Sequence[Recording], labels: Sequence[str], seed: int,
        sums: dict[str, int], reasons: list[str], life: Everyday,
    ) -> None:
        """One person teaches each new gesture, and each known one by another name."""
        n = self.args.takes
        known = [r for r in own if _label(r) in model.labels and not is_idle(_label(r))]
        streams = self._streams(known, seed)
        before = Heard.of(model, streams)
        hits_before, false_before = _judged(model, before)
        alarms_before = life.alarms(model)
        for label in labels:
            mine = [r for r in own if _label(r) == label][: max(2 * n, _RUN)]
            for half in (0, 1):
                self.note(f"{what}: {label}")
                sums["taught"] += 1
                sums["known_hits_before"] += hits_before
                sums["known_truth"] += len(before.label)
                sums["false_known_before"] += false_before
                try:
                    taught = teach(model, mine[half::2][:n], label)
                except Refused as refused:
                    sums["refused"] += 1
                    sums["known_hits"] += hits_before
                    sums["false_known"] += false_before
                    reasons.append(str(refused))
                    continue
                for draw in range(_DRAWS):  # pauses and ways back between few takes: by chance
                    streams_new = self._streams(mine[1 - half :: 2], seed + 1000 * draw)
                    heard = Heard.of(taught, streams_new)
                    hits, false = _judged(taught, heard)
                    sums["truth"] += len(heard.label)
                    sums["hits"] += hits
                    sums["false_new"] += false
                    for reason, count in misses(taught, heard).items():
                        sums[reason] += count
                sums["everyday"] += life.alarms(taught)
                sums["everyday_before"] += alarms_before
                sums["everyday_s"] += round(life.seconds)
                hits, false = _judged(taught, Heard.of(taught, streams))
                sums["known_hits"] += hits
                sums["false_known"] += false
        for label in model.labels:
            takes = [r for r in known if _label(r) == label][:n]
            if len(takes) == n:
                sums["equal"] += 1
                try:
                    teach(model, takes, "another name")
                except Refused:
                    sums["equal_refused"] += 1

    def _everyday(self) -> list[Recording]:
        """Half an hour of everyday movement."""
        data = read_dataset(str(self.args.data / EVERYDAY)).recordings
        out: list[Recording] = []
        for i in np.random.default_rng(1).permutation(len(data)):
            if sum(r.seconds for r in out) < _EVERYDAY_S:
                out.append(data[i])
        return out

    def _streams(self, takes: Sequence[Recording], seed: int) -> list[Recording]:
        data = Dataset("taught", list(takes))
        return streams_of(data, choose(data, _RATE_HZ), np.random.default_rng(seed + 100))


def _label(r: Recording) -> str:
    return r.spans[0].label if r.spans else ""


def _held(r: Recording, number: int, people: Sequence[str]) -> bool:
    return r.subject in people if people else number % _HELD == 0


def _judged(model: Model, heard: Heard) -> tuple[int, int]:
    """(gestures found, false events)."""
    assert model.decision is not None
    return int(heard.found(model.decision).sum()), heard.judge(model.decision).false


def _figures(sums: dict[str, int]) -> dict[str, Any]:
    known = max(1, sums["known_truth"])
    hours = max(1, sums["everyday_s"]) / 3600
    return {
        "recall": sums["hits"] / max(1, sums["truth"]),
        "known_recall": sums["known_hits"] / known,
        "known_recall_before": sums["known_hits_before"] / known,
        "known_change_points": 100 * (sums["known_hits"] - sums["known_hits_before"]) / known,
        "everyday_per_hour": sums["everyday"] / hours,
        "everyday_per_hour_before": sums["everyday_before"] / hours,
        **sums,
    }


__all__ = ["LearnBench"]
