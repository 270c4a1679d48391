"""Two simulated boards, one without Wi-Fi: ESP-NOW between them, and MQTT at the gateway."""

import json

import pytest

from firmware.radio import now_frame
from host_tools.mqtt.broker import embedded_broker
from host_tools.simulator.radio import Air
from host_tools.testing.radio_board import RadioBoard
from tests.link.host import Subscriber
from tests.waiting import until

SENDER = bytes.fromhex("240ac4000001")
GATEWAY = bytes.fromhex("240ac4000002")
STRANGER = bytes.fromhex("240ac4000009")
SECRET = "0f" * 16
KEY, PMK, LMK = now_frame.keys(bytes.fromhex(SECRET))
LINK_KEY = (PMK + LMK).hex()


def text(mac):
    return ":".join(f"{byte:02x}" for byte in mac)


class Weather:
    """What happens to frames on their way; all of them are kept."""

    def __init__(self):
        self.seen = []
        self.lose = lambda kind: False

    def __call__(self, source, target, frame):
        kind = now_frame.kind_of(frame)
        self.seen.append((source, kind, frame))
        return [] if self.lose(kind) else [frame]

    def frames(self, kind):
        return [frame for _, one, frame in self.seen if one == kind]


class Pair:
    def __init__(self, sender, gateway, air, weather, events):
        self.sender, self.gateway, self.air, self.weather = sender, gateway, air, weather
        self._events = events

    def events(self):
        return [json.loads(payload) for payload in self._events.payloads("/wrist/event")]

    def counters(self):
        """Of the gateway, out of its next diag."""
        before = len(self._events.payloads("/hall/diag"))
        self.gateway.post("diag", 0)
        until(lambda: len(self._events.payloads("/hall/diag")) > before, self.gateway.last_words)
        return json.loads(self._events.payloads("/hall/diag")[-1])


@pytest.fixture(scope="module")
def pair():
    common = {"radio_key": SECRET}
    sender_settings = {**common, "device": "wrist", "radio": "espnow", "radio_peers": text(GATEWAY)}
    gateway_settings = {**common, "device": "hall", "radio": "gateway",
                        "radio_peers": f"{text(SENDER)}, {text(STRANGER)}"}  # fmt: skip
    with (embedded_broker() as broker, Subscriber(broker.port) as events,
          RadioBoard(gateway_settings, broker, speed=4) as gateway,
          RadioBoard(sender_settings, speed=4) as sender):  # fmt: skip
        weather = Weather()
        air = Air({SENDER: sender.radio_folder, GATEWAY: gateway.radio_folder},
                  {GATEWAY: 6}, weather)
        air.start()
        try:
            until(lambda: weather.frames(now_frame.WELCOME), sender.last_words)
            until(lambda: sender.says("sensor:"), sender.last_words)
            until(lambda: gateway.says("sensor:"), gateway.last_words)
            yield Pair(sender, gateway, air, weather, events)
        finally:
            air.close()


def test_the_sender_finds_the_channel_and_events_appear_under_its_name(pair):
    pair.sender.post("circle", 91)
    until(pair.events, pair.sender.last_words)
    (event,) = pair.events()
    assert event["event_type"] == "circle" and event["confidence"] == 91 and event["seq"] == 0
    assert event["label_confidence"] == 90 and len(event["model"]) == 8
    assert event["boot"] == pair.sender.diag()["boot"]
    assert event["time"] and 0 <= event["latency_ms"] < 60_000
    assert pair.sender.diag()["now_sent"] == 1


def test_an_answer_that_is_lost_costs_a_repeat_and_nothing_comes_twice(pair):
    lost = []

    def lose(kind):
        if kind == now_frame.ACK and len(lost) < 2:
            lost.append(kind)
            return True
        return False

    before = pair.counters()["now_repeated"]
    pair.weather.lose = lose
    pair.sender.post("x", 80)
    until(lambda: len(pair.events()) == 2 and len(lost) == 2, pair.sender.last_words)
    until(lambda: pair.sender.diag()["now_sent"] == 2, pair.sender.last_words)
    assert [event["seq"] for event in pair.events()] == [0, 1]
    assert pair.sender.diag()["now_repeats"] >= 2
    assert pair.counters()["now_repeated"] >= before + 2


def test_what_was_recorded_or_changed_is_counted_and_nothing_comes_of_it(pair):
    before = pair.counters()
    welcomes = len(pair.weather.frames(now_frame.WELCOME))
    recorded = pair.weather.frames(now_frame.EVENT)[0]
    hello = pair.weather.frames(now_frame.HELLO)[-1]
    changed = [bytearray(recorded) for _ in range(3)]
    for frame, at in zip(changed, (5, 40, len(recorded) - 1), strict=True):
        frame[at] ^= 1
    wrong = now_frame.keys(bytes(16))[0]
    nobody = b"\x24\x0a\xc4\x00\x00\x77"
    for source, frame, counter in (
        (SENDER, recorded, "now_repeated"),
        *((SENDER, bytes(frame), "now_refused") for frame in changed),
        (SENDER, now_frame.seal(wrong, now_frame.HELLO, bytes(8) + b"wrist"), "now_refused"),
        (SENDER, now_frame.seal(KEY, now_frame.HELLO, bytes(8) + b"hall"), "now_refused"),
        (SENDER, now_frame.seal(KEY, now_frame.HELLO, bytes(8) + b"a/b"), "now_refused"),
        (STRANGER, recorded, "now_refused"),  # it has no session
        (nobody, recorded, "now_strange"),
        (SENDER, bytes(250), "now_strange"),
    ):
        known = pair.counters()
        pair.air.deliver(source, GATEWAY, frame, LINK_KEY if source != nobody else "-")
        until(lambda: pair.counters()[counter] > known[counter], pair.gateway.last_words)  # noqa: B023
    pair.air.deliver(SENDER, GATEWAY, hello, LINK_KEY)  # a recorded one must not end what runs
    until(lambda: len(pair.weather.frames(now_frame.WELCOME)) > welcomes, pair.gateway.last_words)
    after = pair.counters()
    assert after["now_received"] == before["now_received"] and len(pair.events()) == 2
    pair.sender.post("y", 80)
    until(lambda: len(pair.events()) == 3, pair.sender.last_words)


def test_a_full_queue_drops_the_oldest_and_the_rest_comes_in_order(pair):
    # The gateway published the last event, but its answer may still be on the way: lost, it would
    # leave that event in the queue, too.
    until(lambda: pair.sender.diag()["now_queued"] == 0, pair.sender.last_words)
    pair.weather.lose = lambda kind: True
    for _ in range(11):
        pair.sender.post("circle", 80)
    until(lambda: pair.sender.diag()["now_dropped"] == 3, pair.sender.last_words)
    assert pair.sender.diag()["now_queued"] == 8
    until(lambda: pair.sender.diag()["now_searches"] >= 2, pair.sender.last_words)
    pair.weather.lose = lambda kind: False
    until(lambda: len(pair.events()) == 11, pair.sender.last_words)
    assert [event["seq"] for event in pair.events()[3:]] == list(range(6, 14))


def test_both_boards_have_gone_on(pair):
    for board in (pair.sender, pair.gateway):
        assert board.boots == 1 and board.returncode is None, board.last_words()
    assert pair.counters()["samples_lost"] == 0
    assert "radio" in json.dumps(pair.sender.says("state "))
