"""What the Train page's child process does: train and judge a model, or judge one. No files.

ChildProcess calls it; it uses the same functions as `beckon train` and `beckon evaluate`.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools.dataset import Dataset, read_dataset, read_datasets, with_negatives
from host_tools.dataset.checks import check
from host_tools.dataset.split import hold_out
from host_tools.errors import BeckonError
from host_tools.evaluation.evaluate import Evaluation, evaluate
from host_tools.model.codec import decode, encode
from host_tools.model.golden import read_model
from host_tools.training.fit import fitted
from host_tools.training.recipe import Recipe, choose
from host_tools.training.train import digest, train
from host_tools.wording import counted

HELD, ALL = "held", "all"


@dataclass(frozen=True)
class TrainChoice:
    """data, negatives: folders or FOLDER:label,...; no path of a project leads elsewhere.

    judge: HELD leaves about a quarter out of training and judges on it; ALL judges on what
    was trained on; else a data-set folder. steps, window_ms: None chooses by the data.
    """

    data: tuple[str, ...]
    negatives: tuple[str, ...] = ()
    judge: str = HELD
    rate_hz: int = 100
    seed: int = 1
    steps: int | None = None
    window_ms: int | None = None
    false_per_hour: float = 1.0

    def check(self) -> None:
        """Raises BeckonError for values that are not valid."""
        for name, value, least, most in (
            ("steps", self.steps, 1, 100_000), ("window", self.window_ms, 200, 10_000),
            ("seed", self.seed, 0, 2**31), ("false alarms per hour", self.false_per_hour, 0, 1000),
        ):
            if value is not None and not least <= value <= most:
                raise BeckonError(f"{name} {value:g}: name a number from {least:g} to {most:g}")
        if self.rate_hz not in (50, 100):
            raise BeckonError(f"rate {self.rate_hz} Hz: choose 50 or 100")


@dataclass(frozen=True)
class About:
    """What will be trained; comes before the first step."""

    text: str
    steps: int
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Judging:
    """How many of the recordings have been judged."""

    done: int
    of: int


@dataclass(frozen=True)
class Judged:
    """model: the file's bytes. held: whether the judged recordings were held out."""

    model: bytes
    evaluation: Evaluation
    held: bool


def train_and_judge(report: Callable[[Any], None], choice: TrainChoice) -> Judged:
    """Train, then judge. Raises BeckonError if the data is not enough."""
    data = read_datasets(choice.data)
    if choice.negatives:
        data = with_negatives(data, read_datasets(choice.negatives))
    known, judged = data, data
    if choice.judge == HELD:
        try:
            known, judged = hold_out(data, choice.seed)
        except ValueError:
            raise BeckonError("too few recordings to hold some out for judging; record more, or "
                              "judge on all (the figures then flatter)") from None
    elif choice.judge != ALL:
        judged = read_dataset(choice.judge)
    recipe = fitted(recipe_of(known, choice))
    report(About(about(known, recipe), recipe.steps, (*data.notices, *check(data))))
    trained = train(known, recipe, report, choice.false_per_hour)
    evaluation = _judge(report, trained.model, judged)
    return Judged(encode(trained.model), evaluation, choice.judge != ALL)


def judge_only(report: Callable[[Any], None], path: Path, data: tuple[str, ...]) -> Judged:
    """Judge an existing model. held: False, as its training data is unknown."""
    model = read_model(path)
    return Judged(encode(model), _judge(report, model, read_datasets(data)), False)


def judge_again(
    report: Callable[[Any], None], model: bytes, data: tuple[str, ...], names: tuple[str, ...],
    held: bool,
) -> Judged:
    """Judge the same recordings after their labels have changed."""
    chosen = read_datasets(data).subset(lambda r: r.name in names)
    if not chosen.recordings:
        raise BeckonError("none of the judged recordings exists any longer")
    return Judged(model, _judge(report, decode(model), chosen), held)


def _judge(report: Callable[[Any], None], model, data: Dataset) -> Evaluation:
    done = 0
    report(Judging(0, len(data.recordings)))

    def step() -> None:
        nonlocal done
        done += 1
        report(Judging(done, len(data.recordings)))

    return evaluate(model, data, step)


def recipe_of(data: Dataset, choice: TrainChoice) -> Recipe:
    """The recipe that the data suggests, with the user's own settings."""
    recipe = choose(data, choice.rate_hz, seed=choice.seed, steps=choice.steps)
    if choice.window_ms is None:
        return recipe
    frame_ms = 1000 / recipe.feature_hz
    window = round(choice.window_ms / frame_ms)
    if not 8 <= window <= 250:
        raise BeckonError(f"a window of {choice.window_ms} ms: choose {8 * frame_ms:.0f} to "
                          f"{250 * frame_ms:.0f} ms")
    return choose(data, choice.rate_hz, seed=choice.seed, steps=choice.steps, window=window)


def about(data: Dataset, recipe: Recipe) -> str:
    """One line: the data and the window."""
    counts = Counter(s.label for r in data.recordings for s in r.spans)
    listed = ", ".join(f"{label} {n}" for label, n in sorted(counts.items()))
    return (f"{counted(len(data.recordings), 'recording')} (data {digest(data)}): {listed}. Window "
            f"{recipe.window_s:.2f} s at {recipe.rate_hz} Hz, {recipe.accel_g} g, "
            f"{recipe.gyro_dps} deg/s, {recipe.steps} steps")
