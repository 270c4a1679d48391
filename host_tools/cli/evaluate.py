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

_LEAST_IDLE_S = 600.0  # no rate is given for less: even 0 events would allow 22 per hour


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

    def show(x, form="{:.3f}"):
        return "-" if x is None else form.format(x)

    e, s = figures["events"], figures["span"]
    idle_s = 3600 * (e["idle_hours"] or 0.0)
    if idle_s < _LEAST_IDLE_S:
        false = (f"{e['false']} in {idle_s:.0f} s without gestures: too little time for a rate per "
                 "hour")
    else:
        low, high = e["false_per_hour_95"]
        false = (f"{show(e['false_per_hour'], '{:.2f}')} per hour (95 %: {show(low, '{:.2f}')} to "
                 f"{show(high, '{:.2f}')}) in {show(e['idle_hours'])} hours without gestures")
    # A model that was trained on streams waits until the hand rests.
    waits = (f"; {s['not_yet']} are reported only after their end" if e["hits"] > e["missed"]
             and 5 * s["not_yet"] > s["count"] else "")
    return (
        f"events  {e['hits']} of {e['truth']} found, {e['missed']} missed, {e['false']} false, "
        f"{e['duplicates']} repeated; F1 {show(e['f1'])}\n"
        f"false   {false}\n"
        f"latency p50 {show(e['latency_ms']['p50'], '{:.0f}')} ms, "
        f"p95 {show(e['latency_ms']['p95'], '{:.0f}')} ms after the span's end\n"
        f"spans   {s['count']}, accuracy {show(s['accuracy'])}, macro F1 {show(s['macro_f1'])}"
        f"{waits}\n"
        f"model   {figures['model']['bytes']} bytes; "
        f"{show(figures['speed']['realtime_factor'], '{:.0f}')} times real time"
    )
