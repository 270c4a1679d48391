"""Compare classifiers as the article did: label placement x rate x model.

For each combination it prints the article's error ratio on streams (the share of
windows classified as a gesture that name a wrong one), the events found with the
debouncer, the size of the code, and the time per window in plain Python here.
`beckon` is the model that `beckon train` makes from the same recordings. Without
--streams a part of the recordings is held out and joined to streams.

example:
  beckon compare my-gestures everyday --streams data/demo --rates 20,50 --models forest,mlp
"""

import argparse
import sys

from host_tools.cli.json_output import add_json_argument, put_figures
from host_tools.cli.progress import progress
from host_tools.errors import BeckonError

EXTRA = "compare"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,...")
    parser.add_argument("--streams", nargs="+", metavar="DATASET",
                        help="recordings with one kind of gesture each, to judge on")
    parser.add_argument("--models", metavar="A,B",
                        default="tree,forest,svm,logistic,bayes,mlp,beckon",
                        help="models to compare")
    parser.add_argument("--rates", default="10,20,25,50,100", metavar="HZ,HZ",
                        help="sample rates to compare")
    parser.add_argument("--placements", metavar="A,B",
                        default="labelled,centre,centre+shifts,centre+SMOTE,end",
                        help="where in a gesture the training windows lie")
    parser.add_argument("--window", type=float, default=1000, metavar="MS",
                        help="length of the window")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same result")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.experiments.baselines import BASELINES
    from host_tools.experiments.compare import (
        PLACEMENTS,
        check_sets,
        compare,
        held_out_streams,
        whole_model,
    )

    models = _listed(args.models, (*BASELINES, "mlp", "beckon"), "--models")
    placements = _listed(args.placements, PLACEMENTS, "--placements")
    try:
        rates = [int(r) for r in args.rates.split(",")]
    except ValueError:
        raise BeckonError(f"--rates {args.rates}: write whole numbers with commas", 2) from None
    if not all(5 <= r <= 400 for r in rates):
        raise BeckonError(f"--rates {args.rates}: name rates from 5 to 400 Hz", 2)
    train = read_datasets(args.dataset)
    if args.streams:
        streams = read_datasets(args.streams)
    else:
        try:
            train, streams = held_out_streams(train, args.seed)
        except ValueError as e:
            raise BeckonError(f"{e}; name other recordings with --streams") from None
    check_sets(train, streams)
    plain = [m for m in models if m != "beckon"]
    total = len(plain) * len(placements) * len(rates) + ("beckon" in models)
    with progress("comparing", total=total) as step:
        rows = compare(train, streams, plain, placements, rates, args.window / 1000, args.seed,
                       step)
        if "beckon" in models:
            step("beckon train", 0)
            rows.append(whole_model(train, streams, args.seed))
    for notice in [*train.notices, *streams.notices]:
        print(f"notice: {notice}", file=sys.stderr)
    every = [{**r.__dict__, "mean_error": r.mean_error} for r in rows]
    put_figures({"rows": every}, args.json, _table(rows))
    return 0


def _listed(text: str, known, option: str) -> list[str]:
    chosen = [x.strip() for x in text.split(",") if x.strip()]
    for x in chosen:
        if x not in known:
            raise BeckonError(f"{option} {x}: unknown; choose from {', '.join(known)}", 2)
    return chosen


def _table(rows) -> str:
    def show(x, form):
        return "-" if x is None else form.format(x)

    lines = [f"{'placement':14} {'Hz':>4} {'model':9} {'events':>8} {'false':>5} {'error':>6} "
             f"{'bytes':>8} {'us':>8}"]
    for r in rows:
        lines.append(
            f"{r.placement:14} {r.rate_hz:4} {r.model:9} {r.hits:4}/{r.truth:<3} {r.false:5} "
            f"{show(r.mean_error, '{:.3f}'):>6} {show(r.bytes, '{:d}'):>8} "
            f"{show(r.microseconds, '{:.1f}'):>8}"
        )
    return "\n".join(lines)
