"""Train once without a part of the data, and set on that part what training itself cannot.

The temperature of the confidence, and the debouncer. The held-out part is by
subject where there are several, else by time; single recordings are joined to
streams first.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..dataset import Dataset, is_idle
from ..dataset.split import hold_out
from ..evaluation.board import Board
from .debounce import DEFAULT, Score, tune
from .export import export
from .fit import fit
from .recipe import Recipe
from .sampler import Sampler
from .splice import is_stream, splice
from .windows import Bank


@dataclass(frozen=True)
class Calibration:
    """debounce: settings for the model file. score: what they reach on the held-out part."""

    debounce: bytes
    score: Score | None = None


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
    net = fit(part, bank)
    rng = np.random.default_rng(recipe.seed)
    windows, _ = Sampler(bank, part, rng).draw(1024)
    board = Board(export(net, part, windows))
    streams = streams_of(held, recipe, rng)
    if not streams:
        return Calibration(DEFAULT)
    settings, reached = tune(board, [(r, board.windows(r)) for r in streams], budget_per_hour)
    return Calibration(settings, reached)


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
