"""Events per second from devices to the database."""

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from sqlalchemy import text

from host_tools.bench.fleet_load.rig import check, rig, wait_stored
from host_tools.fleet.device import Totals
from host_tools.fleet.simulate import Plan, simulate
from host_tools.store.database import open_store

_BURST = 10
_DRAIN_S = 120.0


def run(work: Path, kind: str, devices: int, rate: float, seconds: float,
        collectors: int) -> dict[str, Any]:  # fmt: skip
    with rig(work, kind, collectors) as parts:
        started: list[tuple[float, dict[str, float]]] = []

        def on_second(totals: Totals) -> None:
            if totals.made and not started:
                started.append((time.monotonic(), parts.cpu_s()))

        plan = Plan(devices, rate, seconds, burst=_BURST, connects_per_s=500.0, settle_s=60.0)
        totals = simulate(parts.broker.address, plan, on_second)
        wait_stored(parts.store, totals, _DRAIN_S)
        begun_s, before = started[0]
        took_s = time.monotonic() - begun_s + _FIRST_S
        after = parts.cpu_s()
        for one in parts.collectors:
            one.stop()  # writes the last sign of life
        outcome = check(parts.store, totals)
        engine = open_store(parts.store)
        with engine.connect() as connection:
            p95 = connection.execute(text("SELECT max(stored_ms_p95) FROM collector")).scalar()
            rows = connection.execute(text("SELECT name, stored FROM collector")).all()
        size = size_bytes(engine)
        engine.dispose()
    return {
        "events_per_s": round(outcome.stored / took_s, 1),
        "offered_per_s": rate,
        "stored": outcome.stored,
        "acked": totals.acked_events,
        "lost": outcome.lost,
        "repeated": outcome.repeated,
        "stored_ms_p95": int(p95 or 0),
        "seconds": round(took_s, 1),
        "by_collector": {row.name: row.stored for row in rows},
        "cpu": {name: round((after[name] - before[name]) / took_s, 3) for name in after},
        "bytes_per_event": round(size / max(1, outcome.stored), 1),
    }


_FIRST_S = 1.0  # the first report comes after a second of load


def size_bytes(engine: Any) -> int:
    """On the disk: of SQLite the file, of PostgreSQL the events with their indexes."""
    if engine.dialect.name != "sqlite":
        with engine.connect() as connection:
            return int(connection.execute(text(
                "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n "
                "ON n.oid = relnamespace WHERE nspname = 'public' AND relkind = 'r'")).scalar())
    path = engine.url.database
    with engine.connect() as connection, contextlib.suppress(Exception):
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return os.path.getsize(path)
