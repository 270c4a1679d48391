"""The samples of events that a person called false alarms: wanted, kept, or gone for good."""

from typing import NamedTuple

from sqlalchemy import Connection, Engine, and_, select, update

from host_tools.store.bulk import insert
from host_tools.store.tables import DEVICE, EVENT, EVENT_WINDOW, GESTURE, VERDICT

_W = EVENT_WINDOW.c


class Wanted(NamedTuple):
    """state: what the device last said of itself, JSON."""

    device_id: int
    device: str
    boot: int
    seq: int
    tries: int
    state: str


class Window(NamedTuple):
    """samples: int16, little endian, ax ay az gx gy gz, the oldest first."""

    device: str
    boot: int
    seq: int
    at_ms: int
    gesture: str
    period_us: int
    accel_lsb_per_g: int
    gyro_lsb_per_10_dps: int
    samples: bytes


def want(connection: Connection, device_id: int, boot: int, seq: int, now_ms: int) -> None:
    insert(connection, EVENT_WINDOW,
           ("device_id", "boot", "seq", "at_ms", "condition", "tries", "detail"),
           [(device_id, boot, seq, now_ms, "wanted", 0, "")],
           "(device_id, boot, seq) DO NOTHING")  # fmt: skip


def wanted(connection: Connection, limit: int) -> list[Wanted]:
    """Those of devices that are online, the newest first: a device forgets."""
    rows = connection.execute(
        select(_W.device_id, DEVICE.c.name, _W.boot, _W.seq, _W.tries, DEVICE.c.state)
        .join(DEVICE, DEVICE.c.id == _W.device_id)
        .where(_W.condition == "wanted", DEVICE.c.online, DEVICE.c.state.isnot(None))
        .order_by(_W.tries, _W.at_ms.desc()).limit(limit))  # fmt: skip
    return [Wanted._make(row) for row in rows]


def set_window(engine: Engine, one: Wanted, **values: object) -> None:
    """Change columns of one row."""
    with engine.begin() as connection:
        connection.execute(
            update(EVENT_WINDOW)
            .where(_W.device_id == one.device_id, _W.boot == one.boot, _W.seq == one.seq)
            .values(**values))  # fmt: skip


def kept(connection: Connection) -> list[Window]:
    """The samples of all events that are false alarms still, oldest first."""
    e, v = EVENT.c, VERDICT.c
    rows = connection.execute(
        select(DEVICE.c.name, _W.boot, _W.seq, e.at_ms, GESTURE.c.name, _W.period_us,
               _W.accel_lsb_per_g, _W.gyro_lsb_per_10_dps, _W.samples)
        .join(DEVICE, DEVICE.c.id == _W.device_id)
        .join(EVENT, and_(e.device_id == _W.device_id, e.boot == _W.boot, e.seq == _W.seq))
        .join(GESTURE, GESTURE.c.id == e.gesture_id)
        .join(VERDICT, and_(v.device_id == _W.device_id, v.boot == _W.boot, v.seq == _W.seq))
        .where(_W.condition == "kept", v.false_alarm).order_by(e.at_ms))  # fmt: skip
    return [Window(*row[:-1], bytes(row[-1])) for row in rows]


def counts(connection: Connection) -> dict[str, int]:
    """How many there are, by condition."""
    found: dict[str, int] = {}
    for (condition,) in connection.execute(select(_W.condition)):
        found[condition] = found.get(condition, 0) + 1
    return found
