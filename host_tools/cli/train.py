"""Train a model from labelled recordings.

All settings are chosen from the data; you can set each one yourself. A DATASET is a
folder with recordings/ and labels.csv, or FOLDER:label,label to take only some of its
labels. Two things teach the model what is not a gesture: spans with labels such as none,
idle, rest or no_motion, and everything outside the labelled spans.

At the end it says how good the model is: parts of the data are left out in turn and judged by
models that never saw them.

example:
  beckon train my-gestures everyday:none --rate 50 --out gesture.mlp
"""

import argparse
import sys
from collections import Counter
from dataclasses import fields
from pathlib import Path

from host_tools.cli.program import program
from host_tools.cli.progress import progress
from host_tools.errors import BeckonError
from host_tools.wording import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from host_tools.augment.kinds import Augment

    amounts = ", ".join(field.name for field in fields(Augment))
    parser.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,...")
    parser.add_argument("--out", required=True, metavar="MODEL", help="model file to write (*.mlp)")
    parser.add_argument("--rate", type=int, default=100, choices=(50, 100),
                        help="sensor rate in Hz")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same model")
    parser.add_argument("--negatives", nargs="+", default=[], metavar="DATASET",
                        help="recordings without any gesture, whatever their labels say")
    parser.add_argument("--split", default="", choices=("subject", "day", "recording", "take"),
                        help="what stays together when parts are left out to judge the model "
                        "(default: subject if there are two, else recording, else take)")
    parser.add_argument("--no-background", action="store_true",
                        help="without the generated everyday movement that is used where less "
                        "than ten minutes were recorded")
    parser.add_argument("--window", type=int, metavar="MS", help="length of the window")
    parser.add_argument("--hop", type=int, metavar="MS", help="time between windows")
    parser.add_argument("--hidden", metavar="N,N", help="sizes of the hidden layers")
    parser.add_argument("--size", metavar="BYTES",
                        help="a smaller model, such as 4k: less memory and time on the board, "
                        "less accuracy (docs/training.md)")
    parser.add_argument("--axes", choices=("ax,ay,az", "ax,ay,az,gx,gy,gz"),
                        help="leave out the gyroscope, or use all (default: what the data has)")
    parser.add_argument("--no-level", action="store_true",
                        help="do not level windows; only subtract their mean")
    parser.add_argument("--augment", action="append", default=[], metavar="NAME=AMOUNT",
                        help=f"amount of one augmentation, 0 for none of it ({amounts}); see "
                             "docs/data.md")
    parser.add_argument("--steps", type=int, help="updates of the weights")
    parser.add_argument("--epochs", type=int, help="the same, as passes over all gestures")
    parser.add_argument("--weight", action="append", default=[], metavar="LABEL=N",
                        help="count this label's windows N times (default: 1; all labels are "
                        "drawn equally often)")
    parser.add_argument("--recipe", type=Path, metavar="FILE", help="settings of beckon tune")
    parser.add_argument("--false-per-hour", type=float, default=1.0, metavar="N",
                        help="false alarms outside gestures; a hard limit with --negatives")


