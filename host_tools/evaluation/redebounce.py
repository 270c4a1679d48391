"""An evaluation again with other settings of the debouncer: the network is not asked again.

    other = redebounced(result, settings)       # settings: 8 bytes, as in the model file

The answers of the engine at each window do not depend on the debouncer, so that
only its own counting is repeated. Long rests are skipped: a debouncer that
has seen more quiet windows than any of its counters holds is at rest, and one
more changes nothing. What comes out is exactly what `evaluate` gives for a
model with these settings.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from host_tools.evaluation.emulator import Detected, Windows, debouncer
from host_tools.evaluation.evaluate import Evaluation
from host_tools.evaluation.matching import match_events, missed
from host_tools.model.format import Model


def redebounced(result: Evaluation, settings: bytes) -> Evaluation:
    """The evaluation of the same model with `settings` in place of its own.

    Raises ValueError for settings that cannot be.
    """
    model = replace(result.model, debounce=settings)
    streams = []
    for s in result.streams:
        events = events_of(model, s.windows)
        truth = [(g.start_ms, g.end_ms, g.label) for g in s.gestures]
        verdicts = match_events(truth, [(e.t_ms, e.label) for e in events])
        streams.append(replace(s, events=tuple(events), verdicts=tuple(verdicts),
                               missed=tuple(missed(truth, verdicts))))
    return replace(result, model=model, streams=streams)


def events_of(model: Model, windows: Windows) -> list[Detected]:
    """The debouncer's events over one recording, with the settings in the model."""
    d = debouncer(model)
    threshold, _, _, quiet, refractory = model.debounce[:5]
    most = max(quiet, refractory) + 1
    out = []
    for t_ms, label, confidence in windows.pieces:
        d.reset()
        update = d.update
        which = _awake((label != model.idle) & (confidence >= threshold), most)
        for i, k, c in zip(which.tolist(), label[which].tolist(), confidence[which].tolist(),
                           strict=True):
            event = update(k, c)
            if event >= 0:
                out.append(Detected(float(t_ms[i]), model.labels[event], d.confidence))
    return out


def _awake(active: np.ndarray, most: int) -> np.ndarray:
    """Indices of the windows that count: gestures, and `most` windows after each.

    The first windows count, too, since a dead time may go on from before a hole.
    """
    n = len(active)
    last = np.maximum.accumulate(np.where(active, np.arange(n), -1))
    return np.flatnonzero(np.arange(n) - last <= most)


__all__ = ["events_of", "redebounced"]
