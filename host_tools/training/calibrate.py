"""Train without a part of the data, and set on that part what training itself cannot.

When to stop, the temperature of the confidence, and the debouncer. Each third is
held out in turn: by subject where there are several, else by time. Single
recordings are joined to streams first.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from host_tools.augment.streams import is_stream, splice
from host_tools.dataset import Dataset, Recording, is_idle
from host_tools.dataset.split import LEAST_SUBJECTS, folds, hold_out
from host_tools.evaluation.confusions import Habit, habits
from host_tools.evaluation.emulator import Board
from host_tools.training.batches import Sampler
from host_tools.training.debounce_tuning import DEFAULT, Score, score, tune
from host_tools.training.export import export
from host_tools.training.features import Features
from host_tools.training.fit import CHECKPOINTS, checkpoints
from host_tools.training.network import Network, softmax
from host_tools.training.recipe import Recipe
from host_tools.training.window_bank import Bank

_TEMPERATURES = np.geomspace(1.0, 4.0, 29)  # never surer than trained
_PARTS = 3  # trainings at most, and each takes
_EACH = 0.55  # of the steps of a single one, so that the model itself takes longer
_EARLIER = 0.02  # an earlier checkpoint must be better by so much, else it is by chance


@dataclass(frozen=True)
class Calibration:
    """What goes into the model file beside the weights, and which weights.

    debounce: settings for the model file. score: what they reach on the held-out
    part. checkpoint: index in CHECKPOINTS. temperature: confidence is
    softmax(logits / temperature). habits: what people who were left out make otherwise.
    """

    debounce: bytes
    score: Score | None = None
    checkpoint: int = len(CHECKPOINTS) - 1
    temperature: float = 1.0
    habits: tuple[Habit, ...] = ()


@dataclass(frozen=True)
class Trial:
    """One training: networks at the checkpoints, windows it saw, recordings it never saw."""

    nets: list[Network]
    windows: np.ndarray
    held: Dataset
    streams: list[Recording]

    def told(self, checkpoint: int, recipe: Recipe, heat: float):
        """The board and its answers over the streams."""
        board = Board(export(self.nets[checkpoint], recipe, self.windows, temperature=heat))
        raws = [board.raw(r) for r in self.streams]
        return board, list(zip(self.streams, board.windows_of(self.streams, raws), strict=True))


def calibrate(
    data: Dataset, recipe: Recipe, steps: int, budget_per_hour: float = 1.0
) -> Calibration:
    """Settings found with models that were trained for `steps` together on parts of the data."""
    parts = held_out(data, recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    trials = []
    for known, held in parts:
        part = replace(recipe, steps=max(1, round(steps * (1 if len(parts) == 1 else _EACH))))
        bank = Bank(known, part)
        streams = streams_of(held, recipe, rng)
        if streams:
            nets = list(checkpoints(part, bank))
            trials.append(Trial(nets, Sampler(bank, part, rng).draw(1024)[0], held, streams))
    if not trials:
        return Calibration(DEFAULT)
    logits, truth, subject = held_answers([(t.nets[-1], t.held) for t in trials], recipe)
    heat = temperature(logits, truth) if len(truth) else 1.0
    names = np.array(recipe.labels)
    seen = habits(names[truth], names[logits.argmax(axis=1)], subject)
    told = []
    for k in range(len(CHECKPOINTS)):
        answers = [t.told(k, recipe, heat) for t in trials]
        told.append((answers[0][0], [pair for _, pairs in answers for pair in pairs]))
    best = stop_at([score(board, pairs, DEFAULT).worth for board, pairs in told])
    settings, reached = tune(*told[best], budget_per_hour)
    return Calibration(settings, reached, best, heat, tuple(seen))


def held_out(data: Dataset, seed: int) -> list[tuple[Dataset, Dataset]]:
    """(known, held out) for each third of the people in turn, or of the time for one person."""
    gestures = {s.label for r in data.recordings for s in r.spans if not is_idle(s.label)}
    people = {r.subject for r in data.recordings if gestures & {s.label for s in r.spans}}
    out = []
    try:
        count = _PARTS if len(people) < LEAST_SUBJECTS else min(_PARTS, len(people))
        for part in map(set, folds(data, count, seed)):
            known = [r for i, r in enumerate(data.recordings) if i not in part]
            if part and gestures <= {s.label for r in known for s in r.spans}:
                held = [data.recordings[i] for i in sorted(part)]
                out.append((Dataset(data.name, known), Dataset(data.name, held)))
        return out or [hold_out(data, seed)]
    except ValueError:
        return []


def stop_at(worth: list[float]) -> int:
    """Early stopping: the checkpoint with the best events; the last one unless clearly beaten."""
    best = int(np.argmax(worth))
    return best if worth[best] > worth[-1] + _EARLIER else len(worth) - 1


def held_answers(trials: list[tuple[Network, Dataset]], recipe: Recipe):
    """Logits (n, classes), labels int (n,) and subjects str (n,) of the held-out gestures.

    trials: networks, each with what it never saw.
    """
    logits = [np.zeros((0, len(recipe.labels)), np.float32)]
    truth: list[int] = []
    subject: list[str] = []
    for net, held in trials:
        bank = Bank(held, recipe)
        end = np.array([e.stops + recipe.settle_s * bank.rate_hz for e in bank.events])
        clock = (np.arange(1.0 - bank.window, 1) * bank.parts)[None]
        if len(end):
            windows = bank.take(np.array([e.recording for e in bank.events]), end[:, None] + clock)
            logits.append(net.forward(Features(recipe)(windows)[0]))
            truth += [e.label for e in bank.events]
            subject += [held.recordings[e.recording].subject for e in bank.events]
    return np.concatenate(logits), np.array(truth, int), np.array(subject, str)


def temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """What to divide the logits by, so that of answers with 80 % about 80 % are right.

    Guo et al. 2017 (arXiv:1706.04599): the temperature of least cross-entropy on
    gestures that were not trained on. logits: (n, classes); truth: int (n,).
    """
    rows = np.arange(len(truth))
    loss = [-np.log(softmax(logits / t)[rows, truth] + 1e-9).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(loss))])


def streams_of(data: Dataset, recipe: Recipe, rng: np.random.Generator) -> list:
    """Recordings to count events in: real streams, joined single gestures, idle recordings."""
    least_s = 2 * recipe.window_s
    real = [r for r in data.recordings if is_stream(r)]
    idle = [
        r for r in data.recordings
        if r.seconds > least_s and r.spans and all(is_idle(s.label) for s in r.spans)
    ]
    spliced = splice(data, float(recipe.rate_hz), rng)
    spliced += splice(data, float(recipe.rate_hz), rng) if len(spliced) < 8 else []
    return real + spliced + idle
