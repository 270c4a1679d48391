"""Days on a battery in each power mode, and what each mode loses.

Currents come from data sheets, so milliamperes and days are computed, not measured: no board was
at hand. What a mode loses is measured on the simulated board, where the same hand makes the same
gestures in each mode, and on the simulated sensor, where recorded gestures wake the board.

  currents   each figure with its source; an assumption is called one
  link       how late events and answers are, with the delays of an ESP32's Wi-Fi
  profiles   milliamperes and days for three profiles of use
  script     the same hand in each mode: events that arrived, and how late
  waking     which gestures are recognised when they wake the board

example:
  beckon bench battery --json
  beckon bench battery --only waking --model mine.mlp --data my-gestures
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.paths import DEFAULT_MODEL, REPOSITORY

PARTS = ("profiles", "link", "script", "waking")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", metavar="PART", choices=PARTS,
                        help=f"run this part, can be repeated: {', '.join(PARTS)}")
    parser.add_argument("--mah", type=float, default=1000.0, metavar="N",
                        help="capacity of the battery (default %(default)g)")
    parser.add_argument("--extra-ma", type=float, default=0.0, metavar="N",
                        help="what the board takes beside chip and sensor: regulator, LED, USB "
                             "bridge (default %(default)g)")
    parser.add_argument("--main-ms", type=int, default=1000, metavar="N",
                        help="from waking out of deep sleep to main.py (default %(default)s)")
    parser.add_argument("--boot-ms", type=int, default=3000, metavar="N",
                        help="from waking out of deep sleep to sampling (default %(default)s)")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, metavar="FILE",
                        help="for waking (default: the default model)")
    parser.add_argument("--data", default=str(REPOSITORY / "data" / "demo"), metavar="DATASET",
                        help="for waking (default: data/demo, which the default model never saw)")
    parser.add_argument("--most", type=int, default=20, metavar="N",
                        help="for link, events and commands; for waking, gestures of each label "
                             "(default %(default)s)")


def measure(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """All figures as a dict. Raises BeckonError."""
    from host_tools.bench.naps import currents

    if args.mah <= 0 or args.extra_ma < 0 or args.most < 1:
        raise BeckonError("--mah and --most must be more than 0, and --extra-ma not less", status=2)
    if not 0 <= args.main_ms <= args.boot_ms:
        raise BeckonError(f"--main-ms must be from 0 to --boot-ms ({args.boot_ms}), not "
                          f"{args.main_ms}", status=2)  # fmt: skip
    wanted = args.only or PARTS
    figures: dict[str, Any] = {"mah": args.mah}
    if "profiles" in wanted:
        figures["currents"] = {name: asdict(one) for name, one in currents.FIGURES.items()}
        figures["profiles"] = currents.computed(currents.Settings(), args.mah, args.extra_ma)
    if "link" in wanted:
        from host_tools.bench.naps import link

        figures["link"] = {mode: link.run(mode, args.most, say) for mode in link.MODES}
    if "script" in wanted:
        from host_tools.bench.naps import scripted

        figures["script"] = {mode: scripted.run(mode, args.main_ms, say)
                             for mode in currents.MODES}  # fmt: skip
    if "waking" in wanted:
        from host_tools.bench.naps import waking
        from host_tools.dataset.folder import read_dataset
        from host_tools.model.golden import read_model

        data = read_dataset(args.data)
        figures["waking"] = waking.tally(read_model(args.model), data.recordings, waking.WAYS,
                                         args.main_ms, args.boot_ms, args.most, say)  # fmt: skip
    return figures


def summary(figures: dict[str, Any]) -> str:
    lines = []
    for profile, modes in figures.get("profiles", {}).items():
        for mode, row in modes.items():
            lines.append(f"{profile}, {mode}: {row['ma']:.2f} mA, {row['days']:.1f} days on "
                         f"{figures['mah']:g} mAh (computed); lost each day: "
                         f"{row['lost_gestures']} of {row['gestures']} gestures")  # fmt: skip
    for mode, row in figures.get("link", {}).items():
        lines += [f"link, {mode}: {what.replace('_', ' ').removesuffix(' ms')}: "
                  f"{spread['median']} ms (median), {spread['max']} ms (most)"
                  for what, spread in row.items() if "median" in str(spread)]  # fmt: skip
    for mode, row in figures.get("script", {}).items():
        lost = ", ".join(row["lost_while"]) or "none"
        lines.append(f"script, {mode}: {row['arrived']} of {row['gestures']} gestures arrived, "
                     f"{row['latency_ms_median']} ms late (median), asleep for "
                     f"{row['asleep_s']} s; lost: {lost}")  # fmt: skip
    for way, labels in figures.get("waking", {}).items():
        total = sum(row["gestures"] for row in labels.values())
        right = sum(row["recognised"] for row in labels.values())
        each = ", ".join(f"{label} {row['recognised']}/{row['gestures']}"
                         for label, row in sorted(labels.items()))  # fmt: skip
        lines.append(f"waking, {way.replace('_', ' ')}: {right} of {total} recognised ({each})")
    return "\n".join(lines)
