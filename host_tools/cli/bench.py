"""Measure speed, memory and reliability, on this computer.

A benchmark runs its variants in turns and reports medians. Do not compare figures from
different runs or machines.

example:
  beckon bench inference --json
"""

import argparse
import importlib
import inspect
import json
from pathlib import Path
from types import ModuleType

from host_tools import bench
from host_tools.cli.app import _provide
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
        one.add_argument("--json", nargs="?", const="-", metavar="FILE",
                         help="write all figures as JSON; without FILE to stdout")
        if hasattr(module, "add_arguments"):
            module.add_arguments(one)


def run(args: argparse.Namespace) -> int:
    from host_tools.files import write_atomically

    module = _module(args.benchmark.replace("-", "_"))
    _provide(getattr(module, "EXTRA", None))
    with progress(f"measuring {args.benchmark}") as step:
        figures = module.measure(args, lambda what: step(what, advance=0))
    text = json.dumps(figures, indent=1, ensure_ascii=False) + "\n"
    if args.json == "-":
        print(text, end="")
        return 0
    if args.json:
        write_atomically(args.json, text.encode())
    print(module.summary(figures))
    return 0


def _module(stem: str) -> ModuleType:
    return importlib.import_module(f"host_tools.bench.{stem}")
