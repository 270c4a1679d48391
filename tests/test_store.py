"""The store, on SQLite and on a real PostgreSQL: each event once, sums that agree, bounds kept."""

import random
import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from host_tools.collect.forgetting import Forgetting
from host_tools.errors import BeckonError
from host_tools.store import queries, retention, rollup
from host_tools.store.database import open_store, reading, store_url
from host_tools.store.messages import Batch, Diag, Event, Reject, State, Status
from host_tools.store.tables import DIAG_COUNTERS, EVENT, METADATA
from host_tools.store.writer import Writer
from tests.stores import KINDS, fresh_store
from tests.waiting import until

NOW = 1_763_634_400_000
DAY = rollup.DAY_MS


@pytest.fixture(params=KINDS)
def engine(request, tmp_path, postgres):
    if request.param == "postgresql" and postgres is None:
        pytest.skip("PostgreSQL is not installed")
    with fresh_store(request.param, tmp_path, postgres) as url:
        engine = open_store(url)
        yield engine
        engine.dispose()


def an_event(seq=0, device="wand", boot=65540, **changes):
    event = Event(device, boot, seq, NOW - 1000 * seq, NOW, 25750, 4, "circle", "709cb702", 93, 98,
                  True)  # fmt: skip
    return event._replace(**changes)


def number(engine, sql, **values):
    with engine.connect() as connection:
        return connection.execute(text(sql), values).scalar()


def sums_agree(engine):
    """Each roll-up equals a count of the events."""
    with engine.connect() as connection:
        for table, unit, column in (("fleet_hour", rollup.HOUR_MS, "hour_ms"),
                                    ("device_day", DAY, "day_ms")):  # fmt: skip
            counted = connection.execute(text(
                f"SELECT at_ms / {unit} * {unit}, count(*), sum(confidence) FROM event "
                "GROUP BY 1 ORDER BY 1")).all()  # fmt: skip
            kept = connection.execute(text(
                f"SELECT {column}, sum(events), sum(confidence_sum) FROM {table} "
                f"WHERE events > 0 GROUP BY 1 ORDER BY 1")).all()  # fmt: skip
            assert [tuple(map(int, row)) for row in counted] == [
                tuple(map(int, row)) for row in kept]  # fmt: skip
        boots = connection.execute(text(
            "SELECT device_id, boot, count(*), max(seq) FROM event GROUP BY 1, 2 ORDER BY 1, 2"))
        assert boots.all() == connection.execute(text(
            "SELECT device_id, boot, events, seq_max FROM boot ORDER BY 1, 2")).all()  # fmt: skip


def test_an_event_is_stored_once_however_often_it_comes(engine):
    writer = Writer(engine)
    first = writer.write(Batch(events=[an_event(0), an_event(1), an_event(0)]))
    assert [e.seq for e in first.new] == [0, 1] and first.repeats == 1
    later = an_event(1, latency_ms=9000, received_ms=NOW + 9000)  # came again, after an outage
    again = writer.write(Batch(events=[later, an_event(2)]))
    assert [e.seq for e in again.new] == [2] and again.repeats == 1
    other = Writer(engine).write(Batch(events=[an_event(2), an_event(0, boot=131072)]))
    assert [e.boot for e in other.new] == [131072] and other.repeats == 1
    assert number(engine, "SELECT count(*) FROM event") == 4
    sums_agree(engine)


def test_another_content_under_a_known_number_is_forged(engine):
    writer = Writer(engine)
    writer.write(Batch(events=[an_event(0)]))
    outcome = writer.write(Batch(events=[an_event(0, gesture="shake"), an_event(3),
                                         an_event(3, confidence=1)]))  # fmt: skip
    assert (len(outcome.new), outcome.repeats, outcome.quarantined) == (1, 0, 2)
    assert number(engine, "SELECT messages FROM quarantine_count WHERE reason = 'forged'") == 2
    assert number(engine, "SELECT name FROM gesture g JOIN event e ON g.id = gesture_id "
                          "WHERE seq = 0") == "circle"  # fmt: skip
    sums_agree(engine)


