"""Measure a model on recordings: accuracy, events, false alarms, delay.

Runs exactly the board's integers, debouncer included, over whole recordings. If the
model does not know a span's label, the span counts as no gesture. So everyday movement
shows the false alarms per hour.

example:
  beckon evaluate gesture.mlp data/demo --report report.html
"""

import argparse
import sys
from pathlib import Path

from host_tools.cli.json_output import put_figures
from host_tools.cli.progress import progress
from host_tools.evaluation.in_words import false_alarms, number, recall_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="model file (*.mlp)")
    parser.add_argument("dataset", nargs="+", metavar="DATASET", help="folder, or FOLDER:label,...")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures; - is stdout")
    parser.add_argument("--report", metavar="FILE.html", type=Path, help="write a page with plots")


def run(args: argparse.Namespace) -> int:
    from host_tools.dataset import read_datasets
    from host_tools.evaluation.evaluate import evaluate
    from host_tools.files import write_atomically
    from host_tools.model.golden import read_model
    from host_tools.plots.evaluation_page import html_report

    model = read_model(args.model)
    data = read_datasets(args.dataset)
    with progress("evaluating", total=len(data.recordings)) as step:
        result = evaluate(model, data, step)
    for notice in result.notices:
        print(f"notice: {notice}", file=sys.stderr)
    figures = result.as_json()
    if args.report:
        write_atomically(args.report, html_report(result).encode())
    put_figures(figures, args.json, summary(figures))
    return 0


def summary(figures: dict) -> str:
    """A few lines for people."""
    e, s = figures["events"], figures["span"]
    # A model that was trained on streams waits until the hand rests.
    waits = (f"; {s['not_yet']} are reported only after their end" if e["hits"] > e["missed"]
             and 5 * s["not_yet"] > s["count"] else "")
    recall = recall_at(figures)
    lines = [
        f"events  {e['hits']} of {e['truth']} found, {e['missed']} missed, {e['false']} false, "
        f"{e['duplicates']} repeated; F1 {number(e['f1'])}",
        f"false   {false_alarms(e)}",
        f"recall  {recall}" if recall else "",
        f"latency p50 {number(e['latency_ms']['p50'], 0)} ms, "
        f"p95 {number(e['latency_ms']['p95'], 0)} ms after the span's end",
        f"spans   {s['count']}, accuracy {number(s['accuracy'])}, macro F1 "
        f"{number(s['macro_f1'])}{waits}",
        f"model   {figures['model']['bytes']} bytes; "
        f"{number(figures['speed']['realtime_factor'], 0)} times real time",
    ]
    return "\n".join(line for line in lines if line)
