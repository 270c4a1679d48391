"""Everyday movement as a model hears it, for alarms of what a board adds to its last layer."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from host_tools.dataset import Recording
from host_tools.evaluation.emulator import Board
from host_tools.evaluation.share_events import Answers, events
from host_tools.model import reference
from host_tools.model.format import Model


class Everyday:
    """recordings: without gestures. All that lies before the last layer is run once."""

    def __init__(self, model: Model, recordings: Sequence[Recording]):
        board = Board(model)
        values, still, activity, starts = [], [], [], []
        n = 0
        for recording in recordings:
            for _, raw in board.pieces(recording, board.raw(recording)):
                found = reference.features(model, raw)
                if not len(found.end):
                    continue
                u = np.zeros((len(found.end), model.layers[-1].inputs), np.uint16)
                u[~found.still] = reference.last_inputs(model, found.values[~found.still])
                values.append(u)
                still.append(found.still)
                activity.append(found.activity)
                starts.append(n)
                n += len(u)
        self._values, self._still = np.concatenate(values), np.concatenate(still)
        self._answers = Answers(np.zeros((n, 1), np.uint8), np.concatenate(activity),
                                np.array(starts))
        self.seconds = sum(r.seconds for r in recordings)

    def alarms(self, model: Model) -> int:
        """Events of a model that differs from the first one in its last layer alone."""
        assert model.decision is not None
        ran = ~self._still
        scores = reference.sums(model.layers[-1], self._values[ran].astype(np.int32))[:, 0]
        shares = np.zeros((len(ran), len(model.labels)), np.uint8)
        shares[~ran, model.idle] = 100
        shares[ran] = reference.shares(model, scores)
        when, _ = events(model.decision, replace(self._answers, shares=shares), model.idle)
        return len(when)


__all__ = ["Everyday"]
