"""Rule gestures: how often they find their movement, false alarms in everyday movement, delay.

The thresholds were chosen on half of the people of the everyday recordings; the figures are of the
other half. `--choose` shows the first half with other thresholds. Each rule is alone, without a
network. `shake` is also judged on recordings of people who shook a phone; the movements of
the other rules are on no public recording, so a simulated hand makes them. They are marked.

Most of the everyday hours were recorded at 20 Hz: they hold no blow of the length of a tap. So the
alarms are also given for the hours at 50 and 100 Hz alone.

example:
  beckon bench rules --json
"""

from __future__ import annotations

import argparse
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.errors import BeckonError
from host_tools.paths import REPOSITORY

_SHAKEN, _SHAKES = "uhh_phone_streams", ("shake_lr", "shake_ud")
_FAST_HZ = 45.0
_LATE_S = 2.5  # after its end a movement's event counts no more
_SWEEP = {
    "tap": (600, 900, 1200, 1800), "double_tap": (600, 900, 1200, 1800),
    "shake": (600, 800, 1000, 1200, 1500), "face_down": (15, 25, 30, 35),
    "free_fall": (150, 200, 250, 300, 350),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data",
                        metavar="FOLDER", help="where the public recordings lie")
    parser.add_argument("--choose", action="store_true",
                        help="the half that thresholds are chosen on, with several thresholds")
    parser.add_argument("--share", type=int, default=1, metavar="N",
                        help="take every Nth everyday recording only, which is quicker")
    parser.add_argument("--rule", action="append", metavar="NAME", choices=list(_SWEEP),
                        help=f"this rule, can be repeated: {', '.join(_SWEEP)}")
    parser.add_argument("--movements", type=int, default=100, metavar="N",
                        help="of the simulated hand, each rule")
    parser.add_argument("--seed", type=int, default=1)


def measure(args: argparse.Namespace, note: Callable[[str], None]) -> dict[str, Any]:
    if not args.data.is_dir():
        raise BeckonError(f"--data {args.data}: no such folder; name one with the recordings", 2)
    if args.share < 1 or args.movements < 1:
        raise BeckonError("--share and --movements must be at least 1", 2)
    from host_tools.toolchain import on_cpython

    on_cpython.install()
    from feedback.rule_list import RULES  # type: ignore[import-not-found]

    note("reading everyday movement")
    everyday = list(_everyday(args.data, 0 if args.choose else 1))[:: args.share]
    shaken = _shaken(args.data, 0 if args.choose else 1)
    out: dict[str, Any] = {"half": "chosen on" if args.choose else "judged", "rules": {}}
    for name in args.rule or _SWEEP:
        default, unit = RULES[name][0], RULES[name][3]
        rows = []
        for threshold in _SWEEP[name] if args.choose else (default,):
            note(f"{name} {threshold} {unit}")
            text = f"{name}={threshold}"
            row = {"threshold": threshold, "unit": unit,
                   "simulated": _simulated(name, text, args), **_alarms(text, everyday)}
            if name == "shake":
                row["recorded"] = _recall(text, shaken)
            rows.append(row)
        out["rules"][name] = rows
    return out


def _everyday(folder: Path, keep: int) -> Iterator[tuple[np.ndarray, float]]:
    """(raw frames at 100 Hz, rate of the source) of half of the people."""
    from host_tools.bench.life import DAILY
    from host_tools.bench.rules_parts.hand import ACCEL_G, RATE_HZ
    from host_tools.dataset import read_dataset
    from host_tools.dataset.resample import resample_recording
    from host_tools.units import to_counts

    for name in DAILY:
        data = read_dataset(folder / name)
        people = {p: i % 2 for i, p in enumerate(data.subjects)}
        for r in data.recordings:
            if people[r.subject] == keep:
                yield (to_counts(resample_recording(r, float(RATE_HZ)).samples, ACCEL_G, 500),
                       r.rate_hz)


