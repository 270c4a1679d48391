"""Events as `beckon watch` prints them; which are repeats, and which are missing."""

import time

import pytest

from host_tools.mqtt.events import Arrivals, event_line, event_time_s, event_title, gap_line
from host_tools.mqtt.subscriber import Message

EVENT = {"event_type": "circle", "confidence": 93, "label_confidence": 98, "seq": 412,
         "boot": 116365, "t_ms": 25750,
         "time": "2025-11-20T10:25:53.063Z", "latency_ms": 4, "model": "709cb702"}


def message(**changes):
    return Message("glove", "event", {**EVENT, **changes}, False, 0.0)


def test_an_event_that_waited_is_shown_with_the_time_at_which_it_was():
    line = event_line(message(latency_ms=7_200_000))
    assert line.split() == [time.strftime("%H:%M:%S", time.localtime(1763634353)), "glove",
                            "circle", "93", "%", "98", "%", "7200", "s"]
    assert len(line) == len(event_title())


@pytest.mark.parametrize(
    "text", [None, "", "yesterday", 7, [], "2025-13-01T00:00:00Z", "0001-01-01T00:00:00",
             "9999-12-31T23:59:59Z", "2025-11-20T10:25:53.063Z" * 9, "\x1b[2J"], ids=str)
def test_without_a_time_that_of_arrival_is_shown(text):
    assert event_time_s(text) is None
    before = time.strftime("%H:%M:%S")
    clock = event_line(message(time=text)).split()[0]
    assert before <= clock <= time.strftime("%H:%M:%S") or before > "23:59"


def test_times_are_understood_with_any_offset():
    assert event_time_s(EVENT["time"]) == event_time_s("2025-11-20T11:25:53.063+01:00")
    assert event_time_s(EVENT["time"]) == pytest.approx(1763634353.063)


def test_payloads_from_strangers_neither_steer_the_terminal_nor_stop_the_watcher():
    line = event_line(message(event_type="\x1b[31mred\n", confidence="x", latency_ms=None))
    assert "\x1b" not in line and "\n" not in line
    assert "? %" in line and "? ms" in line


def test_repeats_are_known_by_device_boot_and_number():
    arrivals = Arrivals()
    assert not arrivals.take(message()).repeat
    assert arrivals.take(message(latency_ms=9)).repeat
    assert not arrivals.take(message(seq=413)).repeat
    assert not arrivals.take(message(boot=1)).repeat
    assert arrivals.take(message()).repeat and arrivals.take(message(seq=413)).repeat
    for number in (None, "7", True, -1):  # nothing to know it by
        assert not arrivals.take(message(seq=number)).repeat
        assert not arrivals.take(message(seq=number)).repeat


def taken(arrivals, *numbers, **changes):
    return [(a.repeat, a.missing) for a in
            (arrivals.take(message(seq=seq, **changes)) for seq in numbers)]


def test_numbers_that_are_left_out_are_missing_until_they_come():
    arrivals = Arrivals()
    assert taken(arrivals, 7, 8, 11) == [(False, 0), (False, 0), (False, 2)]
    assert gap_line(message(seq=11), 2).startswith("glove: 2 events did not arrive (no. 9 to 10)")
    assert "1 event did not arrive (no. 8)" in gap_line(message(seq=9), 1)
    assert taken(arrivals, 10, 10, 9, 12) == [(False, 0), (True, 0), (False, 0), (False, 0)]
    assert taken(arrivals, 3, 5, 7) == [(False, 0), (False, 0), (True, 0)]  # before it began
    # A start that began while we listened began with number 0.
    assert taken(arrivals, 0, boot=2) == [(False, 0)]
    assert taken(arrivals, 2, boot=3) == [(False, 2)]
    assert taken(arrivals, 13) == [(False, 0)]


def test_what_is_remembered_is_bounded():
    arrivals = Arrivals()
    assert taken(arrivals, 0, 10**9, 10**9 - 1, 5) == [
        (False, 0), (False, 10**9 - 1), (False, 0), (True, 0)]
    for boot in range(5000):
        taken(arrivals, 0, boot=boot)
    assert len(arrivals._starts) == 4096 and len(arrivals._current) == 1


def test_a_thousand_devices_do_not_push_each_other_out():
    arrivals = Arrivals()
    for turn in range(2):
        for device in range(1000):
            event = Message(f"d{device}", "event", EVENT, False, 0.0)
            assert arrivals.take(event).repeat == bool(turn)
