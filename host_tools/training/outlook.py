"""What to expect of a model that was just made, and what would make it better.

All figures come from gestures and people that the judged trainings never saw.
"""
from __future__ import annotations

from collections import Counter

from host_tools.dataset import Dataset, is_idle
from host_tools.evaluation.metrics import poisson_interval
from host_tools.training.train import Trained

_USELESS = 0.5  # event F1 below which a model is not worth carrying to a board
_WEAK = 0.9  # recall of a gesture that is worth a word
_FEW = 10  # takes of a gesture


def outlook(trained: Trained, data: Dataset, limit_per_hour: float) -> list[str]:
    """Lines for the end of `beckon train`."""
    found = trained.calibration
    score = found.score
    if score is None:
        return ["too few recordings to hold some out: nothing is known about this model",
                f"what would help most: {_help(trained, data, limit_per_hour)}"]
    lines = [
        f"gestures not trained on: {score.hits} of {score.truth} found, F1 {score.f1:.2f}, "
        f"{score.p50_ms:.0f} ms after their end (95 %: within {score.p95_ms:.0f} ms)",
        _alarms(trained, limit_per_hour),
    ]
    weakest = min(found.recalls, key=lambda k: found.recalls[k], default=None)
    if weakest is not None and found.recalls[weakest] < _WEAK:
        lines.append(f"weakest gesture: {weakest}, {100 * found.recalls[weakest]:.0f} % found")
    if score.f1 < _USELESS:
        lines.append("warning: this model would be of little use; its gestures are too few or too "
                     "much alike")
    lines.append(f"what would help most: {_help(trained, data, limit_per_hour)}")
    return lines


def _alarms(trained: Trained, limit_per_hour: float) -> str:
    score = trained.calibration.score
    assert score is not None
    low, high = score.per_hour_95
    kind = "recorded" if trained.calibration.recorded_life else "made-up"
    text = (f"false alarms: about {score.per_hour:.2g} per hour (95 %: {low:.2g} to {high:.2g}), "
            f"from {score.alarms} in {score.hours:.1f} h of {kind} everyday movement with models "
            "that learned from less")
    if score.proven:
        return text
    if trained.calibration.recorded_life and score.per_hour > limit_per_hour:
        return f"{text}; more than the {limit_per_hour:g} per hour asked for: no setting keeps it"
    if not trained.calibration.recorded_life:
        return f"{text}; what the wearer's own day brings is not known"
    return f"{text}; too short to prove {limit_per_hour:g} per hour"


def _help(trained: Trained, data: Dataset, limit_per_hour: float) -> str:
    found = trained.calibration
    takes = Counter(s.label for r in data.recordings for s in r.spans if not is_idle(s.label))
    fewest = min(takes, key=lambda k: (takes[k], k))
    if takes[fewest] < _FEW:
        return f"more takes: {fewest} has {takes[fewest]}, {_FEW} or more of each are good"
    if found.score is not None and not found.score.proven:
        hours = poisson_interval(0)[1] / max(limit_per_hour, 1e-3)
        longest = "hours" if hours > 24 else f"{hours:.0f} h" if hours >= 2 else f"{hours:.1f} h"
        return (f"everyday movement of the wearer, {longest} of it without gestures, as "
                "--negatives FOLDER")
    if found.recalls:
        weakest = min(found.recalls, key=lambda k: found.recalls[k])
        if found.recalls[weakest] < _WEAK:
            return f"more takes of {weakest}, by more people, or a gesture less like the others"
    return "takes of more people" if len(data.subjects) < _FEW else "nothing that is known"
