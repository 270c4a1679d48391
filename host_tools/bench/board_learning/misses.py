"""Why gestures were not found: what the board said while each of them could have been."""
from __future__ import annotations

import numpy as np

from host_tools.evaluation.matching import GRACE_MS
from host_tools.evaluation.share_events import events
from host_tools.model.format import Model
from host_tools.training.answers import Heard

OTHER, UNSURE, HELD_BACK = "missed_other", "missed_unsure", "missed_held_back"
KINDS = (OTHER, UNSURE, HELD_BACK)


def misses(model: Model, heard: Heard) -> dict[str, int]:
    """How many gestures were missed for each reason.

    OTHER: an event had another name, or came twice. UNSURE: the evidence stayed below the
    threshold. HELD_BACK: it did not, but the hand was not calm, or the last event was too near.
    """
    decision = model.decision
    assert decision is not None
    when = heard.t_ms[events(decision, heard.answers, heard.idle)[0]]
    sure = np.zeros(len(heard.t_ms), bool)
    sure[heard.answers.above(decision, heard.idle)] = True
    out = dict.fromkeys(KINDS, 0)
    for i in np.flatnonzero(~heard.found(decision)):
        start, end = heard.start_ms[i], heard.end_ms[i] + GRACE_MS
        if ((when >= start) & (when <= end)).any():
            out[OTHER] += 1
        elif sure[(heard.t_ms >= start) & (heard.t_ms <= end)].any():
            out[HELD_BACK] += 1
        else:
            out[UNSURE] += 1
    return out


__all__ = ["KINDS", "misses"]
