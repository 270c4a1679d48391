"""A link and a publisher on real MicroPython, against real brokers."""

import json

import pytest

from host_tools.mqtt.broker import embedded_broker
from host_tools.mqtt.event_fields import EVENT_FIELDS
from tests.link.host import Board, FakeBroker, Mosquitto, Subscriber, is_event, publication

TEN_EVENTS = "link_ten_events.py"


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker_port(request, tmp_path):
    if request.param == "mosquitto":
        with Mosquitto(tmp_path) as mosquitto:
            yield mosquitto.port
    else:
        with embedded_broker() as address:
            yield address.port


def test_events_arrive_in_order_with_all_their_keys(broker_port):
    with Subscriber(broker_port) as subscriber:
        with Board(TEN_EVENTS, broker_port=broker_port) as board:
            said = board.next()
        assert said["left"] == 0 and said["events_delivered"] == 10
        assert said["link_connects"] == 1 and said["link_drops"] == 0
        events = subscriber.wait(lambda _: len(subscriber.events()) == 10 and subscriber.events())
        assert [event["seq"] for event in events] == list(range(10))
        assert [event["t_ms"] for event in events] == list(range(0, 100, 10))
        assert [event["confidence"] for event in events] == list(range(90, 100))
        for event in events:
            assert event["event_type"] == ('circle "é"' if event["seq"] < 5 else "left")
            assert set(event) == {field.name for field in EVENT_FIELDS}
            assert event["boot"] == 7 and event["model"] == "m-1" and event["time"] is None
            assert isinstance(event["latency_ms"], int) and event["latency_ms"] >= 3
        assert subscriber.wait(lambda m: subscriber.payloads("/status")[-1:] == [b"offline"])
        assert subscriber.payloads("/status") == [b"online", b"offline"]
        (diag,) = subscriber.payloads("/diag")
        counters = json.loads(diag)
        assert counters["events_posted"] == 10 and counters["events_dropped"] == 0
        assert not any(isinstance(value, float) for value in counters.values())
        print("loop lag us:", counters["lag_us_p99"], counters["lag_us_max"])


def test_status_and_state_are_retained_and_events_are_not(tmp_path):
    with Mosquitto(tmp_path) as mosquitto:
        with Board(TEN_EVENTS, broker_port=mosquitto.port) as board:
            board.next()
        with Subscriber(mosquitto.port) as late:
            late.wait(lambda messages: len(messages) == 2)
            by_topic = {topic: (payload, retained) for topic, payload, retained in late.messages}
        assert by_topic["beckon/glove/status"] == (b"offline", True)
        state, retained = by_topic["beckon/glove/state"]
        assert retained and json.loads(state)["labels"] == ["idle", "circle"]


def test_the_broker_tells_when_the_board_is_gone(tmp_path):
    script = "link_one_event.py"
    with Mosquitto(tmp_path) as mosquitto, Subscriber(mosquitto.port) as subscriber:
        with Board(script, broker_port=mosquitto.port) as board:
            subscriber.wait(lambda _: subscriber.events())
            board.kill()
        subscriber.wait(lambda _: subscriber.payloads("/status") == [b"online", b"offline"])


def test_a_full_queue_drops_the_oldest_and_counts_it(tmp_path):
    script = "link_full_queue.py"
    with Mosquitto(tmp_path) as mosquitto, Subscriber(mosquitto.port) as subscriber:
        with Board(script, broker_port=mosquitto.port) as board:
            said = board.next()
        assert said["left"] == 0 and said["dropped"] == 20 - said["queued"] > 0
        subscriber.wait(lambda _: len(subscriber.events()) == said["queued"])
        assert [e["seq"] for e in subscriber.events()] == list(range(said["dropped"], 20))


def test_an_event_under_way_is_not_dropped():
    """The first is on its way when the queue overflows: it arrives, the next ones are dropped."""
    script = "link_event_under_way.py"
    with FakeBroker() as broker, Board(script, broker_port=broker.port) as board:
        peer = broker.peer()
        peer.accept()
        held = peer.serve(is_event)  # not acknowledged before the queue has overflowed
        full = board.next()
        assert full["events_posted"] == 9 == full["events_dropped"] + full["events_queued"]
        arrived = [held]
        peer.acknowledge(*held)
        for _ in range(full["events_queued"] - 1):
            arrived.append(peer.serve(is_event))
            peer.acknowledge(*arrived[-1])
        said = board.next()
    assert said["events_delivered"] + said["events_dropped"] == 9 and said["events_dropped"] == 3
    numbers = [json.loads(publication(*packet)[1])["seq"] for packet in arrived]
    assert numbers == [0, 4, 5, 6, 7, 8]


def test_close_without_a_broker_ends_in_time_and_tells():
    script = "link_close_without_broker.py"
    with Board(script, broker_port=1) as board:
        assert board.next() == {"left": 1}
    assert board.logs == ["no link: nothing listens at the broker's address and port"]