def test_random_batches_of_two_writers_leave_right_sums(engine):
    rng = random.Random(5)
    every = [an_event(seq, f"d{d}", 65536 * (1 + seq % 3), at_ms=NOW - rng.randrange(9 * DAY),
                      gesture=rng.choice("abc"), confidence=rng.randrange(101),
                      latency_ms=rng.choice([None, 3, 70_000]))
             for seq in range(40) for d in range(5)]  # fmt: skip
    writers = [Writer(engine), Writer(engine)]
    new = 0
    for _ in range(12):
        new += len(rng.choice(writers).write(Batch(events=rng.choices(every, k=60))).new)
    assert number(engine, "SELECT count(*) FROM event") == new
    sums_agree(engine)


def test_hostile_text_is_text(engine):
    name = "'); DROP TABLE event; -- <script>alert(1)</script> %s ? :x \u202e"
    outcome = Writer(engine).write(Batch(
        events=[an_event(0, gesture=name)],
        rejects=[Reject(NOW, "schema", name + "\0\ud800", name, 3, b"\0\xff'")]))  # fmt: skip
    assert len(outcome.new) == 1
    assert number(engine, "SELECT name FROM gesture") == name
    assert number(engine, "SELECT topic FROM quarantine") == name


def test_the_quarantine_is_bounded_and_counts_all(engine):
    writer = Writer(engine, quarantine=10)
    for _ in range(5):
        writer.write(Batch(rejects=[Reject(NOW, "schema", "", "t", 9000, b"x" * 9000)] * 7))
    assert number(engine, "SELECT messages FROM quarantine_count") == 35
    assert number(engine, "SELECT count(*) FROM quarantine") == 10
    with engine.connect() as connection:
        assert queries.quarantine_size(connection) == 10
    assert number(engine, "SELECT max(length(payload)) FROM quarantine") == 2048


def test_status_state_and_diagnostics_keep_the_last_and_the_changes(engine):
    writer = Writer(engine)
    for at, online in ((1, True), (2, True), (3, False), (2, True)):  # the last one is late
        writer.write(Batch(statuses=[Status("wand", NOW + at, online)]))
    assert number(engine, "SELECT count(*) FROM presence") == 2
    assert not number(engine, "SELECT online FROM device")
    state = State("wand", NOW, 65540, "digest", "{}")
    writer.write(Batch(states=[state, state._replace(received_ms=NOW + 1, digest="b")]))
    writer.write(Batch(states=[state]))
    assert number(engine, "SELECT count(*) FROM state") == 2
    assert number(engine, "SELECT state_ms FROM device") == NOW + 1
    diag = Diag("wand", NOW, 65540, (5, *[None] * (len(DIAG_COUNTERS) - 1)), "{}")
    writer.write(Batch(diags=[diag, diag]))
    assert number(engine, "SELECT count(*) FROM diag") == 1


def test_what_fails_leaves_nothing_and_can_be_given_again(engine, monkeypatch):
    writer = Writer(engine)

    def fail(*arguments):
        raise OSError("pulled out")

    with monkeypatch.context() as patch:
        patch.setattr(rollup, "add", fail)
        with pytest.raises(OSError):
            writer.write(Batch(events=[an_event(0, device="new", gesture="new")]))
    assert number(engine, "SELECT count(*) FROM device") == 0
    assert len(writer.write(Batch(events=[an_event(0, device="new", gesture="new")])).new) == 1
    sums_agree(engine)


def test_old_events_go_and_their_sums_stay(engine):
    Writer(engine).write(Batch(events=[an_event(0), an_event(1, at_ms=NOW - 11 * DAY)]))
    keep = retention.Keep(events=10)
    assert not retention.forget(engine, keep, NOW)
    assert number(engine, "SELECT count(*) FROM event") == 1
    assert int(number(engine, "SELECT sum(events) FROM device_day")) == 2
    retention.forget(engine, replace(keep, rollups=10), NOW)
    assert int(number(engine, "SELECT sum(events) FROM device_day")) == 1
    assert not retention.forget(engine, retention.Keep(0, 0, 0), NOW + 9999 * DAY)
    assert number(engine, "SELECT count(*) FROM event") == 1


