"""Takes whose label is probably wrong, surest first.

    found = label_errors(data, progress)
    for suspect in found.suspects: print(suspect.recording, suspect.label, suspect.suggested)

Every take is judged by networks that have not learned from it: cross-validation over takes,
several times with other parts. The rule for figures, dataset/held_out.py, never holds out a
gesture's only take; here that must be judged, too, and each time beside others. The networks are
those of `beckon train`, trained for a short time on windows of single takes. A take is suspect
when they name another label than its own; the more of their share the other label has over its
own, the surer. The idea is that of "confident learning" (Northcutt, Jiang, Chuang 2021,
arXiv:1911.00068, section 3).
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from host_tools.dataset import Dataset, is_idle
from host_tools.dataset.near_duplicates import assign_groups
from host_tools.errors import BeckonError
from host_tools.experiments.take_views import Views
from host_tools.training.features import INPUT_SCALE
from host_tools.training.fit import Report, fit, fitted
from host_tools.training.network import Network, softmax
from host_tools.training.recipe import Recipe, choose

FOLDS = 5
REPEATS = 2
_LEAST = 8  # takes to judge
_WINDOWS = 60_000  # augmented, at most
_VIEWS = (4, 20)  # of a take, least and most
_STEPS = (150, 2000)
_EPOCHS = 60  # times that training sees each take, between these steps
_NOISE = 0.05  # of the network's inputs
_FLOOR = 1e-4  # of a share, so that one network alone cannot decide


@dataclass(frozen=True)
class Suspect:
    """A take and what the others say it is.

    share, own_share: percent that the held-out networks give to the suggested label and to the
    take's own. line: of labels.csv, 0 if not known.
    """

    recording: str
    start_ms: float
    end_ms: float
    label: str
    suggested: str
    share: float
    own_share: float
    subject: str = ""
    line: int = 0


@dataclass(frozen=True)
class Judged:
    """What the held-out networks call a take: one for each span that was judged."""

    recording: str
    start_ms: float
    label: str
    found: str


@dataclass(frozen=True)
class LabelErrors:
    """suspects: surest first. judged: every take, right or wrong."""

    suspects: tuple[Suspect, ...]
    judged: tuple[Judged, ...]

    def as_json(self) -> dict[str, Any]:
        return {"takes": len(self.judged), "suspects": [asdict(s) for s in self.suspects]}


def label_errors(
    data: Dataset, progress: Callable[[int, int], None] | None = None, *, seed: int = 1,
    folds: int = FOLDS, repeats: int = REPEATS,
) -> LabelErrors:
    """Judge every take by networks that do not know it.

    progress(done, of): called now and then, in steps of training. Raises BeckonError for data
    with too few takes or labels.
    """
    names = {s.label for r in data.recordings for s in r.spans}
    if len(names) < 2:
        raise BeckonError("{data}: one label is not enough to find a wrong one; label a second "
                          "gesture, or movement without a gesture as none", data=data.name)
    recipe = _recipe(data, seed)
    views = Views(data, recipe)
    takes = views.takes
    judged = np.array([i for i, t in enumerate(takes) if t.judged], int)
    if len(judged) < _LEAST:
        raise BeckonError("{data}: {count} takes are too few to find a wrong label; record at "
                          "least {least}, better twenty of each gesture", data=data.name,
                          count=len(judged), least=_LEAST)
    labels = np.array([t.label for t in takes])
    groups = _groups(data)
    group = np.array([groups[t.recording] for t in takes])
    rng = np.random.default_rng(seed)
    least, most = _VIEWS
    count = int(np.clip(_WINDOWS // len(takes), least, most))
    every = np.arange(len(takes))
    bank = views.augmented(every, count, rng)
    plain = views.plain(judged)
    steps = int(np.clip(_EPOCHS * len(judged) / recipe.batch, *_STEPS))
    recipe = replace(recipe, steps=steps)
    total, done = folds * repeats * steps, 0
    shares = np.zeros((len(takes), len(recipe.labels)))
    for repeat in range(repeats):
        part = _parts(labels, group, folds, rng)
        for fold in range(folds):
            known = part != fold
            held = np.flatnonzero(~known[judged])
            if not len(held):  # of few takes a part may have none
                done += steps
                continue

            def show(report: Report, before: int = done) -> None:
                if progress is not None:
                    progress(before + report.step, total)

            net = fit(replace(recipe, seed=seed + 100 * repeat + fold),
                      _TakeBank(bank[known], labels[known]), show)  # type: ignore[arg-type]
            done += steps
            shares[judged[held]] += np.log(_shares(net, plain[held]) + _FLOOR)
    mean = np.exp(shares[judged] / repeats)
    mean /= mean.sum(axis=1, keepdims=True)
    return _ranked(data, [takes[i] for i in judged], mean, recipe)


def _recipe(data: Dataset, seed: int) -> Recipe:
    rate = 100 if max(r.rate_hz for r in data.recordings) > 60 else 50
    recipe = choose(data, rate, seed=seed)
    return fitted(replace(recipe, quantised_share=0.0, average=0.99, label_smoothing=0.05,
                          draws=0, background=False))


def _groups(data: Dataset) -> list[str]:
    """The group of each recording; recordings of one hold the same movement."""
    copy = Dataset(data.name, list(data.recordings))
    if any(not r.group for r in copy.recordings):
        assign_groups(copy)
    return [r.group or r.name for r in copy.recordings]


def _parts(labels: np.ndarray, group: np.ndarray, folds: int,
           rng: np.random.Generator) -> np.ndarray:
    """The part of each take, int (n,): every label in all parts as evenly as can be.

    Takes of near-duplicate recordings stay together; those of one recording without a copy
    need not, since each is a movement of its own.
    """
    names, sizes = np.unique(group, return_counts=True)
    several = {str(n) for n, size in zip(names, sizes, strict=True) if size > 1}
    part = np.full(len(labels), -1)
    of_group: dict[tuple[str, int], int] = {}
    dealt: dict[int, int] = defaultdict(lambda: int(rng.integers(folds)))
    for i in rng.permutation(len(labels)).tolist():
        key = str(group[i]), int(labels[i])
        if key[0] in several and key in of_group:
            part[i] = of_group[key]
            continue
        part[i] = of_group[key] = dealt[key[1]] % folds
        dealt[key[1]] += 1
    return part


class _TakeBank:
    """What `fit` draws from: windows int16 (n, views, values) of takes with these labels."""

    def __init__(self, windows: np.ndarray, labels: np.ndarray):
        self._windows = windows
        self._by_class = [np.flatnonzero(labels == k) for k in np.unique(labels)]
        self._labels = labels

    def draw(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        each = -(-n // len(self._by_class))
        takes = rng.permutation(np.concatenate([rng.choice(p, each) for p in self._by_class]))[:n]
        view = rng.integers(self._windows.shape[1], size=n)
        x = self._windows[takes, view].astype(np.float32) * np.float32(INPUT_SCALE)
        x += rng.standard_normal(x.shape, np.float32) * np.float32(_NOISE)
        return x, self._labels[takes]

    def mine(self, net: Network) -> int:
        return 0  # everyday movement is nobody's label


def _shares(net: Network, windows: np.ndarray) -> np.ndarray:
    """Mean share of each class over a take's windows: (k, classes)."""
    k, views, size = windows.shape
    x = windows.reshape(k * views, size).astype(np.float32) * np.float32(INPUT_SCALE)
    out = [softmax(net.forward(part)) for part in np.array_split(x, max(1, len(x) // 2048))]
    return np.concatenate(out).reshape(k, views, -1).mean(axis=1)


def _ranked(data: Dataset, takes: list, mean: np.ndarray, recipe: Recipe) -> LabelErrors:
    own = np.array([t.label for t in takes])
    n = np.arange(len(takes))
    others = mean.copy()
    others[n, own] = -1
    best = others.argmax(axis=1)
    score = mean[n, best] - mean[n, own]

    def name(i: int, k: int) -> str:
        """The label as the data says it: "none" has several names."""
        return takes[i].span.label if k == own[i] else recipe.labels[k]

    judged = tuple(
        Judged(data.recordings[t.recording].name, t.span.start_ms, t.span.label,
               name(i, int(mean[i].argmax())))
        for i, t in enumerate(takes)
    )
    suspects = []
    for i in np.argsort(-score, kind="stable").tolist():
        if score[i] <= 0:
            break
        t = takes[i]
        suspects.append(Suspect(
            data.recordings[t.recording].name, t.span.start_ms, t.span.end_ms, t.span.label,
            name(i, int(best[i])), round(100 * float(mean[i, best[i]]), 1),
            round(100 * float(mean[i, own[i]]), 1), t.span.subject, t.span.line))
    return LabelErrors(tuple(suspects), judged)


__all__ = ["Judged", "LabelErrors", "Suspect", "is_idle", "label_errors"]
