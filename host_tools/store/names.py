"""Numbers for the names of devices, gestures and models."""

from collections.abc import Iterable

from sqlalchemy import Connection, Table, select

from host_tools.store.bulk import insert, matching
from host_tools.store.tables import DEVICE, GESTURE, MODEL

_CACHED = 50_000  # of each table; then it is emptied, as a stranger can invent names


class Names:
    """Each name's number in its table. What a transaction adds counts once it is committed."""

    def __init__(self) -> None:
        self._known: dict[Table, dict[str, int]] = {DEVICE: {}, GESTURE: {}, MODEL: {}}
        self._fresh: dict[Table, dict[str, int]] = {}

    def numbers(self, connection: Connection, table: Table,
                names: Iterable[str]) -> dict[str, int]:  # fmt: skip
        """name -> number, of names and maybe others. New names get one."""
        known = self._known[table]
        fresh = self._fresh.setdefault(table, {})
        missing = sorted({name for name in names if name not in known and name not in fresh})
        if missing:
            # In order, so that two collectors cannot wait for each other.
            insert(connection, table, ["name"], [[name] for name in missing],
                   "(name) DO NOTHING")  # fmt: skip
            for name, number in self._look_up(connection, table, missing):
                fresh[name] = number
        return {**known, **fresh} if fresh else known

    def _look_up(self, connection: Connection, table: Table, names: list[str]) -> list:
        if len(names) == 1:
            rows = connection.execute(select(table.c.name, table.c.id)
                                      .where(table.c.name == names[0]))  # fmt: skip
            return list(rows)
        return matching(connection, table, ["name", "id"], ["name"], [[n] for n in names])

    def committed(self) -> None:
        for table, fresh in self._fresh.items():
            known = self._known[table]
            if len(known) > _CACHED:
                known.clear()
            known.update(fresh)
        self._fresh.clear()

    def rolled_back(self) -> None:
        self._fresh.clear()
