"""Proposals for spans to be labelled, named by a model that knows some of the gestures.

    for p in propose_with_model(recording, model): print(p.label, p.confidence)
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from host_tools.dataset.proposals import Proposal, overlaps, propose
from host_tools.dataset.recording import Recording, Span
from host_tools.evaluation.emulator import Board
from host_tools.model.format import Model


def propose_with_model(recording: Recording, model: Model,
                       known: Sequence[Span] = ()) -> list[Proposal]:
    """The same stretches, named by the model where it recognises a gesture in them.

    A stretch gets the label that won most of the windows that end in it or up to a
    quarter of a window after it, and their mean confidence. An event of the model
    outside every stretch is proposed with the window that it rests on.
    Raises BeckonError if the model needs axes that the recording lacks.
    """
    board = Board(model)
    fe = model.front_end
    window_ms = fe.window * fe.decimation * 1000.0 / fe.rate_hz
    windows = board.windows(recording)
    t = np.concatenate([np.zeros(0), *(p[0] for p in windows.pieces)])
    label = np.concatenate([np.zeros(0, int), *(p[1] for p in windows.pieces)])
    sure = np.concatenate([np.zeros(0), *(p[2] for p in windows.pieces)])
    named = []
    for p in propose(recording, known):
        inside = (t > p.start_ms) & (t <= p.end_ms + window_ms / 4) & (label != model.idle)
        if inside.any():
            votes = np.bincount(label[inside], sure[inside], len(model.labels))
            best = int(votes.argmax())
            mine = inside & (label == best)
            named.append(replace(p, label=model.labels[best], confidence=round(sure[mine].mean())))
        else:
            named.append(p)
    for event in board.events(windows):
        start = max(recording.start_ms, event.t_ms - window_ms)
        end = min(event.t_ms, recording.start_ms + 1000 * recording.seconds)
        taken = [Span(p.start_ms, p.end_ms + window_ms / 2, "x") for p in named]
        if not overlaps(start, end, [*taken, *known]):
            named.append(Proposal(round(start, 1), round(end, 1), event.label, event.confidence))
    return sorted(named, key=lambda p: p.start_ms)
