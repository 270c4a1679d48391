"""What a collector holds in memory, early and after many events."""

from pathlib import Path
from typing import Any

from host_tools.bench.fleet_load.rig import check, rig, rss_bytes, wait_stored
from host_tools.fleet.device import Totals
from host_tools.fleet.simulate import Plan, simulate
from host_tools.testing.servers import postgres_folder

_RATE = 5500.0
_EARLY = 0.1  # of all events


def run(work: Path, events: int) -> dict[str, Any]:
    kind = "postgresql" if postgres_folder() else "sqlite"
    with rig(work, kind, 1) as parts:
        seen: list[tuple[int, int]] = []

        def on_second(totals: Totals) -> None:
            seen.append((totals.acked_events, rss_bytes(parts.collectors[0].pid)))

        plan = Plan(1000, _RATE, events / _RATE, burst=10, connects_per_s=500.0, settle_s=120.0)
        totals = simulate(parts.broker.address, plan, on_second)
        wait_stored(parts.store, totals, 120.0)
        seen.append((totals.acked_events, rss_bytes(parts.collectors[0].pid)))
        outcome = check(parts.store, totals)
    early = next(one for one in seen if one[0] >= _EARLY * events)
    return {"events_early": early[0], "mib_early": round(early[1] / 2**20, 1),
            "events_late": seen[-1][0], "mib_late": round(seen[-1][1] / 2**20, 1),
            "mib_most": round(max(m for _, m in seen) / 2**20, 1),
            "lost": outcome.lost, "repeated": outcome.repeated}  # fmt: skip
