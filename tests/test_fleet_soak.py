"""What `beckon bench fleet` does not show: everything at once, for minutes.

Two collectors with actions, all faults in any order, devices that restart and lose their links,
old events that are forgotten meanwhile, somebody who looks at the dashboard's figures.
"""

import gc
import json
import os
import random
import re
import subprocess
import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from host_tools.bench.fleet_load.rig import CollectorProcess, rss_bytes, wait_stored
from host_tools.collect.intake import judge
from host_tools.fleet.simulate import Plan, simulate
from host_tools.store import queries
from host_tools.store.database import open_store, reading
from host_tools.store.messages import Batch, Event
from host_tools.store.writer import Writer
from host_tools.testing.servers import Mosquitto, Postgres, postgres_folder
from host_tools.toolchain import mosquitto_command
from tests.waiting import until

DAY_MS = 86_400_000
OLD = 300_000  # events that are too old


@pytest.fixture
def database(tmp_path):
    if postgres_folder() is None:
        pytest.skip("PostgreSQL is not installed")
    with Postgres() as server:
        yield server


def old_events(url):
    """Store them as a collector did long ago."""
    engine = open_store(url)
    writer, then_ms = Writer(engine), time.time_ns() // 10**6 - 60 * DAY_MS
    for first in range(0, OLD, 2000):
        writer.write(Batch([Event(f"old-{i % 50}", 65536, i // 50, then_ms + i, then_ms + i, i, 4,
                                  "circle", "70", 90, 95, True)
                            for i in range(first, first + 2000)]))  # fmt: skip
    engine.dispose()


def mosquitto_version():
    said = subprocess.run([*mosquitto_command(), "-h"], capture_output=True, text=True).stdout
    return tuple(map(int, re.search(r"version (\d+)\.(\d+)\.(\d+)", said).groups()))


class Chaos(threading.Thread):
    """A fault every second or two, of a kind drawn by lot."""

    def __init__(self, broker, database, collectors, seconds, seed):
        super().__init__()
        self.counts = {"one killed": 0, "both killed": 0, "database": 0, "broker": 0}
        if mosquitto_version() < (2, 0, 12):  # it forgets shared subscriptions when it restarts
            del self.counts["broker"]
        self.fault = None
        self._parts = broker, database, collectors
        self._end_s = time.monotonic() + seconds
        self._lot = random.Random(seed)

    def run(self):
        try:
            while time.monotonic() < self._end_s:
                time.sleep(self._lot.uniform(0.5, 2.5))
                self._one()
        except BaseException as fault:
            self.fault = fault

    def _one(self):
        broker, database, collectors = self._parts
        kind = self._lot.choice(list(self.counts))
        if kind.endswith("killed"):
            hit = collectors if kind == "both killed" else [self._lot.choice(collectors)]
            for one in hit:
                one.stop(kill=True)
            for one in hit:
                one.start()
        else:
            server = database if kind == "database" else broker
            server.stop()
            time.sleep(self._lot.uniform(0.1, 1.5))
            server.start()
        self.counts[kind] += 1


