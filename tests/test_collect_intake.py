"""What strangers send is counted under the right name, and never raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.collect.intake import judge
from host_tools.store.messages import Diag, Event, Reject, State, Status

NOW = 1_763_634_400_000
GOOD = {"event_type": "circle", "confidence": 93, "label_confidence": 98, "seq": 4, "boot": 65540,
        "t_ms": 25750, "time": "2025-11-20T10:25:53.063Z", "latency_ms": 4, "model": "709cb702"}


def event(**changes):
    return json.dumps({**GOOD, **changes}).encode()


def judged(payload, topic="beckon/wand/event", retained=False, keep_ms=0):
    return judge(topic, payload, retained, NOW, keep_ms)


def test_an_event_keeps_what_it_says():
    assert judged(event()) == Event("wand", 65540, 4, 1763634353063, NOW, 25750, 4, "circle",
                                    "709cb702", 93, 98, True)


def test_without_a_clock_the_time_is_that_of_arrival_less_the_latency():
    made = judged(event(time=None, latency_ms=3000))
    assert (made.at_ms, made.timed) == (NOW - 3000, False)
    assert judged(event(time=None, latency_ms=None)).at_ms == NOW


def test_a_whole_float_becomes_an_integer():
    assert json.dumps(judged(event(seq=4.0)).seq) == "4"


@pytest.mark.parametrize("payload, reason", [
    (b"", "malformed"),
    (b"{", "malformed"),
    (b"\xff\xfe", "malformed"),
    (b"[" * 2000, "malformed"),
    (event(confidence=float("nan")), "malformed"),
    (event(event_type="a\0b"), "malformed"),
    (event(event_type="\ud800"), "malformed"),
    (b"9" * 2000, "schema"),
    (event(seq=10**30), "schema"),
    (event(seq=-1), "schema"),
    (event(event_type=""), "schema"),
    (event(time="yesterday"), "schema"),
    (event(time="2025-13-45T10:25:53.063Z"), "schema"),
    (json.dumps({k: v for k, v in GOOD.items() if k != "boot"}).encode(), "schema"),
    (event(event_type="x" * 250, more="y" * 2000), "oversized"),
    (event(time="2025-11-20T10:45:53.063Z"), "future"),
    (event(time="2001-11-20T10:25:53.063Z"), "stale"),
])  # fmt: skip
def test_bad_events_are_named(payload, reason):
    found = judged(payload)
    assert isinstance(found, Reject) and found.reason == reason, found
    assert found.payload == payload and found.size == len(payload)


def test_what_is_older_than_what_is_kept_is_not_stored_again():
    assert judged(event(), keep_ms=40_000).reason == "stale"
    assert isinstance(judged(event(), keep_ms=50_000), Event)


def test_a_retained_event_is_somebodys_replay():
    assert judged(event(), retained=True).reason == "replayed"


@pytest.mark.parametrize("topic", ["beckon/a b/event", "beckon/x/cmd/set", "beckon/x/y/event",
                                   "beckon/" + "x" * 33 + "/event", "other/x/event", "?"])
def test_only_topics_of_devices_count(topic):
    assert judged(event(), topic).reason == "topic"


def test_status_state_and_diagnostics():
    assert judged(b"online", "beckon/wand/status") == Status("wand", NOW, True)
    assert judged(b"offline", "beckon/wand/status", retained=True) == Status("wand", NOW, False)
    assert judged(b"asleep", "beckon/wand/status") == Status("wand", NOW, True)  # and well
    assert judged(b"", "beckon/wand/status", retained=True) is None  # taken back
    assert judged(b"away", "beckon/wand/status").reason == "schema"
    counters = {"boot": 65540, "uptime_ms": 5, "heap_free": 9, "heap_used": 8, "events_posted": 1,
                "events_dropped": 0, "rssi_dbm": -60}  # fmt: skip
    diag = judged(json.dumps(counters).encode(), "beckon/wand/diag")
    assert isinstance(diag, Diag) and diag.counters[0] == 5 and diag.counters[-2] == -60
    state = {"firmware": "0.1.0", "micropython": "1.27.0", "boot": 65540, "chip": "aa",
             "reset_cause": 1, "crash": "", "safe_mode": "", "model_taken_back": False,
             "settings_taken_back": False}  # fmt: skip
    one, other = (judged(json.dumps(dict(items)).encode(), "beckon/wand/state")
                  for items in (state.items(), reversed(state.items())))
    assert isinstance(one, State) and one.digest == other.digest


@given(st.sampled_from(["event", "state", "diag", "status"]), st.binary(max_size=60)
       | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(
           lambda value: json.dumps(value).encode()))  # fmt: skip
def test_nothing_raises(kind, payload):
    judged(payload, f"beckon/wand/{kind}")