def test_a_pile_of_old_events_goes_piece_by_piece_beside_a_writer(engine, monkeypatch):
    monkeypatch.setattr(retention, "_PIECE", 2)
    now_ms = time.time_ns() // 10**6
    writer = Writer(engine)
    old = [an_event(i, at_ms=now_ms - 11 * DAY) for i in range(9)]
    writer.write(Batch(old, statuses=[Status("d1", now_ms - 40 * DAY, True)]))
    keep = retention.Keep(events=10)
    assert retention.forget(engine, keep, now_ms) == {"event"}
    assert number(engine, "SELECT count(*) FROM event") == 7
    if engine.dialect.name == "postgresql":  # another collector is at it
        with engine.begin() as other:
            other.execute(text(f"SELECT pg_advisory_xact_lock({retention._LOCK})"))
            assert retention.forget(engine, keep, now_ms) == set()
        assert number(engine, "SELECT count(*) FROM event") == 7
    with Forgetting(engine, keep):
        for i in range(20, 23):
            writer.write(Batch([an_event(i, at_ms=now_ms)]))
        until(lambda: number(engine, "SELECT count(*) FROM event") == 3)
    assert int(number(engine, "SELECT sum(events) FROM device_day")) == 12


def test_the_migrations_make_what_the_tables_say(engine):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_store_of_a_newer_version_is_left_alone(engine):
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'future'"))
    url = engine.url.render_as_string(hide_password=False)
    with pytest.raises(BeckonError, match="newer Beckon"):
        open_store(url)


def test_a_repeated_question_is_planned_for_its_own_times(engine):
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite plans a query each time")
    with reading(engine).connect() as connection:
        for since_ms in range(20):  # prepared after five, with a plan for all after five more
            connection.execute(select(func.count()).where(EVENT.c.at_ms >= since_ms))
        plans = connection.execute(text(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements "
            "WHERE statement LIKE '%at_ms%'")).all()  # fmt: skip
    assert plans and all(generic == 0 and custom > 5 for generic, custom in plans)


def test_readers_do_not_wait_for_a_writer(engine):
    Writer(engine).write(Batch(events=[an_event(0)]))
    with engine.begin() as writing:
        writing.execute(text("DELETE FROM event"))
        with reading(engine).connect() as connection:
            assert connection.execute(select(func.count()).select_from(
                METADATA.tables["event"])).scalar() == 1  # fmt: skip


@pytest.mark.parametrize("text_", ["mysql://x/y", "http://me:secret@host", "nope://", "a://b@"])
def test_other_databases_are_refused_without_their_password(text_):
    with pytest.raises(BeckonError) as fault:
        store_url(text_)
    assert "secret" not in str(fault.value)


def test_a_store_that_cannot_be_opened_says_why(tmp_path):
    with pytest.raises(BeckonError, match="no folder"):
        open_store(str(tmp_path / "away" / "x.db"))
    (tmp_path / "text.db").write_text("this is not a database, but it is long enough for one" * 9)
    with pytest.raises(BeckonError, match="not a database"):
        open_store(str(tmp_path / "text.db"))
    with pytest.raises(BeckonError, match="no store .*new.db yet: start beckon collect first"):
        open_store(str(tmp_path / "new.db"), migrate=False)
    assert not (tmp_path / "new.db").exists()
    (tmp_path / "new.db").touch()
    with pytest.raises(BeckonError, match="lacks 3 migrations"):
        open_store(str(tmp_path / "new.db"), migrate=False)
    with pytest.raises(BeckonError) as fault:
        open_store("postgresql://me:secret@127.0.0.1:1/x")
    assert "postgresql://me:***@127.0.0.1:1/x" in str(fault.value)
    assert str(fault.value).endswith("Connection refused")