class Looker(threading.Thread):
    """Reads what the dashboard reads; the sums must agree at every moment."""

    def __init__(self, url):
        super().__init__()
        self._engine = open_store(url)
        self._ended = threading.Event()
        self.looks, self.wrong = 0, []

    def run(self):
        wanted = queries.Filter(0, time.time_ns() // 10**6 + DAY_MS)
        while not self._ended.wait(0.2):
            try:
                with reading(self._engine).connect() as c:
                    queries.latest(c, wanted, 25)
                    queries.devices(c, wanted)
                    sums = c.execute(text(
                        "SELECT (SELECT sum(events) FROM fleet_hour), (SELECT sum(events) FROM "
                        "device_day), (SELECT sum(events) FROM boot)")).one()  # fmt: skip
            except DBAPIError:
                continue  # the database is stopped
            self.looks += 1
            if len(set(sums)) > 1:
                self.wrong.append(tuple(sums))

    def end(self):
        self._ended.set()
        self.join()
        self._engine.dispose()


@pytest.mark.soak
def test_everything_at_once_loses_nothing_and_counts_nothing_twice(tmp_path, database):
    """Two minutes; BECKON_SOAK_MINUTES makes it longer."""
    minutes = float(os.environ.get("BECKON_SOAK_MINUTES", "2"))
    old_events(database.url)
    actions = tmp_path / "actions.toml"
    actions.write_text('[[action]]\nname = "echo"\nmax_age_s = 3600\n'
                       'mqtt = {topic = "echo/{device}"}\n')  # fmt: skip
    with Mosquitto(tmp_path) as broker:
        options = ["--keep-days", "30", "--actions", str(actions)]
        collectors = [CollectorProcess(broker, database.url, f"soak-{i}", "soak", options)
                      for i in range(2)]  # fmt: skip
        looker = Looker(database.url)
        try:
            for one in collectors:
                one.start()
            looker.start()
            chaos = Chaos(broker, database, collectors, 60 * minutes, seed=int(60 * minutes))
            chaos.start()
            totals = simulate(broker.address, Plan(
                200, 300.0, 0.0, burst=5, outages_per_min=60, restarts_per_min=30, settle_s=90.0,
                prefix="soak", until=lambda: not chaos.is_alive()))  # fmt: skip
            chaos.join()
            assert chaos.fault is None, chaos.fault
            wait_stored(database.url, acked_and_old(totals), 120.0)
            engine = open_store(database.url)

            def value(sql):
                with engine.connect() as c:
                    return c.execute(text(sql)).scalar()

            with engine.connect() as c:
                stored = {(name, boot): count for name, boot, count in c.execute(text(
                    "SELECT name, boot, count(*) FROM event JOIN device ON id = device_id "
                    "WHERE name LIKE 'soak-%' GROUP BY 1, 2"))}  # fmt: skip
            lost = sum(max(0, n - stored.get(key, 0)) for key, n in totals.acked.items())
            print(chaos.counts, f"{totals.acked_events} acknowledged, {lost} lost, "
                  f"{looker.looks} looks, {totals.restarts} restarts, {totals.outages} outages")
            assert lost == 0 and totals.acked_events > 3000 * minutes
            # The key is unique: an event that counts twice shows in the sums
            for table in ("fleet_hour", "device_day", "boot"):
                assert int(value(f"SELECT sum(events) FROM {table}")) == OLD + sum(stored.values())
            until(lambda: value("SELECT count(*) FROM event JOIN device ON id = device_id "
                                "WHERE name LIKE 'old-%'") == 0)  # fmt: skip
            assert value("SELECT count(*) FROM (SELECT 1 FROM action GROUP BY device_id, boot, seq "
                         "HAVING count(*) > 1) AS twice") == 0  # fmt: skip
            assert value("SELECT count(*) FROM action WHERE outcome = 'done'") > 100
            engine.dispose()
        finally:
            if looker.is_alive():
                looker.end()
            for one in collectors:
                one.stop()
    assert looker.looks > 20 and looker.wrong == []
    assert sum(chaos.counts.values()) >= 10 * minutes


class _Acked:
    def __init__(self, events):
        self.acked_events = events


def acked_and_old(totals):
    """For wait_stored(), which counts all."""
    return _Acked(totals.acked_events + OLD)


@pytest.mark.soak
def test_judging_and_storing_hold_on_to_nothing(database):
    """300,000 events into PostgreSQL: as many objects at the end as after the first 12,000."""
    now_ms = time.time_ns() // 10**6
    good = {"event_type": "circle", "confidence": 93, "label_confidence": 98, "boot": 65540,
            "t_ms": 25750, "time": None, "latency_ms": 4, "model": "70"}  # fmt: skip
    objects, memory = [], []
    engine = open_store(database.url)
    writer = Writer(engine)
    for batch in range(150):
        events = [judge(f"beckon/d{n % 1000}/event",
                        json.dumps({**good, "seq": n // 1000}).encode(), False, now_ms)
                  for n in range(2000 * batch, 2000 * batch + 2000)]  # fmt: skip
        assert len(writer.write(Batch(events=events)).new) == 2000
        if batch in (5, 149):
            objects.append(len(gc.get_objects()))
            memory.append(rss_bytes(os.getpid()))
    engine.dispose()
    assert objects[1] < objects[0] + 1000
    assert memory[1] < memory[0] + (4 << 20)
