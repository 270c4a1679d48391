"""What phones report, brought to our axes and onto an even grid: pure, on events as they come."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.errors import BeckonError
from host_tools.recording.phone.axes import (
    SignFinder,
    app_factor,
    from_android,
    from_page,
    up,
)
from host_tools.recording.phone.page_message import LONGEST_BYTES, MOST_EVENTS, parse
from host_tools.recording.phone.page_source import PhoneLink
from host_tools.recording.phone.pairing import Pairing
from host_tools.recording.phone.stamp_clock import StampClock, check_rate, measure
from host_tools.units import GRAVITY

# --- axes. A pose is (beta, gamma) of DeviceOrientationEvent and, in the phone's axes, which way
# is up. The poses are those of the specification's examples, and the two edges.
POSES = {
    "on its back": ((0, 0), (0, 0, 1)),
    "on its face": ((180, 0), (0, 0, -1)),
    "upright": ((90, 0), (0, 1, 0)),
    "upside down": ((-90, 0), (0, -1, 0)),
    "on its right edge": ((0, 90), (-1, 0, 0)),
    "on its left edge": ((0, -90), (1, 0, 0)),
    "leaning back": ((45, 0), (0, 0.7071, 0.7071)),
}


@pytest.mark.parametrize("pose", POSES)
def test_up_by_the_attitude(pose):
    angles, expected = POSES[pose]
    assert up(*angles) == pytest.approx(expected, abs=1e-4)


def reported(system, pose):
    """accelerationIncludingGravity at rest: iOS reports all axes the other way round."""
    return GRAVITY * np.array(POSES[pose][1], float) * (-1 if system == "ios" else 1)


@pytest.mark.parametrize("system", ["android", "ios"])
@pytest.mark.parametrize("claimed", ["android", "ios", "other"])
def test_the_sign_comes_from_the_attitude_whatever_the_browser_claims(system, claimed):
    finder = SignFinder()
    for pose in POSES:
        finder.add(reported(system, pose), POSES[pose][0])
    sign, source = finder.sign(claimed)
    assert (sign, source) == (-1.0 if system == "ios" else 1.0, "attitude")
    for pose, (_, expected) in POSES.items():
        (row,) = from_page(np.array([[*reported(system, pose), 10, -20, 30]]), sign)
        assert row == pytest.approx([*(GRAVITY * np.array(expected)), 10, -20, 30], abs=1e-3)


def test_without_attitude_the_system_decides():
    finder = SignFinder()
    for _ in range(50):
        finder.add(reported("ios", "on its back"), None)
        finder.add(np.array([0, 0, 30.0]), (0, 0))  # a movement says nothing about up
    assert finder.sign("ios") == (-1.0, "platform")
    assert finder.sign("android") == (1.0, "platform")


def test_an_attitude_that_does_not_fit_is_not_believed():
    finder = SignFinder()
    for pose in POSES:
        finder.add(reported("ios", pose), (0, 0))  # a browser that never updates it
    assert finder.sign("ios") == (-1.0, "platform")


def test_android_sensors_turn_in_radians():
    (row,) = from_android(np.array([[0.1, 0.2, 9.8, np.pi, 0, -np.pi / 2]]))
    assert row == pytest.approx([0.1, 0.2, 9.8, 180, 0, -90])


@pytest.mark.parametrize("rest, factor, said", [
    ((0.1, -0.2, 9.81), 1, ""),
    ((0.1, 0.2, -9.81), -1, "opposite signs"),
    ((0.01, -0.02, -0.99), -GRAVITY, "in g and with opposite signs"),
    ((0.01, 0.02, 1.0), GRAVITY, "in g"),
])  # fmt: skip
def test_an_app_on_its_back_shows_unit_and_sign(rest, factor, said):
    found, words = app_factor(np.tile(rest, (20, 1)), "the app")
    assert found == factor and said in words and bool(said) == bool(words)


@pytest.mark.parametrize("rest, word", [
    ((0, 9.81, 0), "lay the phone on its back"), ((0.0, 0.0, 0.02), "with gravity"),
    ((0, 0, 981), "neither"),
])  # fmt: skip
def test_an_app_that_shows_neither_is_refused(rest, word):
    with pytest.raises(BeckonError, match=word):
        app_factor(np.tile(rest, (20, 1)), "the app")


# --- time

def stamps_of(n, rate_hz=60.0, jitter=0.0, seed=0, start_s=1000.0):
    rng = np.random.default_rng(seed)
    return start_s + (np.arange(n) + rng.uniform(-jitter, jitter, n)) / rate_hz


def played(stamps_s, rate_hz=60.0, piece=5, late_s=0.01, clock=None, **options):
    """The clock after all stamps, in pieces, as they would come; and every index."""
    clock = clock or StampClock(rate_hz)
    index = [clock.feed(stamps_s[i : i + piece], stamps_s[min(i + piece, len(stamps_s)) - 1]
                        + late_s, **options) for i in range(0, len(stamps_s), piece)]
    return clock, np.concatenate(index)


@pytest.mark.parametrize("jitter", [0.0, 0.2, 0.35])
@pytest.mark.parametrize("off", [0.99, 1.0, 1.01])
def test_jitter_and_a_rate_that_is_a_little_off_make_no_gap(jitter, off):
    stamps = stamps_of(1500, 60 * off, jitter)
    clock, index = played(stamps)
    assert (clock.lost, clock.breaks, clock.refused) == (0, 0, 0)
    assert (index == np.arange(1500)).all()
    assert clock.rate_hz == pytest.approx(60 * off, rel=1e-3)


@pytest.mark.parametrize("jitter", [0.0, 0.15])
def test_lost_samples_are_counted_where_they_are_missing(jitter):
    stamps = stamps_of(3000, jitter=jitter)
    there = np.ones(3000, bool)
    for at, n in ((100, 1), (500, 2), (1000, 30), (2000, 300)):
        there[at : at + n] = False
    clock, index = played(stamps[there])
    assert clock.lost == 333 and clock.breaks == 0
    assert (index == np.flatnonzero(there)).all()
    assert clock.rate_hz == pytest.approx(60, rel=2e-3)


def test_a_stall_of_the_network_loses_nothing():
    clock = StampClock(60)
    stamps = stamps_of(600)
    clock.feed(stamps[:300], stamps[299])
    clock.feed(stamps[300:420], stamps[300] + 4)  # 2 s of samples, 4 s late, at once
    clock.feed(stamps[420:], stamps[599] + 4)
    assert (clock.lost, clock.breaks, clock.index) == (0, 0, 599)


@pytest.mark.parametrize("shift_s", [-5000.0, -0.3, 86400.0])
def test_time_that_jumps_becomes_a_gap_by_this_computers_clock(shift_s):
    stamps = stamps_of(600)
    clock = StampClock(60)
    clock.feed(stamps[:300], 50.0)
    index = clock.feed(stamps[300:] + shift_s, 50.5)
    assert clock.breaks == 1 and clock.lost == 30
    assert index[0] == 299 + 31 and (np.diff(index) == 1).all()


def test_after_sleep_the_gap_is_as_long_as_the_silence():
    """A page's clock may stand still while the phone sleeps: it says so."""
    stamps = stamps_of(600)
    clock = StampClock(60)
    clock.feed(stamps[:300], 50.0)
    assert clock.feed(stamps[300:], 70.0, restarted=True)[0] == 299 + 1 + 20 * 60
    assert clock.rate_hz == pytest.approx(60)


