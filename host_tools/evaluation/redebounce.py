"""An evaluation again with other settings of the rule for events: the network is not asked again.

    other = redebounced(result, settings)       # 8 bytes, or a Decision

The answers of the engine at each window do not depend on the rule, so that only
its own work is repeated. What comes out is exactly what `evaluate` gives for a
model with these settings.
"""
from __future__ import annotations

from dataclasses import replace

from host_tools.evaluation.emulator import events_of
from host_tools.evaluation.evaluate import Evaluation
from host_tools.evaluation.matching import judge
from host_tools.model.decision import Decision


def redebounced(result: Evaluation, settings: bytes | Decision) -> Evaluation:
    """The evaluation of the same model with `settings` in place of its own.

    8 bytes are the settings of the rule that counts, a Decision those of the rule on
    shares. Raises ValueError for settings that cannot be.
    """
    if isinstance(settings, Decision):
        model = replace(result.model, decision=settings, version=2)
    else:
        model = replace(result.model, debounce=settings, decision=None)
    streams = []
    for s in result.streams:
        events = events_of(model, s.windows)
        verdicts, missed = judge(s.gestures, events, s.continuing)
        streams.append(replace(s, events=tuple(events), verdicts=verdicts, missed=missed))
    return replace(result, model=model, streams=streams)


__all__ = ["events_of", "redebounced"]
