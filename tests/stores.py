"""An empty store for a test: a file, or a database of one PostgreSQL that serves a whole file."""

import contextlib
import itertools

from sqlalchemy import text

from host_tools.store.database import open_store
from host_tools.testing.servers import Postgres, postgres_folder

KINDS = ("sqlite", "postgresql")
_numbers = itertools.count()


@contextlib.contextmanager
def fresh_store(kind, tmp_path, postgres):
    """The URL or path of an empty database."""
    if kind == "sqlite":
        yield str(tmp_path / f"store-{next(_numbers)}.db")
        return
    name = f"test_{next(_numbers)}"
    from sqlalchemy import create_engine

    admin = create_engine(postgres.url.replace("postgresql:", "postgresql+psycopg:"),
                          isolation_level="AUTOCOMMIT")  # fmt: skip
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    yield postgres.url.replace("/postgres", f"/{name}")


def scalar(url, sql):
    engine = open_store(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text(sql)).scalar()
    finally:
        engine.dispose()


def a_postgres(folder):
    return Postgres(folder) if postgres_folder() else None
