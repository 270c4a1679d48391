"""Train without some of the people and judge on them, in turn over the whole data set.

Shows how well a model works for people, or on days, that it has not seen. Events
are counted in held-out streams and in recordings without gestures. Each person's
single gestures are joined to streams first. Spans are judged as recorded. All choices
are made on the other parts.

example:
  beckon crossval my-gestures --negatives everyday --by subject --folds 5
"""

import argparse
import sys
from pathlib import Path

from host_tools.cli.json_output import add_json_argument, put_figures
from host_tools.cli.progress import progress
from host_tools.errors import BeckonError
from host_tools.evaluation.confusions import Habit
from host_tools.evaluation.in_words import false_alarms, number, recall_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,...")
    parser.add_argument("--negatives", nargs="+", default=[], metavar="DATASET",
                        help="recordings without any gesture, whatever their labels say")
    parser.add_argument("--by", choices=("subject", "day", "recording", "take"), default="",
                        help="what stays together: subject if there are two, else recording, "
                             "else take, as in beckon train")
    parser.add_argument("--folds", type=int, default=5, metavar="N",
                        help="parts at most, each held out once (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=100, choices=(50, 100), help="sensor rate, Hz")
    parser.add_argument("--steps", type=int, metavar="N", help="updates of the weights per fold")
    parser.add_argument("--recipe", type=Path, metavar="FILE", help="settings of beckon tune")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same result")
    parser.add_argument("--false-per-hour", type=float, default=1.0, metavar="N",
                        help="false alarms that the debouncer may let through")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    from host_tools.dataset import read_datasets, with_negatives
    from host_tools.dataset.classes import class_faults
    from host_tools.dataset.held_out import held_out
    from host_tools.experiments.crossval import cross_validate
    from host_tools.experiments.search import load
    from host_tools.training.recipe import choose

    for name, value, least in (("--folds", args.folds, 2), ("--steps", args.steps, 1)):
        if value is not None and value < least:
            raise BeckonError(f"{name} {value}: must be at least {least}", 2)
    by_hand = load(args.recipe) if args.recipe else {}
    by_hand.update(seed=args.seed, **({"steps": args.steps} if args.steps else {}))
    data = read_datasets(args.dataset)
    own = {str(r.path or r.name) for r in data.recordings}
    if args.negatives:
        data = with_negatives(data, read_datasets(args.negatives))
    for fault in class_faults(data):
        raise BeckonError(fault)
    for notice in data.notices:
        print(f"notice: {notice}", file=sys.stderr)
    split = held_out(data, args.seed, args.by, args.folds)
    if not split.parts:
        raise BeckonError(f"{data.name}: too few takes to leave some out; record more of each "
                          "gesture")
    steps = choose(data, args.rate, **by_hand).steps
    done = 0
    folds = len(split.parts)
    with progress(f"{folds} folds by {split.by}", total=folds * steps) as step:

        def show(number, report):
            nonlocal done
            now = number * steps + report.step
            step(f"fold {number + 1}, loss {report.loss:.3f}", now - done)
            done = now

        result = cross_validate(split.parts, lambda known: choose(known, args.rate, **by_hand),
                                args.false_per_hour, show,
                                {str(r.path or r.name) for r in data.recordings} - own)
    figures = {"by": split.by, **result.as_json()}
    put_figures(figures, args.json, summary(figures))
    return 0


def summary(figures: dict) -> str:
    """One line per fold, one for all, and what is behind them."""

    def line(name, e, accuracy):
        f1 = number(e["f1"] if e["truth"] else None)
        return (f"{name[:24]:24} {e['hits']:6}/{e['truth']:<5} {e['false']:5} {e['duplicates']:8} "
                f"{f1:>6} {number(e['latency_ms']['p50'], 0):>7} "
                f"{number(e['latency_ms']['p95'], 0):>7} {number(accuracy):>14}")

    head = (f"{'held out':24} {'events':>12} {'false':>5} {'repeated':>8} {'F1':>6} {'p50 ms':>7} "
            f"{'p95 ms':>7} {'span accuracy':>14}")
    lines = [head]
    for i, f in enumerate(figures["folds"]):
        people = ", ".join(f["held"]) if figures["by"] == "subject" else ""
        lines.append(line(people or f"part {i + 1}", f["events"], f["span"]["accuracy"]))
    e, span = figures["events"], figures["span"]
    lines.append(line("all", e, span["accuracy"]))
    people = figures["per_subject"]
    if len(people) > 1 and sorted(people) != sorted(",".join(f["held"]) for f in figures["folds"]):
        lines += ["", head.replace("held out", "person  ")]
        lines += [line(name or "(no name)", p["events"], p["span_accuracy"])
                  for name, p in people.items()]
    lines += ["", f"false alarms: {false_alarms(e)}"]
    recall = recall_at(figures)
    if recall:
        lines.append(f"recall with another threshold: {recall}")
    if figures["weakest"]:
        lines.append(f"weakest gesture: {figures['weakest']['label']}, "
                     f"{100 * (figures['weakest']['recall'] or 0):.0f} % found")
    lines.append(f"macro F1 of {span['count']} spans {number(span['macro_f1'])}; models of "
                 f"{figures['model']['bytes']} bytes at most")
    for i, f in enumerate(figures["folds"]):
        if f["unknown"]:
            lines.append(f"part {i + 1} alone has {', '.join(f['unknown'])}: not counted")
    lines += [str(Habit(**x)) for x in figures["habits"]]
    return "\n".join(lines)
