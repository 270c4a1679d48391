"""What the Train page's child process does: train and judge a model, or judge one. No files.

ChildProcess calls it; it uses the same functions as `beckon train` and `beckon evaluate`. A model
learns from all of the data. Its figures come from models that were made without a part of it
each, and are judged on that part (host_tools/dataset/held_out.py).
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from host_tools.dataset import Dataset, is_idle, read_datasets, with_negatives
from host_tools.dataset.checks import check
from host_tools.dataset.held_out import SPLITS, held_out, piece
from host_tools.errors import BeckonError, Sentence
from host_tools.evaluation.evaluate import Evaluation, evaluate
from host_tools.evaluation.together import together
from host_tools.model.codec import decode, encode
from host_tools.model.golden import read_model
from host_tools.training.fit import fitted
from host_tools.training.judged import judge_parts
from host_tools.training.outlook import how_divided, outlook
from host_tools.training.recipe import Recipe, choose
from host_tools.training.train import digest, train
from host_tools.wording import counted

AUTO = ""  # the best split that judges every gesture


@dataclass(frozen=True)
class TrainChoice:
    """data, negatives: folders or FOLDER:label,...; no path of a project leads elsewhere.

    split: what stays together when parts are held out, AUTO or one of SPLITS. steps, window_ms:
    None chooses by the data.
    """

    data: tuple[str, ...]
    negatives: tuple[str, ...] = ()
    split: str = AUTO
    rate_hz: int = 100
    seed: int = 1
    steps: int | None = None
    window_ms: int | None = None
    false_per_hour: float = 1.0

    def check(self) -> None:
        """Raises BeckonError for values that are not valid."""
        for name, value, least, most in (
            (Sentence("steps"), self.steps, 1, 100_000),
            (Sentence("window"), self.window_ms, 200, 10_000),
            (Sentence("seed"), self.seed, 0, 2**31),
            (Sentence("false alarms per hour"), self.false_per_hour, 0, 1000),
        ):
            if value is not None and not least <= value <= most:
                raise BeckonError("{name} {value:g}: name a number from {least:g} to {most:g}",
                                  name=name, value=value, least=least, most=most)
        if self.rate_hz not in (50, 100):
            raise BeckonError("rate {rate_hz} Hz: choose 50 or 100", rate_hz=self.rate_hz)
        if self.split not in (AUTO, *SPLITS):
            raise BeckonError("split {split!r}: choose one of {splits}", split=self.split,
                              splits=', '.join(SPLITS))


@dataclass(frozen=True)
class About:
    """What will be trained; comes before the first step. divided: how parts are held out."""

    text: str
    steps: int
    notices: tuple[str, ...]
    divided: str = ""


@dataclass(frozen=True)
class Judging:
    """How many of the recordings have been judged."""

    done: int
    of: int


@dataclass(frozen=True)
class Part:
    """A model, and what it judged: (recording, start_ms, end_ms) of each piece."""

    model: bytes
    pieces: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Judged:
    """model: the file's bytes. evaluation: None if there was too little to hold out.

    held: whether the judged recordings were held out, as parts say. divided: how, as a clause.
    outlook: what to expect, as `beckon train` says it. unjudged: gestures without a take that
    could be held out. by: one of SPLITS, or "". takes: of each gesture in all of the data.
    """

    model: bytes
    evaluation: Evaluation | None
    held: bool
    parts: tuple[Part, ...] = ()
    divided: str = ""
    outlook: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    by: str = ""
    takes: tuple[int, ...] = ()


def train_and_judge(report: Callable[[Any], None], choice: TrainChoice) -> Judged:
    """Train, then judge. Raises BeckonError if the data is not enough."""
    data = read_datasets(choice.data)
    if choice.negatives:
        data = with_negatives(data, read_datasets(choice.negatives))
    recipe = fitted(recipe_of(data, choice))
    split = held_out(data, recipe.seed, choice.split)
    divided = how_divided(split)
    warnings = (*data.notices, *check(data))
    report(About(about(data, recipe), recipe.steps, warnings, divided))
    trained = train(data, recipe, report, choice.false_per_hour, choice.split, report)
    takes = Counter(s.label for r in data.recordings for s in r.spans if not is_idle(s.label))
    count = sum(len(split.parts[n][1].recordings) for n, _ in trained.calibration.trials)
    found = judge_parts(trained, split, progress=_counter(report, count))
    judged = together(trained.model, found) if found else None
    return Judged(
        encode(trained.model), judged, bool(found),
        tuple(Part(encode(e.model), _pieces(e.data)) for e in found), divided,
        tuple(outlook(trained, split, judged, data, choice.false_per_hour)), split.unjudged,
        warnings, split.by, tuple(takes.values()),
    )


def judge_only(report: Callable[[Any], None], path: Path, data: tuple[str, ...]) -> Judged:
    """Judge an existing model. held: False, as its training data is unknown."""
    model = read_model(path)
    chosen = read_datasets(data)
    found = evaluate(model, chosen, _counter(report, len(chosen.recordings)))
    return Judged(encode(model), found, False, warnings=tuple(chosen.notices))


def judge_again(report: Callable[[Any], None], data: tuple[str, ...], before: Judged) -> Judged:
    """Judge the same recordings after their labels have changed."""
    known = read_datasets(data)
    if not before.parts:
        model = decode(before.model)
        found = [evaluate(model, known, _counter(report, len(known.recordings)))]
        return _renewed(before, found[0], known)
    by_name = {r.name: r for r in known.recordings}
    count = sum(len(part.pieces) for part in before.parts)
    step = _counter(report, count)
    found = []
    for part in before.parts:
        cut = [piece(r, round(r.index(start_ms)), round(r.index(end_ms)))
               for name, start_ms, end_ms in part.pieces if (r := by_name.get(name))]
        found.append(evaluate(decode(part.model), Dataset(known.name, cut), step))
    if not any(e.streams for e in found):
        raise BeckonError("none of the judged recordings exists any longer")
    return _renewed(before, together(decode(before.model), found), known)


def _renewed(before: Judged, found: Evaluation, data: Dataset) -> Judged:
    return replace(before, evaluation=found, outlook=(), warnings=tuple(data.notices))


def _pieces(data: Dataset) -> tuple[tuple[str, float, float], ...]:
    return tuple((r.name, r.start_ms, r.start_ms + 1000 * r.seconds) for r in data.recordings)


def _counter(report: Callable[[Any], None], count: int) -> Callable[[], None]:
    """A function to call after each of count recordings."""
    done = 0
    report(Judging(0, count))

    def step() -> None:
        nonlocal done
        done += 1
        report(Judging(done, count))

    return step


def recipe_of(data: Dataset, choice: TrainChoice) -> Recipe:
    """The recipe that the data suggests, with the user's own settings."""
    recipe = choose(data, choice.rate_hz, seed=choice.seed, steps=choice.steps)
    if choice.window_ms is None:
        return recipe
    frame_ms = 1000 / recipe.feature_hz
    window = round(choice.window_ms / frame_ms)
    if not 8 <= window <= 250:
        raise BeckonError("a window of {window_ms} ms: choose {least_ms:.0f} to {most_ms:.0f} "
                          "ms", window_ms=choice.window_ms, least_ms=8 * frame_ms,
                          most_ms=250 * frame_ms)
    return choose(data, choice.rate_hz, seed=choice.seed, steps=choice.steps, window=window)


def about(data: Dataset, recipe: Recipe) -> str:
    """One line: the data and the window."""
    counts = Counter(s.label for r in data.recordings for s in r.spans)
    listed = ", ".join(f"{label} {n}" for label, n in sorted(counts.items()))
    return (f"{counted(len(data.recordings), 'recording')} (data {digest(data)}): {listed}. Window "
            f"{recipe.window_s:.2f} s at {recipe.rate_hz} Hz, {recipe.accel_g} g, "
            f"{recipe.gyro_dps} deg/s, {recipe.steps} steps")
