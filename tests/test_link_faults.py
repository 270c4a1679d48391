"""The link against brokers and networks that misbehave, on real MicroPython."""

import json

import pytest

from tests.link.host import Board, FakeBroker, is_event, packet, publication, publish

QUICK_MS = 400  # response_timeout_ms, so that each timeout is met within the test

# Posts an event each time the host asks through cmd/post, and tells what came.
GLOVE = "link_faults.py"


@pytest.fixture
def broker():
    with FakeBroker() as broker:
        yield broker


@pytest.fixture
def board(broker):
    with Board(GLOVE, broker_port=broker.port, response_timeout_ms=QUICK_MS) as board:
        yield board


def tell(peer, board):
    """Ask the board for its counters over a good connection."""
    peer.send(publish(b"beckon/glove/cmd/tell", b""))
    return board.next()


def first_event(peer, repeated):
    """Serve until the first event and acknowledge it; its DUP flag must be as told."""
    peer.accept()
    kind, body = peer.serve(is_event)
    assert json.loads(publication(kind, body)[1])["event_type"] == "first"
    assert bool(kind & 8) == repeated
    peer.acknowledge(kind, body)


@pytest.mark.parametrize(
    "fault, told",
    [
        (lambda peer: peer.send(b"\x20\x02\0\x05"), "refuses this user"),
        (lambda peer: peer.send(b"\x20\x02\0\x04"), "refuses user or password"),
        (lambda peer: peer.send(b"\x20\x02\0\x63"), "code 99"),
        (lambda peer: peer.send(b"\x20\x02\0\x01"), "does not speak MQTT 3.1.1"),
        (lambda peer: peer.send(b"\x20\x03\0\x84\0"), "speaks MQTT 5 only"),
        (lambda peer: peer.send(b"\x20\x03\0\0\0"), "not an MQTT broker"),
        (lambda peer: peer.close(), "closed the connection"),
        (lambda peer: peer.close(reset=True), "closed the connection"),
        (lambda peer: None, "does not answer"),
        (lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not an MQTT broker"),
        (lambda peer: peer.send(b"\x20\xff\xff\xff\xff\x7f"), "not an MQTT broker"),
        (lambda peer: peer.send(b"\x20"), "does not answer"),
        (lambda peer: peer.send(b"\x00\x00"), "not an MQTT broker"),
    ],
)
def test_a_login_that_fails_is_told_and_tried_again(broker, board, fault, told):
    peer = broker.peer()
    assert peer.packet()[0] == 0x10
    fault(peer)
    again = broker.peer()
    first_event(again, repeated=False)
    tell(again, board)  # what was logged is read with it
    assert any(told in line for line in board.logs), board.logs


@pytest.mark.parametrize("reset", [False, True])
def test_an_event_without_acknowledgement_is_sent_again_as_a_repeat(broker, board, reset):
    peer = broker.peer()
    peer.accept()
    peer.serve(is_event)
    peer.close(reset)
    first_event(broker.peer(), repeated=True)


def test_a_broker_that_falls_silent_is_left(broker, board):
    peer = broker.peer()
    peer.accept()
    peer.serve(is_event)  # and never a word again
    again = broker.peer()
    first_event(again, repeated=True)
    assert tell(again, board)["link_timeouts"] == 1


@pytest.mark.parametrize("publishes, told", [
    (False, "another client uses the id glove"),
    (True, "when glove publishes; it is not allowed to"),
])
def test_a_link_that_ends_again_and_again_says_why(broker, board, publishes, told):
    for turn in range(4):
        peer = broker.peer()
        peer.accept()
        if turn and not publishes:
            peer.send(publish(b"beckon/glove/cmd/post", b""))
        kind, body = peer.serve(is_event)
        if not publishes:
            peer.acknowledge(kind, body)
            tell(peer, board)  # the acknowledgement has come
        peer.close()
    peer = broker.peer()
    peer.accept()
    tell(peer, board)
    assert any(told in line for line in board.logs), board.logs


BACK_OFF = """
from link import mqtt_link
pause_ms = mqtt_link.pause_ms
waits = []
def no_pause(failures, down_ms, brief):
    waits.append((failures, brief, pause_ms(failures, down_ms, brief)))
    if len(waits) == 10:
        say(waits=waits)
    return 0
mqtt_link.pause_ms = no_pause
asyncio.run(make_link().run())
"""


def test_a_link_that_does_not_live_is_tried_more_and_more_rarely(broker):
    with Board(BACK_OFF, broker_port=broker.port) as board:
        for _ in range(10):
            peer = broker.peer()
            peer.accept()
            peer.close()
        waits = board.next()["waits"]
    assert [(failures, brief) for failures, brief, _ in waits] == [(i, i + 1) for i in range(10)]
    assert max(ms for _, brief, ms in waits if brief < 8) <= 1500
    assert 7500 <= waits[-1][2] <= 15_000


def is_state(kind, body):
    return kind >> 4 == 3 and publication(kind, body)[0].endswith(b"/state")


def born(peer):
    """The board has logged in again and has said what it is."""
    peer.accept()
    peer.acknowledge(*peer.serve(is_state))


POST = publish(b"beckon/glove/cmd/post", b"")


def sends_no_event(peer, board, packet_id):
    tell(peer, board)
    tell(peer, board)  # by now it would have gone out, and so come before this answer
    peer.send(publish(b"beckon/glove/cmd/x", b"", qos=1, packet_id=packet_id))
    kind, _ = peer.serve(lambda kind, body: kind == 0x40 or is_event(kind, body))
    return kind == 0x40


def test_events_wait_for_home_assistant_after_a_broker_s_restart(broker):
    with Board(GLOVE, broker_port=broker.port, trigger_age_s=600) as board:
        first = broker.peer()
        first_event(first, repeated=False)  # nothing is expected back: it goes out at once
        first.send(publish(b"homeassistant/status", b"offline"))
        first.send(POST)
        assert sends_no_event(first, board, 5)
        first.send(publish(b"homeassistant/status", b"online", retain=1))  # of some time ago
        assert sends_no_event(first, board, 6)
        first.send(publish(b"homeassistant/status", b"online"))
        first.acknowledge(*first.serve(is_event))
        first.close()  # the broker restarts, and Home Assistant connects again, too
        again = broker.peer()
        born(again)
        again.send(POST)
        assert sends_no_event(again, board, 7)
        again.send(publish(b"homeassistant/status", b"online"))
        again.acknowledge(*again.serve(is_event))


def test_an_event_waits_only_as_long_as_it_can_trigger_something(broker):
    with Board(GLOVE, broker_port=broker.port, trigger_age_s=1):
        first = broker.peer()
        first_event(first, repeated=False)
        first.close()
        again = broker.peer()
        born(again)
        again.send(POST)
        again.acknowledge(*again.serve(is_event))


def test_only_its_own_acknowledgement_counts(broker, board):
    peer = broker.peer()
    peer.accept()
    kind, body = peer.serve(is_event)
    packet_id = publication(kind, body)[2]
    peer.send(b"\x40\x02\x77\x77" + b"\x40\x02\0\0")  # of nothing that is under way
    assert tell(peer, board)["events_delivered"] == 0
    peer.send(b"\x40\x02" + packet_id)
    peer.send(b"\x40\x02" + packet_id)  # twice
    tell(peer, board)  # may be read in one go with what is before it
    told = tell(peer, board)
    assert told["events_delivered"] == 1 and told["link_drops"] == 0


def test_packets_may_come_byte_by_byte_or_all_at_once(broker, board):
    peer = broker.peer()
    first_event(peer, repeated=False)
    for byte in publish(b"beckon/glove/cmd/slow", b"x" * 200, qos=1):
        peer.send(bytes([byte]))
    peer.send(b"".join(publish(b"beckon/glove/cmd/fast", b"y" * 100) for _ in range(50)))
    came = tell(peer, board)["came"]
    assert came[0] == ["beckon/glove/cmd/slow", 200, False]
    assert came[1:-1] == [["beckon/glove/cmd/fast", 100, False]] * 50


def test_an_incoming_message_is_acknowledged_once_taken(broker, board):
    peer = broker.peer()
    first_event(peer, repeated=False)
    peer.send(publish(b"beckon/glove/cmd/x", b"", qos=1, packet_id=0x1234, retain=1))
    kind, body = peer.serve(lambda kind, body: kind == 0x40)
    assert body == b"\x12\x34"
    assert tell(peer, board)["came"][0] == ["beckon/glove/cmd/x", 0, True]


def test_a_message_too_large_is_passed_over(broker, board):
    peer = broker.peer()
    first_event(peer, repeated=False)
    peer.send(publish(b"beckon/glove/cmd/large", b"x" * 300_000, qos=0))
    peer.send(publish(b"beckon/glove/cmd/small", b"y"))
    told = tell(peer, board)
    assert told["link_oversized"] == 1 and told["link_drops"] == 0
    assert [topic for topic, _, _ in told["came"]] == [
        "beckon/glove/cmd/small", "beckon/glove/cmd/tell"]


def test_a_fault_in_a_handler_costs_the_message_only(broker, board):
    peer = broker.peer()
    first_event(peer, repeated=False)
    peer.send(publish(b"beckon/glove/cmd/fail", b"", qos=1, packet_id=5))
    peer.serve(lambda kind, body: (kind, body) == (0x40, b"\0\x05"))
    told = tell(peer, board)
    assert told["link_handler_faults"] == 1 and told["link_drops"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        publish(b"beckon/glove/cmd/x", b"", qos=2),
        publish(b"beckon/glove/cmd/x", b"", qos=3),
        packet(0x30, b""),
        packet(0x30, b"\0"),
        packet(0x30, b"\xff\xffab"),
        packet(0x32, b"\0\x01a"),  # no room for the packet id
        packet(0x40, b""),
        packet(0x40, b"\0\x01\0"),
        packet(0x90, b"\0"),
        packet(0xD0, b"x"),
        packet(0x10, b""),
        packet(0xE0, b""),
        packet(0xF0, b""),
        b"\x30\x80\x80\x80\x80\x01",
    ],
    ids=lambda wrong: wrong[:6].hex(),
)
def test_what_a_broker_must_not_send_ends_the_connection_only(broker, board, wrong):
    peer = broker.peer()
    first_event(peer, repeated=False)
    peer.send(wrong)
    again = broker.peer()
    again.accept()
    again.acknowledge(*again.serve(lambda kind, body: kind >> 4 == 8))  # it subscribes again
    assert tell(again, board)["link_malformed"] == 1


