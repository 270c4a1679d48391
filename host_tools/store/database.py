"""Open the store: a file for SQLite, or the URL of a PostgreSQL database.

    engine = open_store("gestures.db")
    engine = open_store("postgresql://collector@db.example/beckon")

Opening brings an old database up to date (migrations/). Of a newer one it says so and stops.
"""

import os
import re
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from host_tools.errors import BeckonError
from host_tools.wording import counted

_WAIT_S = 10  # for another process that writes
_MIGRATION_LOCK = 0x6265636B6F6E  # of PostgreSQL's advisory locks: "beckon"
_MIGRATIONS = Path(__file__).parent / "migrations"


def store_url(text: str) -> URL:
    """text as a URL of SQLAlchemy; a path means SQLite. Raises BeckonError."""
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is not None and url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url is not None and url.drivername == "sqlite" and url.database:
        return url
    name = url.render_as_string() if url is not None else text.partition("@")[2] or text
    raise BeckonError("{name!r} is not a store: name a file, or postgresql://user@host/database",
                      status=2, name=name)  # fmt: skip


def open_store(text: str, *, migrate: bool = True, echo: bool = False) -> Engine:
    """The database, up to date. Raises BeckonError if it cannot be opened.

    migrate: False leaves it as it is, and demands that it is up to date.
    """
    url = store_url(text)
    lite = url.get_backend_name() == "sqlite"
    options: dict[str, Any] = {}
    if lite:
        folder = Path(url.database or "").absolute().parent
        if not folder.is_dir():
            raise BeckonError("{file}: there is no folder {folder}; make it first",
                              file=url.database, folder=folder)  # fmt: skip
        if not migrate and not Path(url.database or "").is_file():
            raise BeckonError("there is no store {file} yet: start beckon collect first, or name "
                              "another with --store", file=url.database)  # fmt: skip
        options = {"connect_args": {"timeout": _WAIT_S}}
    else:
        options = {"connect_args": {"connect_timeout": _WAIT_S}, "pool_pre_ping": True}
    engine = create_engine(url, echo=echo, hide_parameters=True, **options)
    if lite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    try:
        _bring_up_to_date(engine, migrate)
    except DBAPIError as error:
        engine.dispose()
        raise BeckonError("the store {store} cannot be opened: {reason}", store=shown(engine),
                          reason=reason(error)) from None  # fmt: skip
    return engine


def shown(engine: Engine) -> str:
    """The store's name for messages, without a password."""
    url = engine.url
    if is_sqlite(engine):
        return url.database or ""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def reading(engine: Engine) -> Engine:
    """The same store for those who only read: they never wait for a writer."""
    return engine.execution_options(beckon_reads=True)


def reason(error: DBAPIError) -> str:
    """The driver's words, in one line, without its guesses and repetitions."""
    text = " ".join(str(error.orig).split())
    text = text.partition(" Is the server running")[0].removeprefix("connection failed: ")
    text = re.sub(r" (?:Multiple connection|LINE \d+:).*", "", text)
    return text or type(error.orig).__name__


def is_passing(error: DBAPIError) -> bool:
    """Whether it is worth trying again: the database is away, full, locked or restarting.

    Otherwise the data is at fault.
    """
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None) or ""
    return state[:2] in ("08", "40", "53", "55", "57", "58")


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy says when a transaction begins
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # committed means on the disk: the broker forgets it then
        "cache_size=-65536",
        "temp_store=MEMORY",
        "journal_size_limit=67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    # A transaction that reads first and writes later could not wait for another writer.
    reads = connection.get_execution_options().get("beckon_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Any) -> None:
    # psycopg prepares a query that is repeated, and PostgreSQL then plans it for any span of time
    # and any device. Over ten million events that took ten times as long.
    if connection.get_execution_options().get("beckon_reads"):
        # Not by SQLAlchemy, which would make a cursor on the server for a connection that streams
        connection.connection.driver_connection.execute(
            "SET LOCAL plan_cache_mode = force_custom_plan")  # fmt: skip


def _bring_up_to_date(engine: Engine, migrate: bool) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    newest = script.get_current_head()
    with reading(engine).connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present is not None and present not in known:
        raise BeckonError("the store {store} was made by a newer Beckon ({present}): update this "
                          "one", store=shown(engine), present=present)  # fmt: skip
    if present == newest:
        return
    if not migrate:
        waiting = len(known) if present is None else len(list(script.iterate_revisions(
            newest, present)))  # fmt: skip
        raise BeckonError("the store {store} lacks {migrations}: run beckon collect on it once",
                          store=shown(engine),
                          migrations=counted(waiting, "migration"))  # fmt: skip
    with engine.begin() as connection:
        if not is_sqlite(engine):  # SQLite's BEGIN IMMEDIATE is a lock already
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def default_store() -> str:
    """$BECKON_STORE, which can hold a password unseen, or a file in this folder."""
    return os.environ.get("BECKON_STORE", "") or "beckon-store.db"
