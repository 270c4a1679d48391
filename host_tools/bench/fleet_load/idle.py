"""Many devices that are connected and seldom say anything."""

import os
import time
from pathlib import Path
from typing import Any

from host_tools.bench.fleet_load.rig import check, rig, rss_bytes, wait_stored
from host_tools.fleet.device import Totals
from host_tools.fleet.simulate import Plan, simulate


def run(work: Path, devices: int, seconds: float) -> dict[str, Any]:
    """One event per minute of each."""
    with rig(work, "sqlite", 1) as parts:
        broker_before, own_before = rss_bytes(parts.broker.pid), rss_bytes(_self())
        seen = {"broker": 0, "own": 0, "online": 0}
        started: list[tuple[float, dict[str, float]]] = []

        def on_second(totals: Totals) -> None:
            if totals.made and not started:
                started.append((time.monotonic(), parts.cpu_s()))
            if totals.online >= seen["online"]:
                seen.update(online=totals.online, broker=rss_bytes(parts.broker.pid),
                            own=rss_bytes(_self()))  # fmt: skip

        plan = Plan(devices, devices / 60, seconds, connects_per_s=400.0, settle_s=60.0)
        totals = simulate(parts.broker.address, plan, on_second)
        took_s, after = time.monotonic() - started[0][0], parts.cpu_s()
        wait_stored(parts.store, totals, 60.0)
        outcome = check(parts.store, totals)
    return {
        "devices": seen["online"],
        "seconds": seconds,
        "acked": totals.acked_events,
        "lost": outcome.lost,
        "repeated": outcome.repeated,
        "links_lost": sum(totals.faults.values()),
        "broker_bytes_per_connection": (seen["broker"] - broker_before) // max(1, seen["online"]),
        "generator_bytes_per_device": (seen["own"] - own_before) // max(1, seen["online"]),
        "cpu": {name: round((after[name] - started[0][1][name]) / took_s, 3) for name in after},
    }


def _self() -> int:
    return os.getpid()
