"""The link: outages, power cuts, long runs, latency, model updates.

A simulated board runs the whole firmware on real MicroPython; a real broker stands
behind a proxy that stages the outages. All of it takes about ten minutes; fewer
--outages and --events take less.

The loop's turns are measured by the clock and, as other programs of this computer also take
time, by what the firmware itself had of it (`own`).

examples:
  beckon bench link --json > link.json
  beckon bench link --outages 13 --events 100 --broker amqtt
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError

_SEED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--outages", type=int, default=100, metavar="N",
                        help="(default %(default)s)")
    parser.add_argument("--events", type=int, default=1000, metavar="N",
                        help="at least so many during the outages (default %(default)s)")
    parser.add_argument("--power-cuts", type=int, default=200, metavar="N",
                        help="(default %(default)s)")
    parser.add_argument("--packets", type=int, default=100_000, metavar="N",
                        help="on one connection (default %(default)s)")
    parser.add_argument("--broker", choices=("mosquitto", "amqtt"), default="mosquitto",
                        help="during the outages (default %(default)s)")
    parser.add_argument("--seed", type=int, default=_SEED, metavar="N",
                        help="of all that is random (default %(default)s)")


def measure(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """All figures as a dict; see docs/mqtt.md. Raises BeckonError."""
    from host_tools.bench.outages import run
    from host_tools.bench.power_cuts import cut_power
    from host_tools.bench.soak import soak
    from host_tools.bench.updates import try_updates

    for name, least in (("outages", 1), ("events", 1), ("power_cuts", 1), ("packets", 2000)):
        if getattr(args, name) < least:
            raise BeckonError(f"--{name.replace('_', '-')} must be at least {least}", status=2)
    say("updates")
    updates = try_updates(lambda note: say(f"update {note}"))
    say("cutting the power")
    cuts = cut_power(args.power_cuts, args.seed)
    with tempfile.TemporaryDirectory(prefix="beckon-bench-") as folder:
        long_run = soak(Path(folder), args.packets, say)
    outcome = run(args.outages, args.events, args.seed, say, args.broker)
    by_kind: dict[str, dict[str, Any]] = {}
    for outage in outcome.outages:
        kind = by_kind.setdefault(outage.kind, {"count": 0, "recovery_s_max": 0.0})
        kind["count"] += 1
        kind["recovery_s_max"] = round(max(kind["recovery_s_max"], outage.recovery_s), 2)
    late = sorted(outcome.latencies_ms)
    return {
        "outages": len(outcome.outages),
        "outages_by_kind": by_kind,
        "events": {
            "sent": outcome.sent,
            "delivered": outcome.delivered,
            "missing": outcome.missing,
            "named_missing": outcome.named_missing,
            "sessions_lost": outcome.sessions_lost,
            "repeated": outcome.repeated,
            "out_of_order": outcome.out_of_order,
        },
        "samples": outcome.counters["samples"],
        "samples_lost": outcome.counters["samples_lost"],
        "recovery_s_max": round(max(outage.recovery_s for outage in outcome.outages), 2),
        "loop_lag_ms_p99": outcome.counters["lag_ms_p99"],
        "loop_lag_ms_max": outcome.counters["lag_ms_max"],
        "loop_turns": _turns(outcome.counters),
        "latency_ms_p95": round(late[len(late) * 95 // 100], 1) if late else None,
        "latency_events": len(late),
        "power_cuts": {
            "count": cuts.count,
            "appended": cuts.appended,
            "lost": cuts.lost,
            "unreadable": cuts.unreadable,
            "strange": cuts.strange,
        },
        "packets_on_one_connection": long_run.packets,
        "heap_growth_bytes": long_run.heap_growth_bytes,
        "model_updates": {
            "tried": updates.tried,
            "wrongly_accepted": updates.accepted,
            "good_accepted": updates.good_accepted,
            "reasons": updates.reasons,
        },
        "counters": outcome.counters,
        "conditions": {
            "seed": args.seed,
            "board": "simulated, MicroPython's Unix port, loopback",
            "broker": args.broker,
        },
    }


def _turns(counters: dict[str, int]) -> dict[str, float]:
    """How long the event loop was held at a stretch; see outages/on_board/holds.py."""
    return {
        "count": counters["turns"],
        "over_20_ms": counters["turns_over_20_ms"],
        "over_20_ms_own": counters["turns_over_20_ms_own"],
        "ms_max": counters["turn_us_max"] / 1000,
        "ms_max_waiting_for_bus": counters["turn_us_max_bus"] / 1000,
        "ms_max_on_processor": counters["turn_us_max_processor"] / 1000,
        "ms_max_own": counters["turn_us_max_own"] / 1000,
    }


def summary(figures: dict[str, Any]) -> str:
    events, cuts, updates = figures["events"], figures["power_cuts"], figures["model_updates"]
    turns = figures["loop_turns"]
    return "\n".join(
        (
            f"{figures['outages']} outages: {events['delivered']} of {events['sent']} events "
            f"delivered, {events['named_missing']} named as missing, "
            f"{events['out_of_order']} out of order, {events['repeated']} repeated",
            f"samples lost: {figures['samples_lost']} of {figures['samples']}",
            f"first delivery after an outage: {figures['recovery_s_max']} s at most",
            f"loop lag: p99 {figures['loop_lag_ms_p99']} ms, at most "
            f"{figures['loop_lag_ms_max']} ms",
            f"turns of the loop over 20 ms: {turns['over_20_ms']} of {turns['count']} by the "
            f"clock, {turns['over_20_ms_own']} by the firmware itself, whose longest took "
            f"{turns['ms_max_own']} ms",
            f"latency: p95 {figures['latency_ms_p95']} ms of {figures['latency_events']} events",
            f"power cuts: {cuts['count']}, {cuts['appended']} events spooled, {cuts['lost']} lost, "
            f"{cuts['unreadable']} times unreadable",
            f"packets on one connection: {figures['packets_on_one_connection']}, heap growth "
            f"{figures['heap_growth_bytes']} bytes",
            f"model updates: {updates['tried']} wrong ones, {updates['wrongly_accepted']} of "
            "them accepted; "
            f"a good one {'accepted' if updates['good_accepted'] else 'refused'}",
        )
    )
