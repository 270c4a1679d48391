"""Judge a training on what it did not see: each part by the model that was made without it.

    split = held_out(data, recipe.seed)
    result = together(trained.model, judge_parts(trained, split))

The model itself learned from all of the data. So these figures are those of models that
learned from less: what to expect of it, rather too little than too much.
"""
from __future__ import annotations

from collections.abc import Callable

from host_tools.dataset import Dataset, is_idle
from host_tools.dataset.held_out import Split
from host_tools.evaluation.evaluate import Evaluation, evaluate
from host_tools.training.train import Trained


def judge_parts(
    trained: Trained, split: Split, gestures_only: bool = False,
    progress: Callable[[], None] | None = None,
) -> list[Evaluation]:
    """One evaluation for each part that has a model; [] if there was too little to hold out.

    gestures_only: leave out the recordings that hold none, which may be many hours.
    progress(): called after each recording.
    """
    out = []
    for number, model in trained.calibration.trials:
        held = split.parts[number][1]
        if gestures_only:
            held = Dataset(held.name, [r for r in held.recordings
                                       if any(not is_idle(s.label) for s in r.spans)])
        out.append(evaluate(model, held, progress))
    return out
