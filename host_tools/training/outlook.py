"""What to expect of a model that was just made, and what would make it better.

All figures come from gestures and people that the judged trainings never saw.
"""
from __future__ import annotations

from collections import Counter

from host_tools.dataset import Dataset, is_idle
from host_tools.dataset.held_out import DAY, RECORDING, SUBJECT, TAKE, Split
from host_tools.evaluation.evaluate import Evaluation
from host_tools.evaluation.in_words import LEAST_TAKES
from host_tools.evaluation.metrics import Tally, poisson_interval
from host_tools.training.train import Trained
from host_tools.wording import counted, listed, time_span

USELESS = 0.5  # event F1 below which a model is not worth carrying to a board
_WEAK = 0.9  # recall of a gesture that is worth a word
_FEW = 10  # takes of a gesture
_WHAT = {SUBJECT: "people", DAY: "days", RECORDING: "recordings", TAKE: "takes"}


def how_divided(split: Split) -> str:
    """How the data was divided for judging, as a clause; "" if it was not."""
    if not split.by:
        return ""
    held = [{r.subject for r in held.recordings} for _, held in split.parts]
    if split.by == SUBJECT and all(len(people) == 1 for people in held):
        return "each person in turn was left out and then judged"
    share = {2: "half", 3: "third"}.get(len(split.parts), "part")
    sitting = ("; they are from the same sitting, so another day may be harder"
               if split.by == TAKE else "")
    return f"each {share} of the {_WHAT[split.by]} in turn was left out and then judged{sitting}"


def outlook(
    trained: Trained, split: Split, judged: Evaluation | None, data: Dataset, limit_per_hour: float
) -> list[str]:
    """Lines for the end of a training. judged: the held-out parts together, None without any."""
    if judged is None:
        return ["too little to judge: no gesture has a take that training could leave out, so "
                "nothing is known about this model",
                f"what would help most: {_help(trained, None, data, limit_per_hour)}"]
    t = judged.tally()
    delay = (f"; {t.latency_ms(0.5):.0f} ms after their end (95 %: within "
             f"{t.latency_ms(0.95):.0f} ms)") if t.hits else ""
    lines = [
        f"held out: {how_divided(split)}",
        f"found: {t.hits} of {t.truth} gestures that the model had not seen, {t.false} false, "
        f"{t.duplicates} reported twice (F1 {t.f1:.2f}){delay}" if t.truth >= LEAST_TAKES else
        f"found: too little to judge (of {counted(t.truth, 'take')} left out {t.hits} found, "
        f"{t.false} false, {t.duplicates} reported twice)",
        _weakest(judged),
        _alarms(trained, limit_per_hour),
        _too_few(split, judged),
    ]
    if t.f1 < USELESS:
        lines.append("warning: this model would be of little use; its gestures are too few or too "
                     "much alike")
    lines.append(f"what would help most: {_help(trained, judged, data, limit_per_hour)}")
    return [line for line in lines if line]


def by_label(judged: Evaluation, least: int = LEAST_TAKES) -> dict[str, Tally]:
    """The events of each gesture of which enough takes were judged."""
    takes = Counter(g.label for s in judged.streams for g in s.gestures)
    return {label: judged.tally(label=label) for label, n in sorted(takes.items()) if n >= least}


def weakest(judged: Evaluation) -> str:
    """The gesture of which the smallest part is found; "" if all are, or too few were judged."""
    tallies = {k: t for k, t in by_label(judged).items() if t.missed or t.false}
    return min(tallies, key=lambda k: (tallies[k].recall, -tallies[k].false, k), default="")


def _weakest(judged: Evaluation) -> str:
    worst = weakest(judged)
    if not worst:
        return "weakest gesture: none, all are found" if by_label(judged) else ""
    t = judged.tally(label=worst)
    false = f", {t.false} false" if t.false else ""
    return f"weakest gesture: {worst}, {t.hits} of {t.truth} found{false}"


def _too_few(split: Split, judged: Evaluation) -> str:
    takes = Counter(dict.fromkeys(split.unjudged, 0))
    takes.update(g.label for s in judged.streams for g in s.gestures)
    few = [f"{label} ({counted(n, 'take')} left out)" for label, n in sorted(takes.items())
           if n < LEAST_TAKES]
    return f"too little to judge: {listed(few)}" if few else ""


def _alarms(trained: Trained, limit_per_hour: float) -> str:
    score = trained.calibration.score
    assert score is not None
    low, high = score.per_hour_95
    kind = "recorded" if trained.calibration.recorded_life else "made-up"
    text = (f"false alarms to expect: {_rate(score.per_hour)} per hour (95 %: {_rate(low)} to "
            f"{_rate(high)}), from {score.alarms} in {time_span(3600 * score.hours)} of {kind} "
            "everyday movement with models that learned from less")
    if score.proven:
        return text
    if trained.calibration.recorded_life and score.per_hour > limit_per_hour:
        return f"{text}; more than the {limit_per_hour:g} per hour asked for: no setting keeps it"
    if not trained.calibration.recorded_life:
        return f"{text}; what the wearer's own day brings is not known"
    return f"{text}; too short to prove {limit_per_hour:g} per hour"


def _rate(per_hour: float) -> str:
    """With as many digits as it is worth: 0, 0.46, 2.1, 69."""
    return f"{per_hour:.0f}" if per_hour >= 10 or not per_hour else f"{per_hour:.2g}"


def _help(
    trained: Trained, judged: Evaluation | None, data: Dataset, limit_per_hour: float
) -> str:
    found = trained.calibration
    takes = Counter(s.label for r in data.recordings for s in r.spans if not is_idle(s.label))
    fewest = min(takes, key=lambda k: (takes[k], k))
    if takes[fewest] < _FEW:
        return f"more takes: {fewest} has {takes[fewest]}, {_FEW} or more of each are good"
    if judged is not None:
        known = by_label(judged)
        worst = min(known, key=lambda k: known[k].recall, default="")
        if worst and known[worst].missed > 1 and known[worst].recall < _WEAK:
            return f"more takes of {worst}, by more people, or a gesture less like the others"
    if found.score is not None and not found.score.proven:
        hours = poisson_interval(0)[1] / max(limit_per_hour, 1e-3)
        longest = "hours" if hours > 24 else time_span(3600 * hours)
        return (f"everyday movement of the wearer, {longest} of it without gestures, as "
                "--negatives FOLDER")
    return "takes of more people" if len(data.subjects) < _FEW else "nothing that is known"