def _shaken(folder: Path, keep: int) -> list[tuple[np.ndarray, list[tuple[int, int]]]]:
    """(raw frames, first and last frame of each shake) of recordings of shaken phones."""
    from host_tools.bench.rules_parts.hand import ACCEL_G, RATE_HZ
    from host_tools.dataset import read_dataset
    from host_tools.dataset.resample import resample_recording
    from host_tools.units import to_counts

    data = read_dataset(folder / _SHAKEN)
    people = {p: min(i, 1) for i, p in enumerate(data.subjects)}  # one of three to choose on
    out = []
    for r in data.recordings:
        if people[r.subject] != keep:
            continue
        spans = [(int((s.start_ms - r.start_ms) * RATE_HZ / 1000),
                  int((s.end_ms - r.start_ms) * RATE_HZ / 1000))
                 for s in r.spans if s.label in _SHAKES]
        raw = to_counts(resample_recording(r, float(RATE_HZ)).samples, ACCEL_G, 500)
        out.append((raw, spans))
    return out


def reported(text: str, raw: np.ndarray) -> list[int]:
    """Frames in which the rule's events are reported."""
    from host_tools.bench.rules_parts.hand import ACCEL_G, RATE_HZ
    from host_tools.evaluation.rule_events import rules_of

    rules = rules_of(text, RATE_HZ, ACCEL_G)
    push, take = rules.push, rules.take
    row = array("h", bytes(12))
    out = []
    for at, (x, y, z) in enumerate(raw[:, :3].tolist()):
        row[0], row[1], row[2] = x, y, z
        push(row, 0, at)
        if take() >= 0:
            out.append(at)
    return out


def _alarms(text: str, everyday: list[tuple[np.ndarray, float]]) -> dict[str, Any]:
    from host_tools.bench.rules_parts.hand import RATE_HZ
    from host_tools.evaluation.metrics import poisson_interval

    counts = {True: 0, False: 0}
    hours = {True: 0.0, False: 0.0}
    for raw, source_hz in everyday:
        fast = source_hz > _FAST_HZ
        counts[fast] += len(reported(text, raw))
        hours[fast] += len(raw) / RATE_HZ / 3600
    out: dict[str, Any] = {}
    for key, n, h in (("everyday", sum(counts.values()), sum(hours.values())),
                      ("everyday_50_to_100_hz", counts[True], hours[True])):
        low, high = poisson_interval(n)
        out[key] = {"false": n, "hours": round(h, 3), "false_per_hour": n / h if h else None,
                    "false_per_hour_95": [low / h, high / h] if h else None}
    return out


def _simulated(name: str, text: str, args: argparse.Namespace) -> dict[str, Any]:
    from host_tools.bench.rules_parts.hand import made

    rng = np.random.default_rng(args.seed)
    movements = [made(name, rng) for _ in range(args.movements)]
    return _recall(text, [(m.raw, [(m.end - 1, m.end)]) for m in movements])


def _recall(text: str, some: list[tuple[np.ndarray, list[tuple[int, int]]]]) -> dict[str, Any]:
    """How many spans have one event between their start and _LATE_S after their end."""
    from host_tools.bench.rules_parts.hand import RATE_HZ

    truth = hits = more = 0
    delays = []
    for raw, spans in some:
        events = reported(text, raw)
        for first, last in spans:
            truth += 1
            mine = [at for at in events if first - RATE_HZ // 2 <= at <= last + _LATE_S * RATE_HZ]
            events = [at for at in events if at not in mine]
            hits += bool(mine)
            more += max(0, len(mine) - 1)
            delays += [(at - last) * 1000 / RATE_HZ for at in mine[:1]]
        more += len(events)
    return {"movements": truth, "found": hits, "recall": hits / truth if truth else None,
            "more_events": more,
            "delay_ms": {"p50": float(np.median(delays)), "p95": float(np.percentile(delays, 95))}
            if delays else None}


def summary(figures: dict[str, Any]) -> str:
    lines = [f"half of the people that thresholds are {figures['half']}"]
    for name, rows in figures["rules"].items():
        for row in rows:
            alarms, fast = row["everyday"], row["everyday_50_to_100_hz"]
            delay = row["simulated"]["delay_ms"]
            recall = f"{row['simulated']['recall']:.2f} simulated"
            if "recorded" in row:
                recall += f", {row['recorded']['recall']:.2f} recorded"
            lines.append(
                f"{name:11} {row['threshold']:5} {row['unit']:8} recall {recall}; "
                f"false {alarms['false']} in {alarms['hours']:.1f} h ({fast['false']} in "
                f"{fast['hours']:.2f} h at 50 to 100 Hz); "
                f"delay {delay['p50'] if delay else float('nan'):.0f} ms")
    return "\n".join(lines)