def test_a_restart_without_silence_is_still_a_gap_that_no_window_spans():
    clock = StampClock(60)
    clock.feed(stamps_of(10), 50.0)
    assert clock.feed(stamps_of(10), 50.0, restarted=True)[0] - 10 >= 0.1 * 60


def test_a_repeated_stamp_is_refused():
    stamps = np.repeat(stamps_of(100), 2)
    clock, index = played(stamps)
    assert clock.refused == 100 and (index[::2] == np.arange(100)).all() and (index[1::2] < 0).all()


@pytest.mark.parametrize("rate_hz, said", [(10, "10.0 samples per second, fewer than 45"),
                                           (30, "low-power mode"), (100, "from 60 to 100")])
def test_a_rate_that_changes_on_the_way_ends_it(rate_hz, said):
    clock, _ = played(stamps_of(300))
    with pytest.raises(BeckonError, match=said):
        played(stamps_of(400, rate_hz, start_s=1005.1), clock=clock)


def test_the_rate_is_measured_over_losses_and_too_slow_is_refused():
    stamps = stamps_of(120, 59.5, 0.1)
    assert measure(np.delete(stamps, [20, 50, 51])) == pytest.approx(59.5, rel=0.005)
    check_rate(measure(stamps_of(120, 45.2)), "x")
    with pytest.raises(BeckonError, match="10.0 samples per second"):
        check_rate(measure(stamps_of(20, 10)), "the phone")
    with pytest.raises(BeckonError, match="do not advance"):
        measure(np.full(100, 5.0))


@settings(max_examples=50)
@given(st.lists(st.floats(-1e10, 1e10), min_size=1, max_size=200), st.integers(1, 30))
def test_whatever_the_stamps_are_the_index_only_grows(stamps, piece):
    clock = StampClock(60)
    try:
        _, index = played(np.array(stamps), piece=piece, clock=clock)
    except BeckonError:
        return  # of a rate that changed
    known = index[index >= 0]
    assert (np.diff(known) > 0).all() and clock.index == known[-1]
    assert clock.lost == known[-1] + 1 - len(known)


# --- two streams

