"""A collector's sign of life."""

from sqlalchemy import Engine

from host_tools.store.bulk import insert
from host_tools.store.tables import COLLECTOR

_COLUMNS = ("name", "at_ms", "stored", "repeated", "quarantined", "stored_ms_p95", "waiting")


def write(engine: Engine, name: str, at_ms: int, stored: int, repeated: int, quarantined: int,
          stored_ms_p95: int, waiting: int) -> None:  # fmt: skip
    """The counts since this collector's start. waiting: messages not stored yet."""
    changes = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    with engine.begin() as connection:
        insert(connection, COLLECTOR, _COLUMNS,
               [(name, at_ms, stored, repeated, quarantined, stored_ms_p95, waiting)],
               f"(name) DO UPDATE SET {changes}")  # fmt: skip
