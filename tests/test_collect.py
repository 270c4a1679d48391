"""Devices, a real mosquitto, the collector, the store: what a device was acknowledged is stored
once, whatever fails in between."""

import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError

from host_tools.collect.collector import Collector, Options
from host_tools.collect.outage import AWAY, BACK, EMPTY, Outage
from host_tools.errors import BeckonError
from host_tools.fleet.simulate import Plan, simulate
from host_tools.mqtt.connection import Connection
from host_tools.store.database import open_store
from host_tools.testing.servers import Mosquitto
from tests.waiting import until

QUICK = Plan(devices=20, events_per_s=150, seconds=2, burst=5, connects_per_s=400, diag_s=1)


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as server:
        yield server.address


@pytest.fixture
def engine(tmp_path):
    engine = open_store(str(tmp_path / "store.db"))
    yield engine
    engine.dispose()


@contextmanager
def collecting(broker, engine, name, **options):
    """A running Collector. Its messages are in `said`, what ended it in `fault`."""
    collector = Collector(broker, engine, Options(name, **options), say=lambda s: said.append(s))
    collector.said = said = []
    collector.fault = None
    up = threading.Event()

    def run():
        try:
            collector.run(up.set)
        except BeckonError as fault:
            collector.fault = fault
        up.set()

    thread = threading.Thread(target=run)
    thread.start()
    up.wait()
    try:
        yield collector
    finally:
        collector.stop()
        thread.join()


def value(engine, sql):
    with engine.connect() as connection:
        return connection.execute(text(sql)).scalar()


def stored(engine, prefix):
    """(device, boot) -> how many of its events are stored."""
    with engine.connect() as connection:
        rows = connection.execute(text(
            "SELECT name, boot, count(*) FROM event JOIN device ON id = device_id "
            f"WHERE name LIKE '{prefix}-%' GROUP BY 1, 2")).all()  # fmt: skip
    return {(name, boot): count for name, boot, count in rows}


def test_outages_and_restarts_of_devices_cost_nothing(broker, engine):
    plan = Plan(**{**vars(QUICK), "outages_per_min": 300, "restarts_per_min": 200, "prefix": "out"})
    with collecting(broker, engine, "outages"):
        totals = simulate(broker, plan)
        assert totals.outages > 5 and totals.restarts > 3 and totals.made == totals.acked_events
        until(lambda: stored(engine, "out") == totals.acked)
        until(lambda: value(engine, "SELECT count(*) FROM device WHERE NOT online") == 20)
    assert value(engine, "SELECT sum(events) FROM fleet_hour") == totals.acked_events
    assert value(engine, "SELECT count(*) FROM diag") > 20
    assert value(engine, "SELECT count(*) FROM state") >= 20
    assert value(engine, "SELECT count(*) FROM quarantine") == 0


def test_wrong_clocks_are_kept_aside_or_stored_as_they_say(broker, engine):
    plan = Plan(**{**vars(QUICK), "clock_errors": 0.9, "seconds": 1, "prefix": "clock"})
    with collecting(broker, engine, "clock") as collector:
        totals = simulate(broker, plan)
        until(lambda: collector.counts.stored + collector.counts.quarantined == totals.made)
    assert value(engine, "SELECT count(*) FROM event WHERE NOT timed") > 0
    assert value(engine, "SELECT messages FROM quarantine_count WHERE reason = 'future'") > 0


def test_two_collectors_of_a_group_share_and_store_each_event_once(broker, engine):
    plan = Plan(**{**vars(QUICK), "prefix": "share"})
    with collecting(broker, engine, "one", group="g") as one:
        with collecting(broker, engine, "two", group="g") as two:
            totals = simulate(broker, plan)
            until(lambda: stored(engine, "share") == totals.acked)
    assert one.counts.stored and two.counts.stored
    assert one.counts.stored + two.counts.stored == totals.acked_events


def test_a_database_that_fails_delays_and_loses_nothing(broker, engine, monkeypatch):
    plan = Plan(**{**vars(QUICK), "seconds": 1, "prefix": "full"})
    with collecting(broker, engine, "full") as collector:
        write, fails = collector._writer.write, iter(range(4))

        def full(batch):
            if batch.events and next(fails, None) is not None:
                raise OperationalError("", {}, Exception("database or disk is full"))
            return write(batch)

        monkeypatch.setattr(collector._writer, "write", full)
        totals = simulate(broker, plan)
        until(lambda: stored(engine, "full") == totals.acked)
    assert any("disk is full" in line for line in collector.said)
    assert collector.said[-1] == "the store is back"


