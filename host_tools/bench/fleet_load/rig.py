"""Broker, database and collectors as processes of their own; their time and what they stored."""

import contextlib
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text

from host_tools.errors import BeckonError
from host_tools.fleet.device import Totals
from host_tools.store.database import open_store
from host_tools.testing.servers import Mosquitto, Postgres

_START_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_FILES = 16_384


class Check(NamedTuple):
    """lost: events that the broker acknowledged and the store lacks. repeated: counted twice."""

    stored: int
    lost: int
    repeated: int


class CollectorProcess:
    """`beckon collect`, which can be killed and started again. options: more of its own."""

    def __init__(self, broker: Mosquitto, store: str, name: str, group: str = "",
                 options: Sequence[str] = ()):  # fmt: skip
        self._command = [sys.executable, "-m", "host_tools", "collect", "--broker",
                         f"mqtt://127.0.0.1:{broker.port}", "--name", name,
                         *(["--share", group] if group else []), *options]  # fmt: skip
        self._environment = {**os.environ, "BECKON_STORE": store}
        self._process: subprocess.Popen[str] | None = None
        self.lines: list[str] = []
        self.cpu_s = 0.0  # of processes that have ended

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Returns when it has subscribed. Raises BeckonError."""
        self._process = process = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip
        ready = threading.Event()

        def read() -> None:
            assert process.stderr
            for line in process.stderr:
                self.lines.append(line.strip())
                if "collecting from" in line:
                    ready.set()
            ready.set()

        threading.Thread(target=read, daemon=True).start()
        if not ready.wait(_START_S) or process.poll() is not None:
            raise BeckonError(f"a collector does not start: {' '.join(self.lines[-3:])}")

    def stop(self, kill: bool = False) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self.cpu_s += cpu_s(self.pid)
        self._process.kill() if kill else self._process.terminate()
        self._process.wait()


class Rig(NamedTuple):
    broker: Mosquitto
    postgres: Postgres | None
    store: str
    collectors: list[CollectorProcess]

    def cpu_s(self) -> dict[str, float]:
        """Processor time so far of each part; the generator is this process."""
        found = {"generator": time.process_time(), "broker": cpu_s(self.broker.pid),
                 "collectors": sum(c.cpu_s + cpu_s(c.pid) for c in self.collectors)}  # fmt: skip
        if self.postgres:
            found["database"] = cpu_s(self.postgres.pid, children=True)
        return found


@contextlib.contextmanager
def rig(work: Path, kind: str, collectors: int, store: str = "") -> Iterator[Rig]:
    """All running. kind: sqlite or postgresql."""
    allow_files()
    folder = Path(os.path.join(work, f"{kind}-{time.monotonic_ns()}"))
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder))
        postgres = stack.enter_context(Postgres()) if kind == "postgresql" else None
        where = postgres.url if postgres else store or str(folder / "store.db")
        open_store(where).dispose()
        group = "bench" if collectors > 1 else ""
        every = [CollectorProcess(broker, where, f"bench-{i}", group) for i in range(collectors)]
        for one in every:
            one.start()
            stack.callback(one.stop)
        yield Rig(broker, postgres, where, every)


def allow_files() -> None:
    """Servers inherit how many connections they may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def cpu_s(pid: int, children: bool = False) -> float:
    """Seconds of processor time; with children also of those that live or have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    own = int(fields[11]) + int(fields[12])
    if children:
        own += int(fields[13]) + int(fields[14])
    total = own / _TICKS
    if children:
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if path.read_text().rsplit(")", 1)[1].split()[1] == str(pid):
                    total += cpu_s(int(path.parent.name))
    return total


def rss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return 1024 * int(line.split()[1])
    return 0


def stored_count(store: str) -> int:
    engine = open_store(store)
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT count(*) FROM event")).scalar() or 0
    finally:
        engine.dispose()


def wait_stored(store: str, totals: Totals, timeout_s: float) -> None:
    """Until as many are stored as the broker has acknowledged; no error if that never comes."""
    engine = open_store(store)
    until_s = time.monotonic() + timeout_s
    with contextlib.suppress(Exception), engine.connect() as connection:
        while time.monotonic() < until_s:
            # The sums, because to count millions takes long.
            count = connection.execute(text("SELECT sum(events) FROM boot")).scalar() or 0
            connection.rollback()
            if int(count) >= totals.acked_events:
                break
            time.sleep(0.05)
    engine.dispose()


def check(store: str, totals: Totals) -> Check:
    """Compare the store with what the broker acknowledged to each start of each device."""
    engine = open_store(store)
    with engine.connect() as connection:
        found = {(name, boot): count for name, boot, count in connection.execute(text(
            "SELECT d.name, e.boot, count(*) FROM event e JOIN device d ON d.id = e.device_id "
            "GROUP BY d.name, e.boot"))}  # fmt: skip
        sums = [int(connection.execute(text(f"SELECT sum(events) FROM {table}")).scalar() or 0)
                for table in ("fleet_hour", "device_day", "boot")]  # fmt: skip
    engine.dispose()
    stored = sum(found.values())
    lost = sum(max(0, acked - found.get(key, 0)) for key, acked in totals.acked.items())
    # The key is unique, so an event that was taken twice would show in the sums.
    return Check(stored, lost, max(abs(total - stored) for total in sums))
