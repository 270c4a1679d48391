"""From data sets to a model file: choose, fit, quantise, set the debouncer."""
from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue

import numpy as np

from host_tools.dataset import Dataset
from host_tools.dataset.classes import class_faults
from host_tools.dataset.held_out import held_out
from host_tools.dataset.resample import resampled
from host_tools.errors import BeckonError
from host_tools.model.codec import encode
from host_tools.model.format import Model
from host_tools.training.calibrate import Calibration, PartFigures, calibrate
from host_tools.training.export import export
from host_tools.training.fit import Report, fit, fitted
from host_tools.training.keep import SPARE, with_examples
from host_tools.training.probes import refuse_restless
from host_tools.training.recipe import Recipe
from host_tools.training.stream_batches import StreamBank

_CALIBRATION_WINDOWS = 1024
_POLL_S = 0.2
CALIBRATION_SHARE = 0.6  # steps of the calibration's training for each of the model's


@dataclass(frozen=True)
class Trained:
    model: Model
    recipe: Recipe
    calibration: Calibration

    @property
    def encoded(self) -> bytes:
        """The model file."""
        return encode(self.model)


def train(
    data: Dataset, recipe: Recipe, progress=None, limit_per_hour: float = 1.0, by: str = "",
    held=None,
) -> Trained:
    """Make a model. progress(Report): called now and then.

    The calibration's own, shorter trainings run beside in another process. held(PartFigures):
    called after each of them.
    limit_per_hour: false alarms that the decision's settings may let through. by: how the data
    is divided for judging, one of SPLITS of host_tools/dataset/held_out.py; "" is the best.

    Raises BeckonError for data from which nothing can be learned, and for a model that
    answers to stillness or to a slow walk with a gesture.
    """
    for fault in class_faults(data):
        raise BeckonError(fault)
    recipe = fitted(recipe)
    notes = f"seed {recipe.seed}, data {digest(data)}"
    held_out(data, recipe.seed, by)  # refuses; and finds copies before resampling hides them
    data = resampled(data, float(recipe.rate_hz))  # once, instead of in each training
    context = get_context("spawn")
    news = context.SimpleQueue()

    def tell() -> None:
        while not news.empty():
            figures = news.get()
            if held is not None:
                held(figures)

    def show(report: Report) -> None:
        tell()
        if progress is not None:
            progress(report)

    with ProcessPoolExecutor(1, context, _use_queue, (news,)) as other:
        steps = max(1, round(recipe.steps * CALIBRATION_SHARE))
        calibration = other.submit(_calibrate, data, recipe, steps, limit_per_hour, by)
        bank = StreamBank(data, recipe)
        net = fit(recipe, bank, show)
        while not wait([calibration], _POLL_S).done:
            tell()
        tell()
        found = calibration.result()
    windows, _ = bank.draw(_CALIBRATION_WINDOWS, np.random.default_rng(recipe.seed))
    model = export(net, recipe, windows, found.decision, found.temperature, notes, SPARE)
    refuse_restless(model, bank)
    return Trained(with_examples(model, bank), recipe, found)


_news: SimpleQueue[PartFigures] | None = None  # in the calibration's process


def _use_queue(news: SimpleQueue[PartFigures]) -> None:
    global _news
    _news = news


def _calibrate(data: Dataset, recipe: Recipe, steps: int, limit: float, by: str) -> Calibration:
    assert _news is not None
    return calibrate(data, recipe, steps, limit, by, _news.put)


def digest(data: Dataset) -> str:
    """First 8 hexadecimal digits of the SHA-256 of all samples and labels."""
    h = hashlib.sha256()
    for r in data.recordings:
        h.update(r.samples.tobytes())
        h.update(repr([(s.start_ms, s.end_ms, s.label) for s in r.spans]).encode())
    return h.hexdigest()[:8]


__all__ = ["PartFigures", "Report", "Trained", "digest", "train"]
