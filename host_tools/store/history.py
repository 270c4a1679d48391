"""Stored events as values, oldest first."""

from collections.abc import Iterator

from sqlalchemy import Engine, select

from host_tools.store.database import reading
from host_tools.store.messages import Event
from host_tools.store.tables import DEVICE, EVENT, GESTURE, MODEL


def events_between(engine: Engine, since_ms: int, until_ms: int, device: str = "",
                   gesture: str = "") -> Iterator[Event]:  # fmt: skip
    """Those with since_ms <= at_ms < until_ms; device, gesture: "" for all."""
    e = EVENT.c
    query = (
        select(DEVICE.c.name, e.boot, e.seq, e.at_ms, e.at_ms + e.delay_ms, e.t_ms, e.latency_ms,
               GESTURE.c.name, MODEL.c.name, e.confidence, e.label_confidence, e.timed)
        .join(DEVICE, DEVICE.c.id == e.device_id)
        .join(GESTURE, GESTURE.c.id == e.gesture_id)
        .join(MODEL, MODEL.c.id == e.model_id)
        .where(e.at_ms >= since_ms, e.at_ms < until_ms)
        .order_by(e.at_ms)
    )  # fmt: skip
    if device:
        query = query.where(DEVICE.c.name == device)
    if gesture:
        query = query.where(GESTURE.c.name == gesture)
    with reading(engine).connect() as connection:
        for row in connection.execution_options(yield_per=2000).execute(query):
            yield Event._make(row)
