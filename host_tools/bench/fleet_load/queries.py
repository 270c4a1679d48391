"""Every query of the dashboard over millions of events."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection, text

from host_tools.bench.fleet_load.large import DAYS
from host_tools.bench.fleet_load.throughput import size_bytes
from host_tools.store import queries
from host_tools.store.database import open_store, reading
from host_tools.store.rollup import DAY_MS

_REPEATS = 9  # from the sixth on PostgreSQL has them prepared


def measure(store: str, now_ms: int) -> dict[str, Any]:
    """The median of each query, ms."""
    engine = open_store(store)
    size = size_bytes(engine)
    times: dict[str, float] = {}
    with reading(engine).connect() as connection:
        for name, ask in asked(now_ms):
            took = []
            for _ in range(_REPEATS):
                begun_s = time.perf_counter()
                ask(connection)
                took.append(1000 * (time.perf_counter() - begun_s))
            times[name] = round(sorted(took)[len(took) // 2], 1)
        events = int(connection.execute(text("SELECT sum(events) FROM boot")).scalar() or 0)
    engine.dispose()
    return {"events": events, "ms_max": max(times.values()), "ms": times,
            "bytes_per_event": round(size / events, 1)}  # fmt: skip


def asked(now_ms: int) -> list[tuple[str, Callable[[Connection], Any]]]:
    """All that the pages ask, for the filters that cost most."""
    found: list[tuple[str, Callable[[Connection], Any]]] = []
    for filter_name, wanted in (
        ("day", queries.Filter(now_ms - DAY_MS, now_ms)),
        ("month", queries.Filter(now_ms - DAYS * DAY_MS, now_ms)),
        ("month, gesture", queries.Filter(now_ms - DAYS * DAY_MS, now_ms, gesture="rare")),
        ("month, device", queries.Filter(now_ms - DAYS * DAY_MS, now_ms, "bench-00007")),
        ("day, device, gesture", queries.Filter(now_ms - DAY_MS, now_ms, "bench-00007", "shake")),
    ):
        for name in ("latest", "over_time", "histograms", "totals", "devices"):
            ask = getattr(queries, name)
            found.append((f"{name} ({filter_name})", partial(ask, wanted=wanted)))
    for name in ("models", "gestures", "device_names", "collectors", "quarantine_counts"):
        found.append((name, getattr(queries, name)))
    return found
