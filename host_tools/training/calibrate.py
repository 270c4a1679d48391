"""Train once without a part of the data, and set on that part what training itself cannot.

When to stop, the temperature of the confidence, and the debouncer. The held-out
part is by subject where there are several, else by time; single recordings are
joined to streams first.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..dataset import Dataset, is_idle
from ..dataset.split import hold_out
from ..evaluation.board import Board
from .debounce import DEFAULT, Score, score, tune
from .export import export
from .fit import CHECKPOINTS, checkpoints
from .frontend import Features
from .network import Network, softmax
from .recipe import Recipe
from .sampler import Sampler
from .splice import is_stream, splice
from .windows import Bank

_TEMPERATURES = np.geomspace(1.0, 4.0, 29)  # never surer than trained
_EARLIER = 0.01  # an earlier checkpoint must be better by so much, else it is by chance


@dataclass(frozen=True)
class Calibration:
    """What goes into the model file beside the weights, and which weights.

    debounce: settings for the model file. score: what they reach on the held-out
    part. checkpoint: index in CHECKPOINTS. temperature: confidence is
    softmax(logits / temperature).
    """

    debounce: bytes
    score: Score | None = None
    checkpoint: int = len(CHECKPOINTS) - 1
    temperature: float = 1.0


def calibrate(
    data: Dataset, recipe: Recipe, steps: int, budget_per_hour: float = 1.0
) -> Calibration:
    """Settings found with a model that was trained for `steps` on a part of the data."""
    try:
        known, held = hold_out(data, recipe.seed)
    except ValueError:
        return Calibration(DEFAULT)
    part = replace(recipe, steps=steps)
    bank = Bank(known, part)
    nets = list(checkpoints(part, bank))
    rng = np.random.default_rng(recipe.seed)
    windows, _ = Sampler(bank, part, rng).draw(1024)
    streams = streams_of(held, recipe, rng)
    if not streams:
        return Calibration(DEFAULT)
    heat = temperature(nets[-1], held, recipe)
    boards = [Board(export(net, part, windows, temperature=heat)) for net in nets]
    told = [[(r, board.windows(r)) for r in streams] for board in boards]
    best = stop_at([score(b, t, DEFAULT).worth for b, t in zip(boards, told, strict=True)])
    settings, reached = tune(boards[best], told[best], budget_per_hour)
    return Calibration(settings, reached, best, heat)


def stop_at(worth: list[float]) -> int:
    """Early stopping: the checkpoint with the best events; the last one unless clearly beaten."""
    best = int(np.argmax(worth))
    return best if worth[best] > worth[-1] + _EARLIER else len(worth) - 1


def temperature(net: Network, held: Dataset, recipe: Recipe) -> float:
    """What to divide the logits by, so that of answers with 80 % about 80 % are right.

    Guo et al. 2017 (arXiv:1706.04599): the temperature of least cross-entropy on
    gestures that were not trained on.
    """
    bank = Bank(held, recipe)
    if not bank.events:
        return 1.0
    end = np.array([e.stops + recipe.settle_s * bank.rate_hz for e in bank.events])
    clock = (np.arange(1.0 - bank.window, 1) * bank.parts)[None]
    windows = bank.take(np.array([e.recording for e in bank.events]), end[:, None] + clock)
    logits = net.forward(Features(recipe)(windows)[0])
    return best_temperature(logits, np.array([e.label for e in bank.events]))


def best_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """Of least cross-entropy. logits: (n, classes); truth: int (n,)."""
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
