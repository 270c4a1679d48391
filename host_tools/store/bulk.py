"""Many rows in one statement: arrays for PostgreSQL, executemany for SQLite.

All values are parameters. Table and column names come from tables.py.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.types import BigInteger, Boolean, Integer, LargeBinary, SmallInteger, Text

_PG_TYPES = ((SmallInteger, "smallint"), (BigInteger, "bigint"), (Integer, "integer"),
             (Boolean, "boolean"), (LargeBinary, "bytea"), (Text, "text"))  # fmt: skip
_QUOTED = ("text", "bytea")


def on_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def insert(connection: Connection, table: Table, columns: Sequence[str],
           rows: Sequence[Sequence[Any]], conflict: str = "") -> int:  # fmt: skip
    """Insert rows; return how many were inserted or changed.

    conflict: what follows ON CONFLICT; "" lets a conflict raise IntegrityError.
    """
    if not rows:
        return 0
    names = ", ".join(columns)
    tail = f" ON CONFLICT {conflict}" if conflict else ""
    if on_sqlite(connection):
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table.name} ({names}) VALUES ({marks}){tail}"
        return connection.exec_driver_sql(sql, [tuple(row) for row in rows]).rowcount
    arrays, values = _arrays(table, columns, rows)
    sql = f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays}){tail}"
    return connection.exec_driver_sql(sql, values).rowcount


def each(connection: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Execute sql once for each row of parameters, which stand as ? in it."""
    if rows:
        if not on_sqlite(connection):
            sql = sql.replace("?", "%s")
        connection.exec_driver_sql(sql, [tuple(row) for row in rows])


def adding(table: Table, keys: Sequence[str], sums: Iterable[str]) -> str:
    """What follows ON CONFLICT to add to the sums of a row that is there."""
    changes = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in sums)
    return f"({', '.join(keys)}) DO UPDATE SET {changes}"


def matching(connection: Connection, table: Table, columns: Sequence[str], keys: Sequence[str],
             values: Sequence[Sequence[Any]]) -> list[Any]:  # fmt: skip
    """columns of the rows whose keys are among values."""
    shown = ", ".join(f"t.{column}" for column in columns)
    if on_sqlite(connection):
        joined = " AND ".join(
            f"t.{key} = json_extract(k.value, '$[{i}]')" for i, key in enumerate(keys))
        sql = f"SELECT {shown} FROM json_each(?) k JOIN {table.name} t ON {joined}"
        return list(connection.exec_driver_sql(sql, (json.dumps([*map(list, values)]),)))
    arrays, columns_of = _arrays(table, keys, values)
    joined = " AND ".join(f"t.{key} = k.{key}" for key in keys)
    sql = (f"SELECT {shown} FROM unnest({arrays}) AS k({', '.join(keys)}) "
           f"JOIN {table.name} t ON {joined}")  # fmt: skip
    return list(connection.exec_driver_sql(sql, columns_of))


def _arrays(table: Table, columns: Sequence[str],
            rows: Sequence[Sequence[Any]]) -> tuple[str, tuple[Any, ...]]:  # fmt: skip
    """A parameter for each column, as SQL and as values.

    Numbers go as the text of an array, "{1,NULL,3}": psycopg's own way for lists looks at each
    element for what must be quoted, which was a third of all the time to store an event.
    """
    kinds = [_pg_type(table, column) for column in columns]
    values = tuple(
        list(column) if kind in _QUOTED else _numbers(column)
        for kind, column in zip(kinds, zip(*rows, strict=True), strict=True))  # fmt: skip
    return ", ".join(f"%s::{kind}[]" for kind in kinds), values


def _numbers(column: Iterable[int | bool | None]) -> str:
    return "{" + ",".join(["NULL" if value is None else str(int(value)) for value in column]) + "}"


def _pg_type(table: Table, column: str) -> str:
    kind = table.c[column].type
    return next(name for cls, name in _PG_TYPES if isinstance(kind, cls))
