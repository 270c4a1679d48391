"""Forget what is older than the settings say, a piece at a time so that nothing waits long."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, Table, select, tuple_

from host_tools.store.rollup import DAY_MS
from host_tools.store.tables import (
    ACTION,
    BOOT,
    DEVICE_DAY,
    DIAG,
    EVENT,
    EVENT_WINDOW,
    FLEET_HOUR,
    PRESENCE,
    STATE,
    VERDICT,
)

_PIECE = 5000  # rows in one transaction


@dataclass(frozen=True)
class Keep:
    """Days; 0: forever. rollups: sums by hour and day, and what is said of starts."""

    events: int = 365
    diag: int = 30
    rollups: int = 0

    @property
    def events_ms(self) -> int:
        return self.events * DAY_MS


def forget(engine: Engine, keep: Keep, now_ms: int) -> bool:
    """Remove one piece of each table; whether there is more. The roll-ups of events that are
    removed stay."""
    more = False
    with engine.begin() as connection:
        for table, column, days in (
            (EVENT, "at_ms", keep.events),
            (ACTION, "at_ms", keep.events),
            (DIAG, "at_ms", keep.diag),
            (PRESENCE, "at_ms", keep.diag),
            (FLEET_HOUR, "hour_ms", keep.rollups),
            (DEVICE_DAY, "day_ms", keep.rollups),
            (BOOT, "last_ms", keep.rollups),
            (STATE, "at_ms", keep.rollups),
            (VERDICT, "said_ms", keep.events),
            (EVENT_WINDOW, "at_ms", keep.events),
        ):
            if days:
                before = table.c[column] < now_ms - days * DAY_MS
                more |= _remove(connection, table, before) == _PIECE
    return more


def _remove(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    key = tuple_(*table.primary_key.columns)
    old = select(*table.primary_key.columns).where(condition).limit(_PIECE)
    return connection.execute(table.delete().where(key.in_(old))).rowcount
