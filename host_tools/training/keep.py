"""Examples of what a model knows, for boards that learn another gesture.

    model = with_examples(model, bank)

They are drawn from the windows that it was trained on, as its last hidden layer sees them. Beside
them lies a metric, from all windows that were drawn: the inverse of the scatter within gestures.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from host_tools.model.format import Model
from host_tools.model.kept import METRIC_ONE, MOST_BYTES, MOST_ROOT, Kept, metric_bytes, row_bytes
from host_tools.model.reference import last_inputs
from host_tools.training.features import INPUT_SCALE
from host_tools.training.stream_batches import StreamBank

SPARE = 4.0  # rows learned on the board may have weights so many times as large as the others
_EXAMPLES = 330
_MOST_EACH = 27  # of a gesture
_RIDGE = 0.3  # of the mean scatter, so that where there is none counts little more
_ROOM_BYTES = 3500  # for what boards add
_DRAWN = 12_000
_SEEN = 0.999  # part of the values that a byte must hold


def with_examples(model: Model, bank: StreamBank) -> Model:
    """The model with kept examples; as it is if it is of a kind that boards cannot change."""
    if model.fast or len(model.layers) < 2 or model.activity is None:
        return model
    rng = np.random.default_rng(bank.recipe.seed)
    inputs, labels = bank.draw(_DRAWN, rng)
    width = model.layers[-1].inputs
    room = (MOST_BYTES - _ROOM_BYTES - metric_bytes(width)) // row_bytes(width)
    count = min(_EXAMPLES, max(0, room))
    idle = count // 3
    each = min(_MOST_EACH, (count - idle) // max(1, len(model.labels) - 1))
    rows = [np.flatnonzero(labels == k)[: idle if k == model.idle else each]
            for k in range(len(model.labels))]
    chosen = np.concatenate(rows)
    seen = _seen(model, inputs[chosen])
    most = max(1.0, float(np.quantile(seen, _SEEN)))
    shift = max(0, int(np.ceil(np.log2(most / 255))))
    gestures = labels != model.idle
    metric = metric_of(np.minimum(255, _seen(model, inputs[gestures]) >> shift), labels[gestures])
    roots = np.minimum(MOST_ROOT, np.rint(np.sqrt(seen >> shift)))
    kept = Kept(shift, labels[chosen].astype(np.uint8), roots.astype(np.uint8), metric)
    return replace(model, kept=kept)


def _seen(model: Model, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.integer]:
    """What the last layer reads, for windows as the network is trained on."""
    values = np.clip(np.rint(inputs / INPUT_SCALE), -32768, 32767).astype(np.int16)
    return last_inputs(model, values)


def metric_of(values: npt.NDArray[np.generic],
              labels: npt.NDArray[np.generic]) -> npt.NDArray[np.int8]:
    """The inverse of the scatter of values (n, inputs) within each label, with a mean diagonal
    of 1, in 1/METRIC_ONE: Fisher's within-class scatter (1936, Annals of Eugenics 7, 179), with
    a ridge."""
    inputs = values.shape[1]
    scatter = np.zeros((inputs, inputs))
    for k in np.unique(labels):
        away = values[labels == k] - values[labels == k].mean(axis=0)
        scatter += away.T @ away
    scatter /= max(1.0, float(np.trace(scatter)) / inputs)
    metric = np.linalg.inv(scatter + _RIDGE * np.eye(inputs))
    metric *= inputs / np.trace(metric)
    return np.clip(np.rint(METRIC_ONE * metric), -127, 127).astype(np.int8)
