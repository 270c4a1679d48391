"""Restarts of the broker: does a listener that does not wait stay complete?

A simulated board posts events while a real mosquitto is stopped or killed every minute, and
started again with what it stored. The listener is that of `beckon watch`.

example:
  beckon bench restarts --minutes 60
"""

import argparse
from collections.abc import Callable
from typing import Any

from host_tools.errors import BeckonError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=int, default=10, metavar="N",
                        help="one restart per minute (default %(default)s)")
    parser.add_argument("--every", type=float, default=60.0, metavar="S",
                        help="seconds between restarts (default %(default)s)")


def measure(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """All figures as a dict. Raises BeckonError."""
    from host_tools.bench.outages import RESTARTS, run

    if args.minutes < 1 or args.every < 1:
        raise BeckonError("--minutes and --every must be at least 1", status=2)
    restarts = max(1, round(60 * args.minutes / args.every))
    outcome = run(restarts, 1, 1, say, kinds=RESTARTS, pause_s=(args.every, args.every))
    return {
        "restarts": len(outcome.outages),
        "sent": outcome.sent,
        "delivered": outcome.delivered,
        "missing": outcome.missing,
        "named_missing": outcome.named_missing,
        "sessions_lost": outcome.sessions_lost,
        "out_of_order": outcome.out_of_order,
        "came_twice": outcome.repeated,
        "shown_twice": outcome.repeated - outcome.known_repeats,
        "stale": outcome.stale,
        "samples": outcome.counters["samples"],
        "samples_lost": outcome.counters["samples_lost"],
        "recovery_s_max": round(max(o.recovery_s for o in outcome.outages), 2),
    }


def summary(figures: dict[str, Any]) -> str:
    return (f"{figures['restarts']} restarts: {figures['delivered']} of {figures['sent']} events "
            f"delivered, {figures['out_of_order']} out of order, {figures['came_twice']} came "
            f"twice, {figures['shown_twice']} shown twice, {figures['stale']} stale; samples lost: "
            f"{figures['samples_lost']} of {figures['samples']}")
