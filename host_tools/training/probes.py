"""What no model may answer to: a still hand, and a slow walk.

A model that names a gesture there would name one all day. Its cause is always in the
data: gestures that are next to nothing, or recordings without any rest.
"""
from __future__ import annotations

import numpy as np

from host_tools.augment.movements import Movements
from host_tools.dataset import Recording
from host_tools.errors import BeckonError
from host_tools.model.format import Model
from host_tools.training.answers import Heard
from host_tools.training.decision import Rule
from host_tools.training.stream_batches import StreamBank

_PROBE_S = 60.0
_STEPS_HZ = 1.5
_PROBE_SEED = 7
_MOST = {"a hand at rest": 0, "a slow walk": 2}  # events within _PROBE_S


def probes(bank: StreamBank) -> dict[str, Recording]:
    """Name and recording of each probe, held as in the data."""
    rng = np.random.default_rng(_PROBE_SEED)
    make = Movements(bank.material, rng)
    level = make.any_level()
    n = round(_PROBE_S * bank.rate_hz)
    still = np.concatenate([make.rest(level, n // 6) for _ in range(6)], axis=1)
    walk = make.walk(level, _PROBE_S, steps_hz=_STEPS_HZ)
    return {
        name: Recording(name, np.ascontiguousarray(x.T), bank.rate_hz)
        for name, x in (("a hand at rest", still), ("a slow walk", walk))
    }


def refuse_restless(model: Model, rule: Rule, bank: StreamBank) -> None:
    """Raise BeckonError if the model answers to a probe with gestures."""
    for name, recording in probes(bank).items():
        heard = Heard.of(model, [recording])
        when, named = rule.events(heard.answers, model.idle)
        if len(when) > _MOST[name]:
            label = model.labels[int(np.bincount(named).argmax())]
            raise BeckonError(
                f"the model takes {name} for {label}, {len(when)} times a minute: it would never "
                "be quiet; look at that gesture's recordings, and record some of no gesture"
            )
