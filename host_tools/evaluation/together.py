"""Several evaluations as one: of parts of a data set, each judged by a model that never saw it.

    result = together(model, [evaluate(model_without(part), part) for part in parts])

The parts' models have the same labels and settings as `model`, which is the one that is shown:
its settings of the rule for events can be changed over all parts at once (redebounce.py).
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from host_tools.dataset import Dataset
from host_tools.evaluation.evaluate import Evaluation
from host_tools.evaluation.span_accuracy import SpanResults
from host_tools.model.format import Model


def together(model: Model, parts: Sequence[Evaluation]) -> Evaluation:
    """parts: at least one. A recording that was cut is there in pieces of the same name."""
    recordings = [r for e in parts for r in e.data.recordings]
    notices = list(dict.fromkeys(n for e in parts for n in e.notices))
    first = np.cumsum([0, *(len(e.data.recordings) for e in parts)]).tolist()
    where = tuple((i + n, span) for n, e in zip(first[:-1], parts, strict=True)
                  for i, span in e.spans.where)

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(e.spans, name) for e in parts])

    spans = SpanResults(joined("truth"), joined("found"), joined("subject"), joined("confidence"),
                        where)
    factor = min(e.realtime_factor for e in parts)
    streams = [s for e in parts for s in e.streams]
    data = Dataset(parts[0].data.name, recordings)
    return Evaluation(model, data, spans, streams, factor, notices)
