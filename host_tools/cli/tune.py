"""Search window, network, augmentation and training settings with Optuna.

Each trial trains on folds of the data (by subject where there are several). Span
accuracy and event F1 on the held-out parts judge it. The best settings go into a file
for `beckon train --recipe`. With a storage URL several machines search the same study.

example:
  beckon tune data/gestures --trials 30 --out recipe.json
  beckon train data/gestures --recipe recipe.json --out gesture.mlp
"""

import argparse
from pathlib import Path

from host_tools.cli.progress import progress
from host_tools.errors import BeckonError
from host_tools.wording import counted

EXTRA = "tune"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,...")
    parser.add_argument("--out", required=True, type=Path, metavar="RECIPE", help="JSON to write")
    parser.add_argument("--rate", type=int, default=100, choices=(50, 100), help="sensor rate, Hz")
    parser.add_argument("--trials", type=int, default=20, help="how many settings to try")
    parser.add_argument("--steps", type=int, default=1500, help="updates of the weights per trial")
    parser.add_argument("--folds", type=int, default=3, help="parts that are held out in turn")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same result")
    parser.add_argument("--storage", metavar="URL", help="database of the study, e.g. sqlite:///s.db")
    parser.add_argument("--study", default="beckon", metavar="NAME", help="study in that database")


def run(args: argparse.Namespace) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.experiments.search import save, search

    for name, value, least in (("--trials", args.trials, 1), ("--steps", args.steps, 10),
                               ("--folds", args.folds, 2)):
        if value < least:
            raise BeckonError(f"{name} {value}: must be at least {least}", 2)
    data = read_datasets(args.dataset)
    with progress("tuning", total=args.trials) as step:
        best, value, count = search(data, args.rate, args.trials, args.steps, args.seed,
                                    args.folds, args.storage, args.study, step)
    save(best, args.out)
    print(f"{args.out}: value {value:.4f}, the best of {counted(count, 'trial')}")
    return 0
