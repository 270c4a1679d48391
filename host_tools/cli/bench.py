"""Measure speed, memory and reliability, on this computer.

A benchmark runs its variants in turns and reports medians. Do not compare figures from
different runs or machines.

example:
  beckon bench inference --json
"""

import argparse
import importlib
import inspect
from pathlib import Path
from types import ModuleType

from host_tools import bench
from host_tools.cli.app import provide
from host_tools.cli.json_output import add_json_argument, put_figures
from host_tools.cli.progress import progress

FOLDER = Path(bench.__file__).parent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    choice = parser.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    for path in sorted(FOLDER.glob("[!_]*.py")):
        module = _module(path.stem)
        summary, _, rest = inspect.cleandoc(module.__doc__ or "").partition("\n")
        name = path.stem.replace("_", "-")
        one = choice.add_parser(
            name, help=summary, description=summary, epilog=rest.strip("\n"),
            formatter_class=parser.formatter_class, allow_abbrev=False,
        )
        add_json_argument(one)
        if hasattr(module, "add_arguments"):
            module.add_arguments(one)


def run(args: argparse.Namespace) -> int:
    module = _module(args.benchmark.replace("-", "_"))
    provide(getattr(module, "EXTRA", None))
    with progress(f"measuring {args.benchmark}") as step:
        figures = module.measure(args, lambda what: step(what, advance=0))
    put_figures(figures, args.json, "" if args.json else module.summary(figures))
    return 0


def _module(stem: str) -> ModuleType:
    return importlib.import_module(f"host_tools.bench.{stem}")
