"""A store of millions of events on either database, for those who read it."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from host_tools.store.database import open_store
from host_tools.store.rollup import DAY_MS, HOUR_MS
from host_tools.store.tables import CONFIDENCE_COLUMNS, LATENCY_CLASSES_MS, LATENCY_COLUMNS
from host_tools.testing.servers import Postgres

DEVICES, DAYS, BOOTS = 1000, 30, 10
GESTURES = ("circle", "shake", "swipe_left", "swipe_right", "rare")


def stores(work: Path, events: int, say: Callable[[str], None],
           have_postgres: bool) -> Iterator[tuple[str, str, int]]:
    """(kind, path or URL, when its last event was made) of one store after the other."""
    for kind in ("sqlite", "postgresql") if have_postgres else ("sqlite",):
        say(f"filling {kind} with {events} events")
        with ExitStack() as stack:
            store = (str(work / "large.db") if kind == "sqlite"
                     else stack.enter_context(Postgres()).url)  # fmt: skip
            engine = open_store(store)
            now_ms = time.time_ns() // 10**6 // HOUR_MS * HOUR_MS
            fill(engine, events, now_ms)
            engine.dispose()
            yield kind, store, now_ms


def fill(engine: Engine, events: int, now_ms: int) -> None:
    """Events spread over DAYS days, DEVICES devices and BOOTS starts each, with their roll-ups.

    The roll-ups are computed from the events by the database: what the writer keeps up is tested
    elsewhere.
    """
    lite = engine.dialect.name == "sqlite"
    per_boot = max(1, events // (DEVICES * BOOTS))
    step_ms = DAYS * DAY_MS // (BOOTS * per_boot)
    start_ms = now_ms - DAYS * DAY_MS

    def numbers(name: str, below: int) -> str:
        if lite:
            return (f"(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
                    f"WHERE i + 1 < {below}) SELECT i FROM n) AS {name}")  # fmt: skip
        return f"generate_series(0, {below - 1}) AS {name}(i)"

    mix = "(d.i * 7919 + b.i * 104729 + s.i * 31)"
    gesture = f"CASE WHEN {mix} % 5000 = 0 THEN 5 ELSE 1 + {mix} % 4 END"
    latency = " + ".join(["3", f"{mix} % 17", f"CASE WHEN {mix} % 50 = 0 THEN 400 ELSE 0 END"])
    timed = "1" if lite else "true"
    with engine.begin() as c:
        for i, name in enumerate(GESTURES):
            c.execute(text("INSERT INTO gesture (id, name) VALUES (:i, :n)"),
                      {"i": i + 1, "n": name})
        c.execute(text("INSERT INTO model (id, name) VALUES (1, '709cb702')"))
        state = '{"model": "709cb702", "firmware": "0.1.0", "sensor": "ok", "pad": "%s"}' % (
            "x" * 400)  # as long as a real one
        pad = ("substr('0000' || d.i, -5)" if lite else "lpad(d.i::text, 5, '0')")
        c.execute(text(
            "INSERT INTO device (id, name, online, online_ms, state, state_ms, diag, diag_ms) "
            f"SELECT d.i + 1, 'bench-' || {pad}, d.i % 50 <> 0, :now, :state, :now, :diag, :now "
            f"FROM {numbers('d', DEVICES)}"),
            {"now": now_ms, "state": state, "diag": '{"samples": 100000, "samples_lost": 3}'})
        c.execute(text(
            "INSERT INTO event (device_id, boot, seq, at_ms, delay_ms, t_ms, latency_ms, "
            "gesture_id, model_id, confidence, label_confidence, timed) "
            f"SELECT d.i + 1, (b.i + 1) * 65536 + d.i, s.i, "
            f"{start_ms} + (CAST(b.i AS bigint) * {per_boot} + s.i) * {step_ms} + d.i, "
            f"20 + {mix} % 30, CAST(s.i AS bigint) * {step_ms}, {latency}, {gesture}, 1, "
            f"50 + {mix} % 51, 60 + {mix} % 41, {timed} "
            f"FROM {numbers('d', DEVICES)}, {numbers('b', BOOTS)}, {numbers('s', per_boot)}"))
        _roll_up(c)
    if lite:
        with engine.connect() as c:
            c.connection.driver_connection.execute("ANALYZE")  # type: ignore[union-attr]
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            c.exec_driver_sql("VACUUM ANALYZE")


def _roll_up(c: Connection) -> None:
    hours = f"at_ms - at_ms % {HOUR_MS}"
    bounds = (None, *LATENCY_CLASSES_MS)
    latency = []
    for i, name in enumerate(LATENCY_COLUMNS):
        low = "" if bounds[i] is None else f"latency_ms > {bounds[i]} AND "
        high = f"latency_ms <= {bounds[i + 1]}" if i + 1 < len(bounds) else "latency_ms IS NOT NULL"
        latency.append((name, f"{low}{high}"))
    confidence = [(name, f"confidence >= {10 * i} AND confidence < {10 * i + 10 + (i == 9)}")
                  for i, name in enumerate(CONFIDENCE_COLUMNS)]  # fmt: skip
    classes = [*confidence, *latency]
    names = ", ".join(name for name, _ in classes)
    counts = ", ".join(f"sum(CASE WHEN {when} THEN 1 ELSE 0 END)" for _, when in classes)
    c.execute(text(
        f"INSERT INTO fleet_hour (hour_ms, gesture_id, model_id, events, confidence_sum, {names}) "
        f"SELECT {hours}, gesture_id, model_id, count(*), sum(confidence), {counts} FROM event "
        "GROUP BY 1, 2, 3"))  # fmt: skip
    c.execute(text(
        "INSERT INTO device_day (day_ms, device_id, gesture_id, events, confidence_sum) "
        f"SELECT at_ms - at_ms % {DAY_MS}, device_id, gesture_id, count(*), sum(confidence) "
        "FROM event GROUP BY 1, 2, 3"))  # fmt: skip
    c.execute(text(
        "INSERT INTO boot (device_id, boot, first_ms, last_ms, received_ms, seq_max, events) "
        "SELECT device_id, boot, min(at_ms), max(at_ms), max(at_ms + delay_ms), max(seq), count(*) "
        "FROM event GROUP BY 1, 2"))  # fmt: skip
