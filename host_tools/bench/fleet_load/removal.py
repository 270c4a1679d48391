"""How long a collector takes to remove old events from SQLite, and what who writes feels of it."""

import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from host_tools.bench.fleet_load import large
from host_tools.collect.forgetting import Forgetting
from host_tools.store.database import open_store
from host_tools.store.messages import Batch, Event
from host_tools.store.retention import Keep
from host_tools.store.rollup import DAY_MS, HOUR_MS
from host_tools.store.tables import EVENT
from host_tools.store.writer import Writer

_BATCH, _EVERY_S = 2000, 0.8  # 2,500 events per second
_ALONE_S = 20.0
_KEEP = Keep(events=1)


def run(work: Path, events: int) -> dict[str, Any]:
    """Fill a store with events that are all too old, and remove them while new ones come."""
    engine = open_store(str(work / "removal.db"))
    try:
        large.fill(engine, events, time.time_ns() // 10**6 // HOUR_MS * HOUR_MS - 2 * DAY_MS)
        before = _old(engine)
        ended = threading.Event()
        threading.Timer(_ALONE_S, ended.set).start()
        alone = _write(engine, ended, 0)
        ended, beside = threading.Event(), []
        writer = threading.Thread(target=lambda: beside.extend(_write(engine, ended, 1)))
        writer.start()
        begun_s = time.monotonic()
        with Forgetting(engine, _KEEP):
            while _old(engine):
                time.sleep(0.2)
            took_s = time.monotonic() - begun_s
        ended.set()
        writer.join()
    finally:
        engine.dispose()
    return {"events": before, "seconds": round(took_s, 1),
            "batch_ms_alone": _spread(alone), "batch_ms_beside": _spread(beside)}  # fmt: skip


def _old(engine: Engine) -> int:
    limit_ms = time.time_ns() // 10**6 - _KEEP.events_ms
    with engine.connect() as connection:
        return int(connection.scalar(
            select(func.count()).select_from(EVENT).where(EVENT.c.at_ms < limit_ms)) or 0)


def _write(engine: Engine, ended: threading.Event, boot: int) -> list[float]:
    """Store a batch every _EVERY_S until ended; how many ms each took."""
    writer, took_ms, seq = Writer(engine), [], 0
    while not ended.is_set():
        now_ms = time.time_ns() // 10**6
        batch = Batch([Event(f"new-{i % 100}", boot, seq + i, now_ms, now_ms, 1000, 4, "circle",
                             "709cb702", 93, 98, True) for i in range(_BATCH)])  # fmt: skip
        seq += _BATCH
        begun_s = time.monotonic()
        writer.write(batch)
        took_s = time.monotonic() - begun_s
        took_ms.append(1000 * took_s)
        ended.wait(max(0.0, _EVERY_S - took_s))
    return took_ms


def _spread(values: list[float]) -> dict[str, float]:
    values = sorted(values)
    return {"median": round(values[len(values) // 2]),
            "p95": round(values[len(values) * 95 // 100]), "max": round(values[-1])}  # fmt: skip