def test_an_unanswered_ping_ends_the_connection(broker):
    with Board(GLOVE, broker_port=broker.port, response_timeout_ms=QUICK_MS,
               keepalive_s=1) as board:
        peer = broker.peer()
        body = peer.accept()
        assert body[8:10] == b"\0\x01"  # keepalive, MQTT 3.1.2.10
        for _ in range(3):
            assert peer.serve(lambda kind, body: kind == 0xC0) == (0xC0, b"")
            peer.send(b"\xd0\0")
        peer.serve(lambda kind, body: kind == 0xC0)
        again = broker.peer()
        again.accept()
        again.serve(lambda kind, body: kind >> 4 == 8)
        assert board.process.poll() is None


def test_hearing_alone_is_not_enough_to_keep_alive(broker):
    """A client must send within the keepalive, whatever it hears (MQTT 3.1.2.10)."""
    with Board(GLOVE, broker_port=broker.port, keepalive_s=1):
        peer = broker.peer()
        first_event(peer, repeated=False)
        peer.socket.settimeout(0.1)
        for _ in range(30):
            peer.send(publish(b"beckon/glove/cmd/x", b""))
            try:
                if peer.packet()[0] == 0xC0:
                    return
            except OSError:
                peer._stream = peer.socket.makefile("rb")
        raise AssertionError("no ping in 3 s")


