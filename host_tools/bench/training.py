"""An epoch of our training against one of scikit-learn's MLPClassifier, at the same sizes.

All three see as many windows of as many values in batches of the same size,
with one hidden layer and Adam, in float32, turn about in one process on one core:

  updates       forward pass, back-propagation and update, as in host_tools/training/network.py
  fit           what `beckon train` runs: the same, and a newly augmented window every
                fourth time, averaged weights, dropout, rounded weights at the end
  scikit-learn  MLPClassifier.fit without early stopping

example:
  beckon bench training --json
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from host_tools.errors import BeckonError

EXTRA = "compare"  # of pyproject.toml: scikit-learn

SIZES = ((16, 24), (48, 38), (64, 50))  # neurons, frames of 6 axes
_BATCH = 128


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", default="data/gestures", metavar="DATASET",
                        help="whose windows are learned")
    parser.add_argument("--windows", type=int, default=4096, help="windows of an epoch")
    parser.add_argument("--epochs", type=int, default=5, help="of a turn")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="turns of each variant")


def measure(args: argparse.Namespace, note: Callable[[str], None]) -> dict[str, Any]:
    from host_tools.dataset import read_dataset
    from host_tools.training.recipe import choose

    for name, value, least in (("--windows", args.windows, _BATCH), ("--epochs", args.epochs, 1),
                               ("--rounds", args.rounds, 1)):
        if value < least:
            raise BeckonError(f"{name} must be at least {least}", status=2)
    data = read_dataset(args.dataset)
    figures = {}
    for hidden, frames in SIZES:
        recipe = choose(data, 100, conv=(), hidden=(hidden,), window=frames, batch=_BATCH)
        key = f"{frames * recipe.axes}-{hidden}-{len(recipe.labels)}"
        note(key)
        figures[key] = _measure_size(data, recipe, args)
    return figures


def _measure_size(data, recipe, args: argparse.Namespace) -> dict[str, Any]:
    import numpy as np

    from host_tools.experiments.baselines import PlainMLP, need
    from host_tools.training.fit import fit
    from host_tools.training.stream_batches import StreamBank

    classifier = need("sklearn.neural_network").MLPClassifier
    limits = need("threadpoolctl").threadpool_limits
    bank = StreamBank(data, recipe)
    x, y = bank.draw(args.windows, np.random.default_rng(1))
    epochs, hidden = args.epochs, recipe.hidden[0]
    steps = epochs * -(-len(x) // recipe.batch)
    variants: dict[str, Callable[[], Any]] = {
        "updates": lambda: PlainMLP(hidden, epochs, recipe.batch).fit(x, y),
        "fit": lambda: fit(replace(recipe, steps=steps), bank),
        "sklearn": lambda: classifier(
            (hidden,), batch_size=recipe.batch, max_iter=epochs, tol=0.0, n_iter_no_change=1 << 30,
            random_state=1,
        ).fit(x, y),
    }
    times: dict[str, list[float]] = {name: [] for name in variants}
    with warnings.catch_warnings(), limits(1):
        warnings.simplefilter("ignore")  # that it has not converged: it was not to
        for _ in range(args.rounds):
            for name, run in variants.items():
                begun = time.perf_counter()
                run()
                times[name].append((time.perf_counter() - begun) / epochs * 1e3)
    median = {f"{name}_ms": statistics.median(t) for name, t in times.items()}

    def over(name: str) -> float:
        """Median of the rounds' own ratios: a load that comes and goes meets both."""
        return statistics.median(
            a / b for a, b in zip(times[name], times["sklearn"], strict=True)
        )

    return {
        "windows": len(x), "batch": recipe.batch, **median,
        "updates_over_sklearn": over("updates"), "fit_over_sklearn": over("fit"),
    }


def summary(figures: dict[str, Any]) -> str:
    lines = []
    for key, f in figures.items():
        lines.append(
            f"[{key}]  {f['windows']} windows in batches of {f['batch']}; ms an epoch: "
            f"updates {f['updates_ms']:.1f}, fit {f['fit_ms']:.1f}, "
            f"scikit-learn {f['sklearn_ms']:.1f}; "
            f"updates {f['updates_over_sklearn']:.2f} of it, fit {f['fit_over_sklearn']:.2f}"
        )
    return "\n".join(lines)
