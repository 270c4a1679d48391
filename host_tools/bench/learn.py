"""Gestures learned on the board from five takes, by people that training never saw.

A model is trained as `beckon train` does, without some people and without some gestures. Each
of these people then teaches it each of these gestures with five takes, by the firmware's own
code (firmware/learning/) on the board's integers: every second one of ten, then the others. Judged
are the person's other takes of the gesture, and all takes of the known gestures, both as
streams, before and after. The wand has no known people: it gives its first ten takes. Recall
is that of the gestures which the board did not refuse; how many it refused is beside it. Each
known gesture is taught by another name, too, which the board must refuse. Alarms are counted
in half an hour of everyday movement, too, before and after.

--choosing takes other gestures and other people: the numbers of the method are chosen on those,
so that the figures are of gestures and people which had no part in it.

All parts and three seeds take about half an hour on two cores.

example:
  beckon bench learn --only letters --seeds 1 --json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.paths import REPOSITORY

SETS = {  # folder, gestures that are taught, people who teach
    "letters": ("airletters_iphone", ("X", "J"), ("u02", "u04")),
    "forearm": ("grwd_forearm", ("v_shape", "circle_cclk"), ("s34", "s36")),
    "wand": ("cyberry_wand_mpu6050", ("letter_w", "lightning"), ()),
}
CHOOSING = {
    "letters": ("airletters_iphone", ("O", "L", "S"), ("u06", "u10")),
    "letters2": ("airletters_iphone", ("T", "I", "Z"), ("u08", "u10")),
    "forearm": ("grwd_forearm", ("s_shape", "twist_right", "p_shape"), ("s40", "s46")),
    "forearm2": ("grwd_forearm", ("swipe_up", "circle_clk", "p_shape"), ("s42", "s48")),
    "wand": ("cyberry_wand_mpu6050", ("horn", "right_angle", "letter_phi"), ()),
}
EVERYDAY = "wrist_daily_wedafall"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data",
                        metavar="FOLDER", help="where the public recordings lie")
    parser.add_argument("--only", action="append", metavar="SET", choices=tuple(CHOOSING),
                        help=f"run this set, can be repeated: {', '.join(SETS)}; with "
                             f"--choosing {', '.join(CHOOSING)}")
    parser.add_argument("--choosing", action="store_true",
                        help="the gestures and people that the numbers are chosen on")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each set")
    parser.add_argument("--takes", type=int, default=5, metavar="N", help="to learn from, 3 to 9")
    parser.add_argument("--steps", type=int, help="updates of the weights, each training")


def measure(args: argparse.Namespace, note: Callable[[str], None]) -> dict[str, Any]:
    if not args.data.is_dir():
        raise BeckonError(f"--data {args.data}: no such folder; name one with the recordings", 2)
    if args.seeds < 1 or not 3 <= args.takes <= 9:
        raise BeckonError("--seeds must be at least 1, --takes 3 to 9", 2)
    sets = CHOOSING if args.choosing else SETS
    unknown = [name for name in args.only or () if name not in sets]
    if unknown:
        raise BeckonError(f"--only {unknown[0]}: it is a set of --choosing alone", 2)
    from host_tools.bench.board_learning import LearnBench

    bench = LearnBench(args, note)
    figures = {name: bench.run(name, *sets[name]) for name in args.only or sets}
    return {**figures, "all": bench.together(figures)}


def summary(figures: dict[str, Any]) -> str:
    return "\n".join(
        f"{name}: new {f['recall']:.3f} of {f['truth']}, known {f['known_recall']:.3f}, "
        f"{f['known_recall_before']:.3f} before, {f['known_truth']} takes; refused "
        f"{f['refused']} of {f['taught']} new, {f['equal_refused']} of {f['equal']} equal; missed: "
        f"another name {f['missed_other']}, unsure {f['missed_unsure']}, "
        f"held back {f['missed_held_back']}; everyday alarms per hour "
        f"{f['everyday_per_hour']:.1f}, {f['everyday_per_hour_before']:.1f} before"
        for name, f in figures.items()
    )
