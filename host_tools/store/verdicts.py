"""What a person says of an event: a false alarm, or right after all."""

from sqlalchemy import Engine, select

from host_tools.store import rollup, windows
from host_tools.store.bulk import insert
from host_tools.store.tables import DEVICE, EVENT, VERDICT


def mark(engine: Engine, device: str, boot: int, seq: int, false_alarm: bool, person: str,
         now_ms: int) -> bool:  # fmt: skip
    """Keep the verdict, and count it in the sums; whether there is such an event."""
    e, v = EVENT.c, VERDICT.c
    with engine.begin() as connection:
        # Locked on PostgreSQL, so that two people at once count once.
        event = connection.execute(
            select(e.device_id, e.at_ms, e.gesture_id, e.model_id)
            .join(DEVICE, DEVICE.c.id == e.device_id)
            .where(DEVICE.c.name == device, e.boot == boot, e.seq == seq)
            .with_for_update()
        ).one_or_none()
        if event is None:
            return False
        before = connection.execute(
            select(v.false_alarm)
            .where(v.device_id == event.device_id, v.boot == boot, v.seq == seq)
        ).scalar()  # fmt: skip
        insert(connection, VERDICT,
               ("device_id", "boot", "seq", "false_alarm", "said_ms", "said_by"),
               [(event.device_id, boot, seq, false_alarm, now_ms, person)],
               "(device_id, boot, seq) DO UPDATE SET false_alarm = excluded.false_alarm, "
               "said_ms = excluded.said_ms, said_by = excluded.said_by")  # fmt: skip
        if false_alarm:
            windows.want(connection, event.device_id, boot, seq, now_ms)
        change = int(false_alarm) - int(bool(before))
        if change:
            rollup.add_false_alarms(connection, event.at_ms, event.device_id, event.gesture_id,
                                    event.model_id, change)  # fmt: skip
    return True