def test_what_no_database_takes_is_kept_aside_alone(broker, engine, monkeypatch):
    plan = Plan(**{**vars(QUICK), "seconds": 1, "prefix": "poison"})
    with collecting(broker, engine, "poison") as collector:
        write, check = collector._writer.write, collector._writer.check

        def picky(function):
            def call(batch):
                if any(e.device == "poison-00003" for e in batch.events):
                    raise DataError("", {}, Exception("out of range"))
                return function(batch)
            return call

        monkeypatch.setattr(collector._writer, "write", picky(write))
        monkeypatch.setattr(collector._writer, "check", picky(check))
        totals = simulate(broker, plan)
        until(lambda: collector.counts.stored + collector.counts.quarantined == totals.made)
    assert {d for d, _ in stored(engine, "poison")} == {d for d, _ in totals.acked
                                                        if d != "poison-00003"}  # fmt: skip
    assert value(engine, "SELECT reason FROM quarantine_count") == "unstorable"


def test_what_was_not_committed_comes_again(broker, engine, monkeypatch):
    """A collector that ends with a full queue; its session waits for the next of its name."""
    plan = Plan(**{**vars(QUICK), "seconds": 1, "prefix": "again"})
    with collecting(broker, engine, "again") as first:
        monkeypatch.setattr(first, "_store", lambda deliveries: False)  # taken, not committed
        totals = simulate(broker, plan)
    assert stored(engine, "again") == {} and totals.acked
    with collecting(broker, engine, "again"):
        until(lambda: stored(engine, "again") == totals.acked)


def test_of_two_with_one_name_one_ends_and_says_why(broker, engine):
    """The older one, unless the broker's word is lost and it comes back first."""
    with collecting(broker, engine, "twin") as old:
        with collecting(broker, engine, "twin") as new:
            until(lambda: old.fault or new.fault)
            fault, other = (old.fault, new) if old.fault else (new.fault, old)
            assert "'twin'" in str(fault) and "--name" in str(fault)
            totals = simulate(broker, Plan(**{**vars(QUICK), "seconds": 1, "prefix": "twin"}))
            until(lambda: stored(engine, "twin") == totals.acked)
            assert not other.fault and other.counts.stored


def test_a_broker_that_restarts_often_is_not_taken_for_a_rival(engine, tmp_path):
    with Mosquitto(tmp_path) as broker, collecting(broker.address, engine, "restarts") as collector:
        for _ in range(9):
            refusals = collector._connection._refusals
            broker.stop()
            until(lambda before=refusals: collector._connection._refusals > before)
            broker.start()
            until(lambda: collector._connection.is_up)
        totals = simulate(broker.address, Plan(**{**vars(QUICK), "seconds": 1, "prefix": "then"}))
        until(lambda: stored(engine, "then") == totals.acked)
        until(lambda: collector.said[-1] == BACK)
    assert collector.fault is None
    assert collector.said.count(AWAY) == collector.said.count(BACK)


def test_an_outage_is_told_once_however_often_the_link_comes_and_goes():
    outage = Outage()
    assert outage.link(True, True, 0.0) == "" and outage.look(100.0) == ""
    assert outage.link(False, True, 100.0) == AWAY
    for i in range(8):  # a rival with the same name takes each link after half a second
        assert outage.link(True, True, 101.0 + i) == "" and outage.look(101.5 + i) == ""
        assert outage.link(False, True, 101.5 + i) == "" and outage.look(200.0) == ""
    assert outage.link(True, True, 110.0) == ""
    assert outage.look(112.9) == "" and outage.look(113.0) == BACK and outage.look(120.0) == ""
    assert outage.link(False, True, 130.0) == AWAY  # the next one


def test_a_session_that_was_lost_on_the_way_is_told_at_the_end():
    outage = Outage()
    assert outage.link(False, True, 0.0) == AWAY
    outage.link(True, False, 1.0)  # the broker had forgotten us
    outage.link(False, True, 1.5)
    outage.link(True, True, 2.0)
    assert outage.look(5.0) == EMPTY
    assert outage.link(False, True, 6.0) == AWAY
    outage.link(True, True, 7.0)
    assert outage.look(10.0) == BACK


def test_a_group_hears_again_after_the_broker_has_restarted(engine, tmp_path):
    """mosquitto before 2.0.12 keeps the session then, but not its shared subscriptions."""
    plan = Plan(**{**vars(QUICK), "seconds": 1, "prefix": "back"})
    with Mosquitto(tmp_path) as broker:
        with collecting(broker.address, engine, "back", group="g") as collector:
            broker.stop()
            broker.start()
            until(lambda: BACK in collector.said)
            totals = simulate(broker.address, plan)
            until(lambda: stored(engine, "back") == totals.acked)


def test_strangers_do_not_stop_the_stream(broker, engine):
    with collecting(broker, engine, "bad") as collector:
        with Connection(broker, "stranger") as stranger:
            for payload in (b"", b"{", b"\xff", b"[" * 3000, b"x" * 100_000):
                stranger.publish("beckon/evil/event", payload, wait_s=60)
            stranger.publish("beckon/evil/status", b"maybe", wait_s=60)
        totals = simulate(broker, Plan(**{**vars(QUICK), "seconds": 1, "prefix": "good"}))
        until(lambda: stored(engine, "good") == totals.acked)
        until(lambda: collector.counts.quarantined == 6)
    assert value(engine, "SELECT max(size) FROM quarantine") == 100_000
