"""From data sets to a model file: choose, fit, quantise, set the debouncer."""
from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from ..dataset import Dataset
from ..errors import BeckonError
from ..model.format import Model
from .export import export
from .fit import Report, fit
from .recipe import Recipe
from .sampler import Sampler
from .windows import Bank

_CALIBRATION_WINDOWS = 1024


@dataclass(frozen=True)
class Trained:
    model: Model
    recipe: Recipe


def train(data: Dataset, recipe: Recipe, progress=None) -> Trained:
    """Make a model. progress(Report): called now and then."""
    bank = Bank(data, recipe)
    check(data, bank, recipe)
    net = fit(recipe, bank, progress)
    sampler = Sampler(bank, recipe, np.random.default_rng(recipe.seed))
    windows, _ = sampler.draw(_CALIBRATION_WINDOWS)
    debounce = bytes([80, 4, 0, 6, 10, 0, 0, 0])
    notes = f"seed {recipe.seed}, data {digest(data)}"
    model = export(net, recipe, windows, debounce, notes=notes)
    return Trained(model, recipe)


def check(data: Dataset, bank: Bank, recipe: Recipe) -> None:
    """Refuse data from which nothing can be learned. Raises BeckonError."""
    for k, label in enumerate(recipe.labels):
        if k == recipe.idle:
            continue
        count = sum(e.label == k for e in bank.events) + sum(s[3] == k for s in bank.streams)
        if count == 1:
            raise BeckonError(
                f"{data.name}: one example of {label!r} only; record at least two, better twenty"
            )


def digest(data: Dataset) -> str:
    """First 8 hexadecimal digits of the SHA-256 of all samples and labels."""
    h = hashlib.sha256()
    for r in data.recordings:
        h.update(r.samples.tobytes())
        h.update(repr([(s.start_ms, s.end_ms, s.label) for s in r.spans]).encode())
    return h.hexdigest()[:8]


__all__ = ["Report", "Trained", "check", "digest", "train"]
