"""Has anything been written to the store since the last look? One cheap query, whatever its size.

SQLite: PRAGMA data_version grows when another connection commits. PostgreSQL: a snapshot's text
names the newest transaction and those under way, so each commit of a writer changes it.
"""

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from host_tools.store.database import is_sqlite, reading


class Pulse:
    """Not for two threads at once. close() gives its connection back."""

    def __init__(self, engine: Engine):
        self._engine = reading(engine)
        self._query = ("PRAGMA data_version" if is_sqlite(engine)
                       else "SELECT pg_current_snapshot()::text")  # fmt: skip
        self._connection: Connection | None = None  # SQLite counts per connection
        self._times = 0

    def read(self) -> tuple[int, object]:
        """Differs from the value before if something may have been written in between.

        Read it before what depends on it. Raises DBAPIError.
        """
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
                self._times += 1
            with self._connection.begin():
                return self._times, self._connection.exec_driver_sql(self._query).scalar()
        except DBAPIError:
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
