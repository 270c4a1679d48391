"""The command: python -m tests.mutation [MODULE ...]. Exits 0 if the tests are good enough."""
from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.mutation.checkout import copied
from tests.mutation.report import Report, read_survivors

_HERE = Path(__file__).resolve().parent
_REPOSITORY = _HERE.parents[1]


class MutationError(Exception):
    """A message for the user."""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="beckon test --mutants", description=(
        "Change a module in one place at a time and count the changes that its tests notice."))
    made.add_argument("modules", nargs="*", metavar="MODULE",
                      help="a path, or a part of one, of tests/mutation/targets.toml "
                           "(default: all)")
    made.add_argument("--sample", type=int, default=0, metavar="N",
                      help="test only N mutants of each module, drawn with the seed")
    made.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    made.add_argument("--again", type=Path, metavar="FILE",
                      help="test only the mutants that survived in an earlier run, whose output "
                           "is in FILE")
    made.add_argument("--verbose", action="store_true", help="a line for each mutant")
    return made


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        targets = tomllib.loads((_HERE / "targets.toml").read_text(encoding="utf-8"))
        least = targets.pop("least_percent")
        known = read_survivors(_HERE / "survivors.toml")
        modules = _chosen(args.modules, list(targets))
        with copied(_REPOSITORY) as (copy, env):
            reports = []
            for module in modules:
                report = Report(module, known.get(module, {}))
                _test(report, targets[module]["tests"], copy, env, args)
                reports.append(report)
    except (MutationError, ValueError, OSError) as error:
        print(f"beckon test --mutants: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("beckon test --mutants: stopped", file=sys.stderr)
        return 130
    for report in reports:
        print(report.line())
    least = 0 if args.again else least  # those are the hard ones
    bad = [r.module for r in reports if r.percent < least or r.unlisted or r.stale]
    if bad:
        print(f"beckon test --mutants: fewer than {least} % killed, or the list in "
              f"tests/mutation/survivors.toml is not up to date: {', '.join(bad)}",
              file=sys.stderr)
    return 1 if bad else 0


def _chosen(asked: list[str], modules: list[str]) -> list[str]:
    for part in asked:
        if not any(part in module for module in modules):
            raise MutationError(f"no module matches {part!r}; there are {', '.join(modules)}")
    return [m for m in modules if not asked or any(part in m for part in asked)]


def results(module: str, tests: list[str], copy: Path, env: dict[str, str], seed: int = 0,
            most: int = 0, only: list[str] | None = None, **limits) -> Iterator[dict]:
    """What the worker says about a module of the copy; raises MutationError if it fails.

    First {mutants, chosen, tests, seconds}, then one with a verdict per mutant.
    """
    reader, writer = os.pipe()
    job = {"module": module, "tests": tests, "seed": seed, "most": most, "only": only,
           "results": writer,
           "both": [t for t in tests if t.startswith("tests/both/")], **limits}
    worker = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.mutation.worker", json.dumps(job)], cwd=copy, env=env,
        pass_fds=[writer], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    os.close(writer)
    done = False
    try:
        with os.fdopen(reader) as lines:
            for line in lines:
                result = json.loads(line)
                if "error" in result:
                    raise MutationError(f"{module}: {result['error']}")
                if "done" in result:
                    done = True
                else:
                    yield result
        said = worker.communicate(timeout=60)[0]
    finally:
        worker.terminate()
        worker.wait(timeout=60)
    if not done:
        raise MutationError(f"{module}: the tests cannot be run:\n{said[-3000:]}")


def _test(report: Report, tests: list[str], copy: Path, env: dict[str, str], args) -> None:
    only = _survivors_in(args.again) if args.again else None
    found = results(report.module, tests, copy, env, args.seed, args.sample, only)
    head = next(found)
    report.sampled = head["chosen"] < head["mutants"]
    print(f"{report.module}: {head['chosen']} of {head['mutants']} mutants, {head['tests']} "
          f"tests of {head['seconds']:.1f} s", flush=True)
    for result in found:
        report.add(result)
        survived = result["verdict"] == "survived"
        if args.verbose or survived:
            _show(report, result)
        elif report.total % 20 == 0:
            print(f"  {report.total} of {head['chosen']}", file=sys.stderr)
    for function, line in report.stale:
        print(f"  listed, but it does not survive: {function}: {line}")


def _survivors_in(output: Path) -> list[str]:
    """The changed lines of what survived, as _show printed them."""
    text = output.read_text(encoding="utf-8")
    return re.findall(r"^  survived[^:]*: \d+ [^:]*: (.*?)(?:   \[.*\])?$", text, re.MULTILINE)


def _show(report: Report, result: dict) -> None:
    reason = report.known.get((result["function"], result["shown"]))
    known = f"   [{reason}]" if reason and result["verdict"] == "survived" else ""
    where = f"{result['line']} {result['function']}"
    note = "" if result["covered"] else " (no test runs it)"
    by = f"   <- {result['by']}" if result["by"] else ""
    print(f"  {result['verdict']}{note}: {where}: {result['shown']}{known}{by}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # tidies up
    sys.exit(main())
