"""Gestures in streams, everyday movement and few takes, on people that training never saw.

Each part trains as `beckon train` does, on some people (the wand: on three quarters of
its recordings), and judges on the others:

  streams.SET    held-out takes joined to streams of rest, pushes and slow ways back
  few.N          N takes per gesture of one person, judged on that person's other takes
  added.N        a sixth gesture from N takes of a person whose other takes are judged, the
                 five others from other people
  daily.SET      half of the everyday people as --negatives, alarms counted on the other half
  default        the model that ships: recorded streams, and everyday movement

Alarms are false events outside gestures. All parts together take about an hour on two cores.

example:
  beckon bench life --only streams.wand --folds 1 --json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.paths import REPOSITORY

SETS = {  # name: folder, divided by, parts
    "wand": ("cyberry_wand_mpu6050", "recording", 4),
    "letters": ("airletters_iphone", "subject", 5),
    "forearm": ("grwd_forearm", "subject", 4),
    "phone": ("uhh_phone_streams", "subject", 3),
}
ARTICLE = ("tkeyo_mpu6500_100hz", "tkeyo_mpu6500_20hz_windows:none")
ARTICLE_STREAMS = "tkeyo_mpu6500_streams"
DAILY = ("wrist_daily_wedafall", "wrist_walk_turn_sit_spsw", "wrist_daily_wisdm")
FEW = (3, 5, 10)
ADDED = (1, 3, 5)
PARTS = (
    *(f"streams.{name}" for name in SETS), *(f"few.{n}" for n in FEW),
    *(f"added.{n}" for n in ADDED),
    "daily.article", "daily.wand", "daily.phone", "default",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data",
                        metavar="FOLDER", help="where the public recordings lie")
    parser.add_argument("--only", action="append", metavar="PART", choices=PARTS,
                        help=f"run this part, can be repeated: {', '.join(PARTS)}")
    parser.add_argument("--folds", type=int, metavar="N",
                        help="judge on the first N parts only, which is quicker")
    parser.add_argument("--rate", type=int, default=50, choices=(50, 100))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, help="updates of the weights, each training")
    parser.add_argument("--false-per-hour", type=float, default=1.0, metavar="N")


def measure(args: argparse.Namespace, note: Callable[[str], None]) -> dict[str, Any]:
    if not args.data.is_dir():
        raise BeckonError(f"--data {args.data}: no such folder; name one with the recordings", 2)
    if args.folds is not None and args.folds < 1:
        raise BeckonError(f"--folds {args.folds}: must be at least 1", 2)
    from host_tools.bench.everyday import LifeBench

    bench = LifeBench(args, note)
    figures: dict[str, Any] = {}
    for part in args.only or PARTS:
        kind, _, name = part.partition(".")
        run = getattr(bench, kind)
        found = run(name) if name else run()
        if name:
            figures.setdefault(kind, {})[name] = found
        else:
            figures[kind] = found
    return figures


def summary(figures: dict[str, Any]) -> str:
    lines = []
    for kind, parts in figures.items():
        for name, f in parts.items() if kind != "default" else (("", parts),):
            shown = ", ".join(f"{k} {_text(v)}" for k, v in f.items() if not isinstance(v, dict))
            lines.append(f"{kind}{'.' if name else ''}{name}: {shown}")
    return "\n".join(lines)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.0f}"
    return " ".join(map(_text, value)) if isinstance(value, list) else str(value)
