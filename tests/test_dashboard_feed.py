"""One look at the store for all tabs; sentences of the store in the reader's language."""

import asyncio
import time

import pytest

pytest.importorskip("sqlalchemy", reason="the extra collect is not installed")

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from host_tools.dashboard import feed as feed_module
from host_tools.dashboard.feed import Feed
from host_tools.dashboard.stored import STEPS, stored
from host_tools.rollout.rules import Rules, stop_reason
from host_tools.store import queries, rollout_figures
from host_tools.store.database import open_store
from host_tools.store.messages import Batch, Event
from host_tools.store.pulse import Pulse
from host_tools.store.writer import Writer
from host_tools.studio.frame.language import speaking, tr
from tests.stores import KINDS, fresh_store

NOW = time.time_ns() // 10**6
EVER = queries.Filter(0, NOW + 86_400_000)


def an_event(seq, device="wand", gesture="circle"):
    return Event(device, 65540, seq, NOW, NOW, 25750, 4, gesture, "70", 93, 98, True)


@pytest.fixture
def engine(tmp_path):
    engine = open_store(str(tmp_path / "store.db"))
    yield engine
    engine.dispose()


@pytest.fixture
def asked(engine):
    """The queries that the store got."""
    found = []

    def take(connection, cursor, statement, *_):
        if statement != "BEGIN":
            found.append(statement)

    event.listen(engine, "before_cursor_execute", take)
    return found


def latest(device=""):
    return lambda connection: queries.latest(
        connection, queries.Filter(0, NOW + 86_400_000, device), 25)


@pytest.fixture(autouse=True)
def by_hand(monkeypatch):
    """The feed looks when a test says so."""
    monkeypatch.setattr(feed_module, "LOOK_S", 3600.0)


async def tabs_of(feed, count, question):
    """Tabs that have the first answer and wait for the next one."""
    first = [await feed.newer(question, 0) for _ in range(count)]
    waiting = [asyncio.create_task(feed.newer(question, a.version, 3600.0)) for a in first]
    while question.waiting < count:
        await asyncio.sleep(0.001)
    return waiting


@pytest.mark.parametrize("tabs", [1, 50])
def test_fifty_tabs_cost_as_much_as_one(engine, asked, tabs):
    async def look():
        feed, writer = Feed(engine), Writer(engine)
        question = feed.question("latest", "all", ask=latest(), every_s=0.0)
        waiting = await tabs_of(feed, tabs, question)
        await feed.look()
        del asked[:]
        for _ in range(10):
            await feed.look()
        assert len(asked) == 10  # the pulse alone: nothing was written
        writer.write(Batch([an_event(0)]))
        del asked[:]
        await feed.look()
        assert len(asked) == 2  # the pulse, and the question once
        answers = await asyncio.gather(*waiting)
        assert [[row.seq for row in a.value] for a in answers] == [[0]] * tabs
        del asked[:]
        await feed.look()
        assert asked == []  # nobody waits

    asyncio.run(look())


def test_many_filters_take_turns(engine, asked):
    async def look():
        feed, writer = Feed(engine), Writer(engine)
        questions = [feed.question("latest", f"d{i}", ask=latest(f"d{i}"), every_s=0.0)
                     for i in range(20)]
        waiting = [task for q in questions for task in await tabs_of(feed, 2, q)]
        writer.write(Batch([an_event(i, f"d{i}") for i in range(20)]))
        counts = []
        for _ in range(3):
            del asked[:]
            await feed.look()
            counts.append(sum("LIMIT" in text for text in asked))
        assert counts == [8, 8, 4]
        for i, answer in enumerate(await asyncio.gather(*waiting)):
            assert [row.device for row in answer.value] == [f"d{i // 2}"]

    asyncio.run(look())


def test_a_store_that_fails_is_said_and_heals(engine):
    async def look():
        broken = [True]

        def ask(connection):
            if broken:
                raise OperationalError("", {}, Exception("disk I/O error"))
            return 7

        feed = Feed(engine)
        question = feed.question("x", ask=ask)
        answer = await feed.newer(question, 0)
        assert (answer.value, answer.fault) == (None, "disk I/O error")
        waiting = asyncio.create_task(feed.newer(question, answer.version, 3600.0))
        await asyncio.sleep(0)
        await feed.look()
        assert not waiting.done()  # the same fault is not news
        broken.clear()
        await feed.look()
        assert (await waiting)[1:] == (7, "")

    asyncio.run(look())


def test_an_answer_comes_when_patience_ends(engine):
    async def look():
        feed = Feed(engine)
        question = feed.question("x", ask=lambda c: 1)
        first = await feed.newer(question, 0)
        assert await feed.newer(question, first.version, 0.01) == first

    asyncio.run(look())


@pytest.mark.parametrize("kind", KINDS)
def test_the_pulse_moves_with_what_others_write(kind, tmp_path, postgres):
    if kind == "postgresql" and postgres is None:
        pytest.skip("PostgreSQL is not installed")
    with fresh_store(kind, tmp_path, postgres) as url:
        ours, theirs = open_store(url), open_store(url)
        pulse, writer = Pulse(ours), Writer(theirs)
        before = pulse.read()
        for seq in range(3):
            writer.write(Batch([an_event(seq)]))
            assert (after := pulse.read()) != before
            before = after
        if kind == "sqlite":  # in PostgreSQL its own work can move it
            assert pulse.read() == before
        pulse.close()
        assert pulse.read() != before  # another connection counts for itself
        pulse.close()
        ours.dispose()
        theirs.dispose()


def test_what_the_store_says_in_english_is_shown_in_german():
    figures = rollout_figures.Figures(3, 5, 0.5, 1000, 30, 40, 9)
    said = stop_reason(Rules(), 3, {"missing": 2, "refused": 1}, figures, figures)
    assert stored(str(said)) == said  # in English as it is
    with speaking("de"):
        assert stored("".join(said)) == (
            "3 von 3 Geräten sind gescheitert (2 nicht zurück, 1 haben abgelehnt); die Regel "
            "erlaubt 5 %")
        assert stored("5 of 6 devices restarted without having been asked; the rule allows 1.5 "
                      "(before it would have been 0.2)").endswith("erlaubt 1,5 (vorher wären es "
                                                                  "0,2 gewesen)")
        assert stored("3 updated, 1 already") == "3 aktualisiert, 1 hatten es schon"
        assert stored("MemoryError: 4096 bytes") == "MemoryError: 4096 bytes"
        assert stored("") == ""
        assert stored("not back within 180 s") == "nicht zurück in 180 s"
        assert stored("in safe mode: sensor, 3") == "im abgesicherten Betrieb: sensor, 3"
        assert len({tr(word, about="devices") for word in STEPS.values()}) == len(STEPS)