def stream(t, *columns):
    return np.column_stack([t, *columns])


def test_the_second_stream_is_read_at_the_firsts_times():
    ta, tg = np.arange(0, 10, 0.01), np.arange(-0.003, 10.1, 0.005)
    accel = stream(ta, np.sin(ta), np.cos(ta), ta)
    gyro = stream(tg, 3 * tg, np.sin(5 * tg), -tg)
    pairing, rows = Pairing(), []
    for i in range(100):
        rows.append(pairing.feed(accel[10 * i : 10 * i + 10], gyro[21 * i : 21 * i + 21]))
    rows = np.concatenate(rows)
    assert len(rows) > 990 and pairing.unpaired == 0
    assert (rows[:, :4] == accel[: len(rows)]).all()
    assert rows[:, 4] == pytest.approx(3 * rows[:, 0]) and rows[:, 5] == pytest.approx(
        np.sin(5 * rows[:, 0]), abs=1e-3)


def test_where_the_second_stream_pauses_nothing_is_made_up():
    t = np.arange(0, 5, 0.01)
    there = (t < 2) | (t > 3)
    pairing = Pairing()
    rows = pairing.feed(stream(t, t, t, t), stream(t, t, t, t)[there])
    assert ((rows[:, 0] < 2.01) | (rows[:, 0] > 2.99)).all() and pairing.unpaired > 90


def test_a_second_stream_that_ends_or_jumps_back_holds_nothing_for_long():
    pairing, t = Pairing(), np.arange(0, 1, 0.01)
    pairing.feed(stream(t, t, t, t), stream(t, t, t, t))
    for i in range(1, 20):
        assert not len(pairing.feed(stream(t + i, t, t, t), np.zeros((0, 4))))
    assert pairing.unpaired > 1700
    rows = pairing.feed(stream(t - 50, t, t, t), stream(t - 50, t, t, t))
    assert len(rows) == 100


# --- messages of the page

def message(**changes):
    return json.dumps({"page": "k3f9", "system": "android", "restarted": False,
                       "attitude": [12.5, -3.1], "dropped": 0,
                       "events": [[1000.5, 0.1, -0.2, 9.8, 1, 2, 3],
                                  [1017.2, 0.1, -0.2, 9.8, 1, 2, 3]]} | changes)


def test_a_message_of_the_page():
    found = parse(message())
    assert found.stamps_s == pytest.approx([1.0005, 1.0172]) and found.rows.shape == (2, 6)
    assert found.attitude == (12.5, -3.1) and not found.restarted
    no_gyro = parse(message(events=[[1, 0, 0, 9.8, None, None, None]], attitude=None))
    assert no_gyro.rows.shape == (1, 3) and no_gyro.attitude is None
    assert len(parse(message(events=[])).rows) == 0


EVENT = [1, 0, 0, 9.8, 1, 2, 3]


@pytest.mark.parametrize("text", [
    "", "[]", "null", "{}", '"x"', "{", "[" * 15000, message(page=""), message(page="<b>"),
    message(page=7), message(system="windows"), message(events=None), message(events=[1]),
    message(events=[EVENT[:6]]), message(events=[["1", *EVENT[1:]]]),
    message(events=[[True, *EVENT[1:]]]), message(events=[[1e300, *EVENT[1:]]]),
    message(events=[[1, 0, 0, 1e6, 1, 2, 3]]), message(events=[[1, 0, None, 9, 1, 2, 3]]),
    message(events=[[float("nan"), *EVENT[1:]]]), message(events=[[1, 0, 0, 9, 1, 2, 1e9]]),
    message(events=[EVENT] * (MOST_EVENTS + 1)), message(attitude=[1]),
    message(attitude=["a", 1]), message(attitude=[1, float("inf")]), message(dropped=-1),
    message(dropped=1.5), message() + " " * LONGEST_BYTES,
])  # fmt: skip
def test_what_the_page_does_not_send_is_refused(text):
    with pytest.raises(ValueError):
        parse(text)


@settings(max_examples=50)
@given(st.text(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(
        st.sampled_from(["page", "system", "events", "attitude", "dropped", "x"]), inner),
    max_leaves=30).map(json.dumps))
def test_nothing_but_valueerror_comes_of_any_text(text):
    try:
        parse(text)
    except ValueError:
        pass


def test_the_link_tells_how_the_phone_does():
    now = [100.0]
    link = PhoneLink(lambda: now[0])
    assert link.view().state == "waiting"
    link.take(parse(message()))
    assert (link.view().state, link.view().rate_hz) == ("sending", 0)
    link.take(parse(message(events=[[1e4 + 100 * i, 0, 0, 9.8, 0, 0, 0] for i in range(30)])))
    assert link.view().state == "slow"
    now[0] += 2
    assert link.view().state == "quiet"
    link.forget()
    assert link.view().state == "waiting"
