"""Events during outages: kept in flash, sent in order, with their true times."""

import json
import os
import signal

import pytest

from tests.link.host import Board, FakeBroker, Mosquitto, Subscriber, is_event, publication

COMMON = """
from events.event_log import EventSpool
from events.record_log import Spool
from ops.wall_clock import WallClock
from ops.uptime import uptime_ms
def open_spool():
    return EventSpool(Spool())
async def play(publisher, n, gap_ms):
    for i in range(n):
        publisher.post("circle", 90, i)
        await asyncio.sleep_ms(gap_ms)
"""

OUTAGE = COMMON + """
async def main():
    link = make_link()
    wall = WallClock()
    wall.set(1700000000000, uptime_ms())
    publisher = make_publisher(link, wall=wall, spool=open_spool)
    lag = Lag()
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await linked(link)
    await play(publisher, 5, 10)
    say(ready=True)
    while link.ready.is_set():
        await asyncio.sleep_ms(10)
    await play(publisher, 40, 5)
    say(**count(publisher))
    await linked(link)
    await play(publisher, 5, 10)
    left = await publisher.close(5000)
    say(left=left, **count(publisher, link, lag))
asyncio.run(main())
"""


def test_a_stopped_broker_costs_no_event(tmp_path):
    with Mosquitto(tmp_path) as mosquitto:
        with Board(OUTAGE, broker_port=mosquitto.port, cwd=tmp_path) as board:
            assert board.next() == {"ready": True}
            mosquitto.stop(signal.SIGKILL)
            during = board.next()
            assert during["spool_waiting"] == 40 and during["events_dropped"] == 0
            board.process.send_signal(signal.SIGSTOP)  # or it may be back before the subscriber
            mosquitto.start()
            with Subscriber(mosquitto.port) as subscriber:
                board.process.send_signal(signal.SIGCONT)
                after = board.next()
                subscriber.wait(lambda _: len(subscriber.events()) >= 45)
                events = subscriber.events()
    assert [event["seq"] for event in events] == list(range(5, 50))
    assert after["left"] == 0 and after["events_delivered"] == 50
    assert after["spool_waiting"] == 0 and os.listdir(tmp_path / "spool") == []
    times = [event["time"] for event in events]
    assert times == sorted(times) and times[0].startswith("2023-11-14T22:13")
    # The longer it waited, the larger is what it tells as its latency.
    assert events[0]["latency_ms"] > 40 * 5 > events[-1]["latency_ms"]
    print("loop lag us:", after["lag_us_p99"], after["lag_us_max"])


BOOT = COMMON + """
from ops.boot_number import next_boot
async def main():
    link = make_link()
    wall = WallClock()
    if settings().clock:
        wall.set(settings().clock, uptime_ms())
    publisher = make_publisher(link, boot=next_boot(), wall=wall, spool=open_spool, spooled=True)
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await play(publisher, 3, 20)
    await asyncio.sleep_ms(50)
    say(**count(publisher))
    await asyncio.sleep(600)
asyncio.run(main())
"""


def test_events_of_earlier_boots_come_first_with_their_own_times(tmp_path):
    for clock in (1700000010000, 0):
        with Board(BOOT, broker_port=1, cwd=tmp_path, clock=clock) as board:
            board.next()
            board.kill()  # the power goes
    with Mosquitto(tmp_path) as mosquitto, Subscriber(mosquitto.port) as subscriber:
        with Board(BOOT, broker_port=mosquitto.port, cwd=tmp_path, clock=1700000110000):
            subscriber.wait(lambda _: len(subscriber.events()) == 9)
        events = subscriber.events()
    assert [event["seq"] for event in events] == [0, 1, 2] * 3
    boots = [event["boot"] for event in events]
    assert boots == sorted(boots) and len(set(boots)) == 3
    assert events[0]["time"].startswith("2023-11-14T22:13")
    assert 99_000 <= events[0]["latency_ms"] < 160_000
    assert events[3]["time"] is None and events[3]["latency_ms"] is None
    assert events[6]["time"].startswith("2023-11-14T22:15")
    assert events[6]["latency_ms"] < 60_000


def test_a_flash_that_fails_leaves_the_queue_in_ram(tmp_path):
    script = COMMON + """
import os
class Broken(Spool):
    def append(self, record):
        raise OSError(28)
async def main():
    link = make_link()
    publisher = make_publisher(link, spool=lambda: EventSpool(Broken()))
    asyncio.create_task(publisher.run())
    await play(publisher, 20, 5)
    say(**count(publisher))
    asyncio.create_task(link.run())
    say(left=await publisher.close(5000), **count(publisher))
asyncio.run(main())
"""
    with Mosquitto(tmp_path) as mosquitto, Subscriber(mosquitto.port) as subscriber:
        with Board(script, broker_port=mosquitto.port, cwd=tmp_path) as board:
            before, after = board.next(), board.next()
        subscriber.wait(lambda _: len(subscriber.events()) == 6)
    assert before["events_queued"] == 6 and before["events_dropped"] == 14
    assert before["spool_faults"] >= 6
    assert after["left"] == 0 and after["events_delivered"] == 6


@pytest.mark.parametrize("answered", [True, False])
def test_events_during_a_silence_of_the_broker_are_kept_in_order(tmp_path, answered):
    """The first event's acknowledgement comes late, or only on the next connection."""
    script = COMMON + """
async def main():
    link = make_link()
    publisher = make_publisher(link, spool=open_spool)
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await linked(link)
    await play(publisher, 30, 5)
    say(**count(publisher))
    left = await publisher.close(5000)
    say(left=left, **count(publisher))
asyncio.run(main())
"""
    with FakeBroker() as broker, Board(script, broker_port=broker.port, cwd=tmp_path,
                                       response_timeout_ms=1000) as board:
        peer = broker.peer()
        peer.accept()
        kind, body = peer.serve(is_event)  # and no acknowledgement
        during = board.next()
        assert during["events_dropped"] == 0 and during["spool_waiting"] > 20
        seqs = [json.loads(publication(kind, body)[1])["seq"]]
        if answered:
            peer.acknowledge(kind, body)
        else:
            peer.close()
            peer = broker.peer()
            peer.accept()
        while len(set(seqs)) < 30:
            kind, body = peer.serve(is_event)
            seqs.append(json.loads(publication(kind, body)[1])["seq"])
            peer.acknowledge(kind, body)
        peer.serve(lambda kind, body: kind == 0xE0)
        after = board.next()
    assert seqs == list(range(30)) if answered else [0, *range(30)]
    assert after["left"] == 0 and after["spool_waiting"] == 0
    assert after["events_delivered"] == 30


def test_an_event_under_way_when_the_board_stops_is_kept(tmp_path):
    script = COMMON + """
async def main():
    link = make_link()
    publisher = make_publisher(link, spool=open_spool)
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await linked(link)
    publisher.post("circle", 90, 1)
    left = await publisher.close(600)
    say(left=left, **count(publisher))
asyncio.run(main())
"""
    with FakeBroker() as broker, Board(script, broker_port=broker.port, cwd=tmp_path) as board:
        peer = broker.peer()
        peer.accept()
        peer.serve(is_event)  # and no acknowledgement
        said = board.next()
    assert said["left"] == 0 and said["spool_waiting"] == 1
