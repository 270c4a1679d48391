"""Measure a model on recordings: accuracy, events, false alarms, delay.

Runs exactly the board's integers, debouncer included, over whole recordings. If the
model does not know a span's label, the span counts as no gesture. So everyday movement
shows the false alarms per hour.

With --robustness the recordings are also turned, mirrored and put on top of a walk,
and the recall lost is printed for each.

example:
  beckon evaluate gesture.mlp data/demo --report report.html
"""

import argparse
import sys
from pathlib import Path

from host_tools.cli.json_output import add_json_argument, put_figures
from host_tools.cli.progress import progress
from host_tools.errors import BeckonError
from host_tools.evaluation.in_words import false_alarms, named_spans, number, recall_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="model file (*.mlp)")
    parser.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,...")
    parser.add_argument("--robustness", action="store_true",
                        help="also judge the gestures turned, on the other hand and while walking")
    parser.add_argument("--walking", nargs="+", default=[], metavar="DATASET",
                        help="recordings of a walk for --robustness (default: a made-up walk)")
    parser.add_argument("--rules", default="", metavar="TEXT",
                        help="also judge rule gestures, as the board's setting rules names them")
    add_json_argument(parser)
    parser.add_argument("--report", metavar="FILE.html", type=Path, help="write a page with plots")


def run(args: argparse.Namespace) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.evaluation.details import Details
    from host_tools.evaluation.evaluate import evaluate
    from host_tools.evaluation.robustness import changes, robustness, with_gestures
    from host_tools.files import write_atomically
    from host_tools.model.golden import read_model
    from host_tools.plots.evaluation_page import html_report
    from host_tools.training.train import digest

    if args.walking and not args.robustness:
        raise BeckonError("--walking: add --robustness, which puts the gestures on top of it", 2)
    model = read_model(args.model)
    data = read_datasets(args.dataset)
    walking = read_datasets(args.walking).recordings if args.walking else ()
    with progress("evaluating", total=len(data.recordings)) as step:
        result = evaluate(model, data, step, args.rules)
    found = None
    if args.robustness:
        kept = with_gestures(model, data)
        with progress("changed", total=len(kept) * (1 + len(list(changes(kept))))) as step:
            found = robustness(model, data, walking, progress=step)
    for notice in result.notices:
        print(f"notice: {notice}", file=sys.stderr)
    if f"data {digest(data)}" in model.notes:
        print("notice: the model was trained on these very recordings, so the figures flatter; "
              "beckon train and beckon crossval say what it finds of the unknown", file=sys.stderr)
    details = Details.of(result, found)
    figures = {**result.as_json(), **details.as_json()}
    if args.report:
        write_atomically(args.report, html_report(result, details).encode())
    put_figures(figures, args.json, summary(figures))
    return 0


def summary(figures: dict) -> str:
    """A few lines for people."""
    e = figures["events"]
    recall, spans = recall_at(figures), named_spans(figures)
    lines = [
        f"events  {e['hits']} of {e['truth']} found, {e['missed']} missed, {e['false']} false, "
        f"{e['duplicates']} repeated; F1 {number(e['f1'])}",
        f"false   {false_alarms(e)}",
        _alarms(figures),
        f"recall  {recall}" if recall else "",
        f"latency p50 {number(e['latency_ms']['p50'], 0)} ms, "
        f"p95 {number(e['latency_ms']['p95'], 0)} ms after the span's end",
        f"spans   {spans}" if spans else "",
        f"model   {figures['model']['bytes']} bytes; "
        f"{number(figures['speed']['realtime_factor'], 0)} times real time",
    ]
    return "\n".join([line for line in lines if line] + _lost(figures))


def _alarms(figures: dict) -> str:
    """Which gestures' takes the false alarms are like; "" if there are none or no takes."""
    found = figures.get("false_alarms", {})
    parts = [f"{k} ({n})" for k, n in found.get("nearest", {}).items()]
    if found.get("unlike"):
        parts.append(f"none ({found['unlike']})")
    return f"        like takes of {', '.join(parts)}" if parts else ""


def _lost(figures: dict) -> list[str]:
    """Recall of each change, and what it loses."""
    found = figures.get("robustness")
    if not found:
        return []
    lines = [f"recall of {found['truth']} gestures as recorded {number(found['recall'])}"]
    return lines + [
        f"  {c['name']:30} {number(c['recall'])}  {c['lost_points']:5.1f} points lost, "
        f"{c['false']} false" for c in found["changes"]
    ]
