"""A board that has run for months: clocks that wrapped, numbers that became objects."""

import time
from array import array

if not hasattr(time, "ticks_ms"):  # CPython
    time.ticks_ms = lambda: 0
    time.ticks_diff = lambda end, start: end - start

from commands.signature import Signature, signed_text
from ops import uptime
from sensing.ring_buffer import RingBuffer
from sensing.sample_clock import SampleClock

DAY_MS = 86_400_000
WRAP = 0x3FFFFFFF


def ticks_diff(end, start):
    """As on a board; MicroPython's Unix port of 64 bits wraps later."""
    return (end - start + (1 << 29)) % (1 << 30) - (1 << 29)


class Days:
    """ticks_ms() of a board, moved on by hand."""

    def __init__(self):
        self.ms = WRAP - 5000

    def __enter__(self):
        self._before = uptime.ticks_ms, uptime.ticks_diff, uptime._ticks, uptime._ms
        uptime.ticks_diff = ticks_diff
        uptime.ticks_ms = lambda: self.ms & WRAP
        uptime._ticks = self.ms
        uptime._ms = 0
        return self

    def __exit__(self, *exception):
        uptime.ticks_ms, uptime.ticks_diff, uptime._ticks, uptime._ms = self._before

    def wait(self, ms):
        """As a board does, it looks at its uptime each minute; here, twice a day."""
        while ms > 0:
            step = min(ms, DAY_MS // 2)
            self.ms += step
            ms -= step
            uptime.uptime_ms()


def test_uptime_does_not_wrap():
    with Days() as days:
        for day in range(1, 120):
            days.wait(DAY_MS)
            assert uptime.uptime_ms() == day * DAY_MS


def test_a_nonce_dies_after_two_minutes_and_stays_dead():
    """A broker can hold a signed command back, and its clock, ticks_ms(), comes round."""
    after = (119_000, True), (121_000, False), (7 * DAY_MS, False), (13 * DAY_MS, False)
    for ms, lives in after:
        with Days() as days:
            signature = Signature("wand", "key")
            nonce = signature.nonce()
            days.wait(ms)
            assert (signature.nonce() == nonce) == lives, ms
    assert b"wand" in signed_text("set", "wand", nonce, "")


def test_the_index_of_a_sample_may_be_of_any_size():
    """2^30 samples are 124 days at 100 Hz, 2^31 twice as many."""
    ring = RingBuffer(4)
    row = array("h", bytes(12))
    expected = -1
    for lost in ((1 << 30) - 4, 0, 0, 0, 0, (1 << 30) - 4, 0, 0, 0, 0, 5, 0):
        ring.gap(lost)
        ring.push_fifo(bytes(range(24)), 2)
        assert ring.read_into(row) == expected + lost + 1
        assert ring.lost == lost
        assert ring.read_into(row) == expected + lost + 2
        expected += lost + 2
    assert expected > 1 << 31


def test_samples_keep_their_times():
    """Past 2^30 samples, and while ticks_us() comes round."""
    clock = SampleClock(10_000)
    first = (1 << 30) - 500
    now = WRAP - 1_000_000
    clock.start(first, now, now + 100, now - 9_000)
    for k in range(1, 1000):
        at = now + 10_000 * k
        assert clock.look(at & WRAP, (at + 100) & WRAP, first + k) == 0
        assert abs(clock.age_us(first + k, (at + 100) & WRAP)) < 10_000
        assert abs(clock.t_ms(first + k) - clock.t_ms(first) - 10 * k) <= 11
    assert clock.index > 1 << 30
