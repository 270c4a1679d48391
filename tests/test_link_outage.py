"""Events during outages: kept in flash, sent in order, with their true times."""

import json
import os
import signal

import pytest

from tests.link.host import Board, FakeBroker, Mosquitto, Subscriber, is_event, publication

OUTAGE = "link_outage.py"


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


BOOT = "link_next_boot.py"


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
    script = "link_broken_flash.py"
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
    script = "link_silence.py"
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
    script = "link_event_at_stop.py"
    with FakeBroker() as broker, Board(script, broker_port=broker.port, cwd=tmp_path) as board:
        peer = broker.peer()
        peer.accept()
        peer.serve(is_event)  # and no acknowledgement
        said = board.next()
    assert said["left"] == 0 and said["spool_waiting"] == 1
