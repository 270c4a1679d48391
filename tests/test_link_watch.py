"""Events as `beckon watch` prints them, and which are repeats."""

import time

import pytest

from host_tools.mqtt.events import Repeats, event_line, event_time_s, event_title
from host_tools.mqtt.subscriber import Message

EVENT = {"event_type": "circle", "confidence": 93, "seq": 412, "boot": 116365, "t_ms": 25750,
         "time": "2025-11-20T10:25:53.063Z", "latency_ms": 4, "model": "709cb702"}


def message(**changes):
    return Message("glove", "event", {**EVENT, **changes}, False, 0.0)


def test_an_event_that_waited_is_shown_with_the_time_at_which_it_was():
    line = event_line(message(latency_ms=7_200_000))
    assert line.split() == [time.strftime("%H:%M:%S", time.localtime(1763634353)), "glove",
                            "circle", "93", "%", "7200", "s"]
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
    repeats = Repeats()
    assert not repeats.seen(message())
    assert repeats.seen(message(latency_ms=9))
    assert not repeats.seen(message(seq=413))
    assert not repeats.seen(message(boot=1))
