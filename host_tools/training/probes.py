"""What no model may answer to: a still hand, and a slow walk.

A model that names a gesture there would name one all day. Its cause is always in the
data: gestures that are next to nothing, or recordings without any rest.
"""
from __future__ import annotations

import numpy as np

from host_tools.augment.movements import Movements
from host_tools.dataset import Recording
from host_tools.errors import BeckonError
from host_tools.evaluation.emulator import Board
from host_tools.model.format import Model
from host_tools.training.stream_batches import StreamBank

_PROBE_S = 60.0
_STEPS_HZ = 1.5
_PROBE_SEED = 7
REST, WALK = "a hand at rest", "a slow walk"
_MOST_EVENTS = {REST: 0, WALK: 2}  # within _PROBE_S
_MOST_CALLED = 0.2  # part of the windows that are surely called a gesture
_CALLED_PERCENT = 80


def probes(bank: StreamBank) -> dict[str, Recording]:
    """Name and recording of each probe, held as in the data."""
    rng = np.random.default_rng(_PROBE_SEED)
    make = Movements(bank.material, rng)
    level = make.any_level()
    n = round(_PROBE_S * bank.rate_hz)
    still = level[:, None] + make.tremor_made(n)
    walk = make.walk(level, _PROBE_S, steps_hz=_STEPS_HZ)
    return {
        name: Recording(name, np.ascontiguousarray(x.T), bank.rate_hz)
        for name, x in ((REST, still), (WALK, walk))
    }


def refuse_restless(model: Model, bank: StreamBank) -> None:
    """Raise BeckonError if the model answers to a probe with gestures.

    Either with events, or with one that never ends.
    """
    board = Board(model)
    for name, recording in probes(bank).items():
        if name == WALK and bank.recipe.continuing:
            continue  # walking may well be one of them
        windows = board.windows(recording)
        shares = np.concatenate([p.shares for p in windows.pieces])
        called = shares[100 - shares[:, model.idle] >= _CALLED_PERCENT]
        events = board.events(windows)
        if len(events) > _MOST_EVENTS[name] or len(called) > _MOST_CALLED * len(shares):
            sums = called.sum(axis=0, dtype=int)
            label = events[0].label if events else model.labels[int(sums.argmax())]
            raise BeckonError("the model takes {name} for {label}: it would never be quiet; look "
                              "at the recordings of that gesture, and record some of no gesture",
                              name=name, label=label)