def test_a_broker_that_does_not_read_is_left(broker):
    script = "link_deaf_broker.py"
    with Board(script, broker_port=broker.port, response_timeout_ms=QUICK_MS) as board:
        peer = broker.peer()
        peer.accept()
        told = board.next()
        assert told["link_timeouts"] == 1 and told["n"] > 10
        print("loop lag us:", told["lag_us_p99"], told["lag_us_max"])


def test_a_login_and_will_as_the_settings_say(broker):
    with Board(GLOVE, broker_port=broker.port, user="anna", password="g\u00e9heim"):
        body = broker.peer().accept()
    assert body == (b"\0\x04MQTT\x04\xee\0\x1e" + b"\0\x05glove" + b"\0\x13beckon/glove/status"
                    + b"\0\x07offline" + b"\0\x04anna" + b"\0\x07g\xc3\xa9heim")


def test_packet_ids_never_are_zero_nor_in_use(broker):
    script = "link_packet_ids.py"
    with Board(script, broker_port=broker.port) as board:
        peer = broker.peer()
        peer.accept()
        ids = []
        for _ in range(4):
            kind, body = peer.serve(lambda kind, body: kind == 0x32)
            ids.append(int.from_bytes(publication(kind, body)[2], "big"))
            if len(ids) < 4:
                peer.acknowledge(kind, body)
        kind, body = peer.serve(lambda kind, body: kind == 0x32)
        assert ids == [65534, 65535, 1, 65535]
        assert publication(kind, body)[2] == b"\0\x01"  # 65535 was still under way
        peer.acknowledge(kind, body)
        peer.send(b"\x40\x02\xff\xff")
        assert board.next() == {"done": True}


def test_lost_wifi_ends_the_connection_and_comes_back(broker):
    script = "link_lost_wifi.py"
    with Board(script, broker_port=broker.port) as board:
        broker.peer().accept()
        assert board.next() == {"up": False}
        broker.peer().accept()
        told = board.next()
        assert told["wifi_connects"] == 2 and told["link_connects"] == 2
    assert any("Wi-Fi" in line for line in board.logs)
