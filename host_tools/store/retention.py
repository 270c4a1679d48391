"""Forget what is older than the settings say, a piece at a time so that nothing waits long."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, Table, column, func, select, text, tuple_

from host_tools.store.database import is_sqlite
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

_PIECE = 5000  # rows of a table in one transaction
_PLACE: ColumnElement = column("ctid")  # of a row, in PostgreSQL
_LOCK = 0x6265636B6F6F  # of PostgreSQL's advisory locks, beside that of database.py


@dataclass(frozen=True)
class Keep:
    """Days; 0: forever. rollups: sums by hour and day, and what is said of starts."""

    events: int = 365
    diag: int = 30
    rollups: int = 0

    @property
    def events_ms(self) -> int:
        return self.events * DAY_MS


def forget(engine: Engine, keep: Keep, now_ms: int,
           only: Collection[str] | None = None) -> set[str]:  # fmt: skip
    """Remove one piece of each table; those that may have more. The roll-ups of events that are
    removed stay.

    only: of these tables. Where another process is at it, nothing is removed.
    """
    more: set[str] = set()
    with engine.begin() as connection:
        if not is_sqlite(engine) and not connection.scalar(
            text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}
        ):
            return more
        for table, at, days in (
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
            if days and (only is None or table.name in only):
                before = table.c[at] < now_ms - days * DAY_MS
                if _remove(connection, table, before) == _PIECE:
                    more.add(table.name)
    return more


def _remove(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    key = tuple_(*table.primary_key.columns)
    old = select(*table.primary_key.columns).where(condition).limit(_PIECE)
    if connection.dialect.name != "sqlite":  # by the rows' places: no second look at an index
        places = select(_PLACE).select_from(table).where(condition).limit(_PIECE)
        return connection.execute(
            table.delete().where(_PLACE == func.any(func.array(places.scalar_subquery())))
        ).rowcount
    return connection.execute(table.delete().where(key.in_(old))).rowcount
