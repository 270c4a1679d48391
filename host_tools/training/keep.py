"""Examples of what a model knows, for boards that learn another gesture.

    model = with_examples(model, bank)

They are drawn from the windows that it was trained on, as its last hidden layer sees them.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from host_tools.model.format import Model
from host_tools.model.kept import MOST_BYTES, Kept
from host_tools.model.reference import last_inputs
from host_tools.training.features import INPUT_SCALE
from host_tools.training.stream_batches import StreamBank

SPARE = 4.0  # rows learned on the board may have weights so many times as large as the others
_EXAMPLES = 180
_IDLE = 50
_MOST_EACH = 20  # of a gesture
_ROOM_BYTES = 1500  # for what boards add
_DRAWN = 12_000
_SEEN = 0.999  # part of the values that a byte must hold


def with_examples(model: Model, bank: StreamBank) -> Model:
    """The model with kept examples; as it is if it is of a kind that boards cannot change."""
    if model.fast or len(model.layers) < 2 or model.activity is None:
        return model
    rng = np.random.default_rng(bank.recipe.seed)
    inputs, labels = bank.draw(_DRAWN, rng)
    width = model.layers[-1].inputs
    count = min(_EXAMPLES, (MOST_BYTES - _ROOM_BYTES) // (width + 1))
    idle = min(_IDLE, count // 3)
    each = min(_MOST_EACH, (count - idle) // max(1, len(model.labels) - 1))
    rows = [np.flatnonzero(labels == k)[: idle if k == model.idle else each]
            for k in range(len(model.labels))]
    chosen = np.concatenate(rows)
    values = np.clip(np.rint(inputs[chosen] / INPUT_SCALE), -32768, 32767).astype(np.int16)
    u = last_inputs(model, values)
    most = max(1.0, float(np.quantile(u, _SEEN)))
    shift = max(0, int(np.ceil(np.log2(most / 255))))
    kept = Kept(shift, labels[chosen].astype(np.uint8),
                np.minimum(255, u >> shift).astype(np.uint8))
    return replace(model, kept=kept)
