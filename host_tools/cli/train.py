"""Train a model from labelled recordings.

Everything is chosen from the data; each choice can be set by hand. A DATASET
is a folder with recordings/ and labels.csv, or FOLDER:label,label to take only
some of its labels. Labels such as none, idle, rest or no_motion, and whatever
lies outside the labelled spans, teach the model what is no gesture.

example:
  beckon train data/my_gestures data/everyday:none --rate 50 --out gesture.mlp
"""

import argparse
import sys
from collections import Counter

from host_tools.cli.progress import progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,...")
    parser.add_argument("--out", required=True, metavar="MODEL", help="model file to write (*.mlp)")
    parser.add_argument("--rate", type=int, default=100, choices=(50, 100),
                        help="sensor rate in Hz")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same model")
    parser.add_argument("--window", type=int, metavar="MS", help="length of the window")
    parser.add_argument("--hop", type=int, metavar="MS", help="time between windows")
    parser.add_argument("--hidden", metavar="N,N", help="sizes of the hidden layers")
    parser.add_argument("--steps", type=int, help="updates of the weights")


def run(args: argparse.Namespace) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.model.format import write_model
    from host_tools.training.recipe import choose
    from host_tools.training.train import digest, train

    data = read_datasets(args.dataset)
    for notice in data.notices:
        print(f"notice: {notice}", file=sys.stderr)
    recipe = choose(data, args.rate, seed=args.seed, steps=args.steps)
    counts = Counter(s.label for r in data.recordings for s in r.spans)
    listed = ", ".join(f"{label} {n}" for label, n in sorted(counts.items()))
    print(f"data {digest(data)}: {len(data.recordings)} recordings, {listed}", file=sys.stderr)
    print(
        f"seed {recipe.seed}, {recipe.rate_hz} Hz, window {recipe.window_s:.2f} s of "
        f"{recipe.window} frames, {recipe.accel_g} g, {recipe.gyro_dps} deg/s",
        file=sys.stderr,
    )
    done = 0
    with progress("training", total=recipe.steps) as step:

        def show(report):
            nonlocal done
            step(f"loss {report.loss:.3f}", report.step - done)
            done = report.step

        trained = train(data, recipe, show)
    size = write_model(args.out, trained.model)
    print(f"{args.out}: {size} bytes, model {trained.model.model_id}, {trained.model.macs} MAC")
    return 0
