"""Search the recipe with Optuna: what is tried, and how a trial is judged.

Needs optuna. A study may lie in a database (storage URL), so that
several machines search it together.
"""
from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np

from host_tools.augment.kinds import KINDS, Augment
from host_tools.dataset import Dataset
from host_tools.dataset.split import folds
from host_tools.errors import BeckonError
from host_tools.evaluation.emulator import Board
from host_tools.evaluation.span_accuracy import span_results
from host_tools.training.answers import Heard
from host_tools.training.calibrate import streams_of
from host_tools.training.decision_tuning import tune as tune_decision
from host_tools.training.export import export
from host_tools.training.fit import fit
from host_tools.training.recipe import Recipe, choose
from host_tools.training.stream_batches import StreamBank

_SPAN_SHARE = 0.5  # of the objective; the rest is event F1


def suggest(trial, base: Recipe) -> Recipe:
    """One point of the search space around the recipe that the data suggests."""
    window = max(8, round(base.window * trial.suggest_float("window", 0.7, 1.3)))
    first = trial.suggest_int("conv1", 8, 32, step=8)
    second = trial.suggest_int("conv2", 16, 48, step=8)
    augment = replace(base.augment, **{
        amount.field: trial.suggest_float(amount.field, 0.0, amount.searched_to)
        for kind in KINDS for amount in kind.amounts if amount.searched_to
    })
    return replace(
        base,
        levelled=base.levelled and trial.suggest_categorical("levelled", (True, False)),
        window=window,
        conv=((trial.suggest_int("kernel1", 4, 10), first, 2),
              (trial.suggest_int("kernel2", 3, 6), second, 2)),
        hidden=(trial.suggest_int("hidden", 16, 64, step=8),),
        rate=trial.suggest_float("rate", 5e-4, 1e-2, log=True),
        decay=trial.suggest_float("decay", 1e-2, 1.0, log=True),
        dropout=trial.suggest_float("dropout", 0.0, 0.4),
        label_smoothing=trial.suggest_float("label_smoothing", 0.0, 0.2),
        augment=augment,
    )


def judge(data: Dataset, recipe: Recipe, parts, report=None) -> float:
    """Mean over the folds of span accuracy and event F1, each with half the weight.

    report(value, fold): called after each fold; may raise to prune the trial.
    A recipe whose model does not fit into the file is worth 0.
    """
    values = []
    for k, held in enumerate(parts):
        chosen = set(held)
        known = Dataset(data.name, [r for i, r in enumerate(data.recordings) if i not in chosen])
        test = Dataset(data.name, [r for i, r in enumerate(data.recordings) if i in chosen])
        bank = StreamBank(known, recipe)
        net = fit(recipe, bank)
        rng = np.random.default_rng(recipe.seed)
        try:
            model = export(net, recipe, bank.draw(1024, rng)[0])
        except ValueError:
            return 0.0
        board = Board(model)
        value = span_results(board, test).accuracy
        streams = streams_of(test, recipe, rng)
        if streams:
            score = tune_decision([Heard.of(model, streams)], [], 1.0, False)[1]
            value = _SPAN_SHARE * value + (1 - _SPAN_SHARE) * score.f1
        values.append(value)
        if report is not None:
            report(float(np.mean(values)), k)
    return float(np.mean(values))


def search(data: Dataset, rate_hz: int, trials: int, steps: int, seed: int = 1,
           folds_count: int = 3, storage: str | None = None, name: str = "beckon", progress=None):
    """Run trials of a study; returns (best recipe, best value, trials in the study).

    storage: a database URL of Optuna's, None to keep the study in memory.
    progress(text): called after each trial.
    """
    try:
        import optuna
    except ImportError:
        raise BeckonError("optuna is not installed; run: pip install optuna") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    base = choose(data, rate_hz, steps=steps, seed=seed)
    parts = folds(data, folds_count, seed)
    try:
        study = optuna.create_study(
            direction="maximize", storage=storage, study_name=name, load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
        )
    except Exception as e:  # whatever database driver the URL names raises its own kinds
        raise BeckonError(f"--storage {storage}: {str(e).splitlines()[0]}") from None
    # Machines that share a study, and one that goes on with it, must not repeat its trials.
    others = [len(study.trials), os.getpid(), uuid.getnode()] if storage else []
    shared = int(np.random.SeedSequence([seed, *others]).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(seed=shared)

    def objective(trial):
        def report(value, step):
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned

        value = judge(data, suggest(trial, base), parts, report)
        return value

    def finished(study, trial):
        if progress is not None:
            progress(f"best {study.best_value:.4f}" if study.best_trials else "")

    study.optimize(objective, n_trials=trials, callbacks=[finished])
    best = suggest(optuna.trial.FixedTrial(study.best_params), base)
    return best, float(study.best_value), len(study.trials)


def save(recipe: Recipe, path: Path) -> None:
    """The settings of a recipe that do not follow from data or command line, as JSON."""
    from host_tools.files import write_atomically

    kept = {k: v for k, v in asdict(recipe).items() if k in _KEPT}
    write_atomically(path, (json.dumps(kept, indent=1) + "\n").encode())


def load(path: Path) -> dict:
    """Fields for choose(). Raises BeckonError for what is not a saved recipe."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise BeckonError(f"{path}: not a recipe of beckon tune ({e})") from None
    if not isinstance(content, dict) or not set(content) <= _KEPT:
        raise BeckonError(f"{path}: not a recipe of beckon tune")
    if "augment" in content:
        known = {f.name for f in fields(Augment)}
        if not isinstance(content["augment"], dict) or not set(content["augment"]) <= known:
            raise BeckonError(f"{path}: unknown augmentation")
        content["augment"] = Augment(**content["augment"])
    for key in ("conv", "hidden"):
        if key in content:
            content[key] = tuple(tuple(x) if isinstance(x, list) else x for x in content[key])
    return content


_KEPT = {
    "levelled", "window", "conv", "hidden", "rate", "decay", "dropout", "label_smoothing",
    "augment", "ended_after", "draws",
}