def run(args: argparse.Namespace) -> int:
    from host_tools.augment.continuing import continuing_notice
    from host_tools.dataset import read_datasets, with_negatives
    from host_tools.dataset.checks import check
    from host_tools.dataset.classes import class_faults
    from host_tools.dataset.held_out import held_out
    from host_tools.evaluation.together import together
    from host_tools.model.golden import write_model
    from host_tools.training.fit import fitted
    from host_tools.training.judged import judge_parts
    from host_tools.training.outlook import outlook
    from host_tools.training.recipe import cut_labels
    from host_tools.training.stream_batches import uses_background
    from host_tools.training.train import digest, train

    folder = Path(args.out).resolve().parent
    if not folder.is_dir():
        raise BeckonError(f"--out {args.out}: no folder {folder}; make it first", 2)
    data = read_datasets(args.dataset)
    if args.negatives:
        data = with_negatives(data, read_datasets(args.negatives))
    for fault in class_faults(data):
        raise BeckonError(fault)
    for notice in [*data.notices, *check(data)]:
        print(f"notice: {notice}", file=sys.stderr)
    recipe = fitted(_recipe(args, data))
    held_out(data, recipe.seed, args.split)  # refuses a split that cannot be, before the work
    counts = Counter(s.label for r in data.recordings for s in r.spans)
    listed = ", ".join(f"{label} {n}" for label, n in sorted(counts.items()))
    print(f"data {digest(data)}: {counted(len(data.recordings), 'recording')}, {listed}",
          file=sys.stderr)
    print(
        f"seed {recipe.seed}, {recipe.rate_hz} Hz, window {recipe.window_s:.2f} s of "
        f"{recipe.window} frames, {recipe.accel_g} g, {recipe.gyro_dps} deg/s",
        file=sys.stderr,
    )
    if recipe.continuing:
        print(f"notice: {continuing_notice(recipe.continuing, str(args.dataset[0]))}",
              file=sys.stderr)
    for label, part in cut_labels(data, recipe).items():
        print(f"notice: {100 * part:.0f} % of {label} are longer than the window holds; their "
              "beginning is not seen", file=sys.stderr)
    if recipe.axes == 6 and any(recipe.up) and not recipe.levelled and not args.no_level:
        print("notice: the gyroscope is often beyond its range, so windows are not levelled; "
              "record with a larger range", file=sys.stderr)
    if uses_background(data, recipe):
        print("everyday movement: little was recorded, so some is generated "
              "(--no-background to leave it out)", file=sys.stderr)
    done = 0
    with progress("training", total=recipe.steps) as step:

        def show(report):
            nonlocal done
            step(f"loss {report.loss:.3f}", report.step - done)
            done = report.step

        trained = train(data, recipe, show, args.false_per_hour, args.split)
    split = held_out(data, recipe.seed, args.split)
    parts = judge_parts(trained, split, gestures_only=True)
    judged = together(trained.model, parts) if parts else None
    for habit in trained.calibration.habits:
        print(f"notice: {habit}", file=sys.stderr)
    write_model(args.out, trained.model)
    size = int.from_bytes(trained.encoded[12:16], "little")  # without the examples behind it
    print(f"{args.out}: {size} bytes, model {trained.model.model_id}, {trained.model.macs} MAC")
    for line in outlook(trained, split, judged, data, args.false_per_hour):
        print(line)
    print(f"next: {program()} deploy --model {args.out}")
    return 0


def _recipe(args: argparse.Namespace, data):
    """The recipe that the data suggests, with what was set by hand."""
    from host_tools.cli.train_options import recipe_fields
    from host_tools.training.recipe import choose

    by_hand = recipe_fields(args)
    recipe = choose(data, args.rate, **by_hand)
    if recipe.axes > data.axes:
        raise BeckonError(f"--axes {args.axes}: {data.name} has no gyroscope columns", 2)
    for label, _ in recipe.weights:
        if label not in recipe.labels:
            raise BeckonError(f"--weight {label}: the data has {', '.join(recipe.labels)}", 2)
    frame_ms = 1000 / recipe.feature_hz
    if args.window:
        by_hand["window"] = round(args.window / frame_ms)
    if args.hop:
        by_hand["hop"] = max(1, round(args.hop / frame_ms))
    if args.epochs and not args.steps:
        spans = sum(len(r.spans) for r in data.recordings)
        by_hand["steps"] = max(1, args.epochs * spans // recipe.batch)
    recipe = choose(data, args.rate, **by_hand)
    if not 8 <= recipe.window <= 250 or not 1 <= recipe.hop <= recipe.window:
        raise BeckonError(
            f"a window of {recipe.window * frame_ms:.0f} ms with a hop of "
            f"{recipe.hop * frame_ms:.0f} ms: choose a window of {8 * frame_ms:.0f} to "
            f"{250 * frame_ms:.0f} ms and a shorter hop", 2
        )
    return recipe
