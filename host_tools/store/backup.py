"""Copies of a store, while it is written to, and back.

SQLite: its own online backup, checked. PostgreSQL: pg_dump and pg_restore, which must be installed.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

from sqlalchemy import URL, Engine, inspect, make_url

from host_tools.errors import BeckonError
from host_tools.store.database import is_sqlite, shown, store_url

_SUFFIX = {True: ".db", False: ".dump"}


def backup(engine: Engine, folder: Path, keep: int = 0) -> Path:
    """A new file in folder, named by the time (UTC). keep: remove older ones beyond so many; 0:
    none. Raises BeckonError; a backup that fails leaves no file."""
    folder.mkdir(parents=True, exist_ok=True)
    lite = is_sqlite(engine)
    name = time.strftime("beckon-%Y%m%dT%H%M%SZ", time.gmtime())
    target = folder / f"{name}{_SUFFIX[lite]}"
    if target.exists():
        raise BeckonError(f"{target} exists already: wait a second")
    part = target.with_suffix(".part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        if lite:
            _copy(Path(engine.url.database or ""), part)
        else:
            _postgres("pg_dump", engine.url, "--format=custom", f"--file={part}")
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    if keep:
        for old in sorted(folder.glob(f"beckon-*{_SUFFIX[lite]}"))[:-keep]:
            old.unlink()
    return target


def restore(file: Path, store: str) -> None:
    """Make store from a backup. It must be empty or missing: nothing is overwritten.

    Raises BeckonError.
    """
    if not file.is_file():
        raise BeckonError(f"{file}: there is not such a file", status=2)
    url = store_url(store)
    if url.get_backend_name() == "sqlite":
        target = Path(url.database or "")
        if target.exists():
            raise BeckonError(f"{target} exists: move it away first, or name another --store")
        part = target.with_name(f".{target.name}.part")
        try:
            _copy(file, part)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
        return
    from sqlalchemy import create_engine

    engine = create_engine(url)
    tables = inspect(engine).get_table_names()
    engine.dispose()
    if tables:
        raise BeckonError(f"{shown(engine)} is not empty: restore into a new database")
    _postgres("pg_restore", url, "--no-owner", "--exit-on-error", "--single-transaction",
              str(file))  # fmt: skip


def _copy(source: Path, target: Path) -> None:
    try:
        with (
            contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
            contextlib.closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new, pages=4096, sleep=0.01)
            answer = new.execute("PRAGMA quick_check").fetchone()
            if answer != ("ok",):
                raise BeckonError(f"{source} is damaged: {answer[0]}")
            new.execute("PRAGMA journal_mode=DELETE")  # one file
    except sqlite3.Error as error:
        raise BeckonError(f"{source} cannot be copied: {error}") from None


def _postgres(program: str, url: URL, *options: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise BeckonError(f"{program} is not here: apt install postgresql-client")
    plain = make_url(url).set(drivername="postgresql", password=None)
    environment = {**os.environ, "LC_ALL": "C"}
    if url.password:  # not among the arguments, which all can read
        environment["PGPASSWORD"] = str(url.password)
    command = [found, f"--dbname={plain.render_as_string(hide_password=False)}", *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=environment)  # fmt: skip
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise BeckonError(f"{program} failed: {said}")
