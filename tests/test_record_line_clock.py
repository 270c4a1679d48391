"""Live lines without time: pauses become gaps, bursts do not, and the rate stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.recording.line_clock import LineClock


def played(arrivals, rate_hz=100.0, piece_s=0.02, hz=None):
    """A clock after lines that came at these times, read every piece_s; and {line: index}."""
    clock = LineClock(hz or rate_hz, 0.0)
    found = {}
    at = 0
    now_s = 0.0
    while at < len(arrivals):
        now_s += piece_s
        end = int(np.searchsorted(arrivals, now_s, "right"))
        for index, lines in clock.feed(list(range(at, end)), now_s):
            found |= {line: index + k for k, line in enumerate(lines)}
        at = end
    for index, lines in clock.end():
        found |= {line: index + k for k, line in enumerate(lines)}
    return clock, found


def sent(seconds, *, rate_hz=100.0, pauses=()):
    """When each line is sent: none during the pauses (start_s, length_s)."""
    t = np.arange(1, round(seconds * rate_hz) + 1) / rate_hz
    for start_s, length_s in pauses:
        t = t[(t <= start_s) | (t > start_s + length_s)]
    return t


def stalled(t, start_s, length_s):
    """The same lines, none delivered during the stall; all of them at its end."""
    inside = (t > start_s) & (t <= start_s + length_s)
    return np.where(inside, start_s + length_s, t)


def test_three_seconds_without_a_line_are_a_gap_and_the_rate_stays():
    t = sent(11, pauses=[(4, 3)])
    clock, found = played(t)
    (pause,) = clock.pauses
    assert pause.lost == pytest.approx(300, abs=6) and pause.silence_s == pytest.approx(3, abs=0.1)
    assert clock.rate_hz == pytest.approx(100, rel=0.01)  # not 72.43
    assert len(found) == len(t)
    for line, index in found.items():
        assert index == pytest.approx(100 * t[line] - 1, abs=6)


def test_a_burst_after_a_stall_is_not_a_loss():
    clock, found = played(stalled(sent(11), 4, 3))
    assert clock.pauses == [] and found == {i: i for i in range(1100)}
    assert clock.rate_hz == pytest.approx(100, rel=0.01)


def test_lines_that_catch_up_slowly_are_not_a_loss():
    """A board that stood still sends what it has at the line's rate, here 1.5 times its own."""
    t = sent(20)
    late = np.maximum(t, 7 + (np.arange(2000) - 400) / 150)
    clock, found = played(np.where(t > 4, late, t))
    assert clock.pauses == [] and found == {i: i for i in range(2000)}


def test_of_a_burst_with_losses_nobody_knows_the_time():
    """A buffer that overflowed: 100 of 300 lines come at once."""
    t = stalled(sent(11), 4, 3)
    t = np.concatenate([t[:400], t[600:]])
    clock, found = played(t)
    (pause,) = clock.pauses
    assert pause.lost == pytest.approx(300, abs=8)
    assert set(range(400, 500)).isdisjoint(found)
    for line in range(502, len(t)):
        assert found[line] == pytest.approx(line + 200, abs=6)


def test_a_wrong_first_rate_is_refined():
    clock, _ = played(sent(60, rate_hz=101.3), hz=100.0)
    assert clock.rate_hz == pytest.approx(101.3, rel=0.002)
    assert clock.pauses == []


def test_a_late_piece_at_either_end_does_not_change_the_rate():
    t = stalled(stalled(sent(30), 0.0, 0.9), 29.0, 0.9)
    clock, _ = played(t)
    assert clock.rate_hz == pytest.approx(100, rel=0.003) and clock.pauses == []


def test_lines_still_held_at_the_end_come():
    clock, found = played(sent(7.2, pauses=[(4, 3)]))
    assert len(found) == 420 and clock.pauses[0].lost == pytest.approx(300, abs=6)
    assert not clock.held


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([10.0, 50.0, 100.0, 400.0]),
    st.lists(st.tuples(st.floats(1, 18), st.floats(0.3, 3), st.booleans()), max_size=3),
    st.sampled_from([0.01, 0.03]),
)
def test_time_holds_whatever_pauses_and_stalls(rate_hz, events, piece_s):
    """Each line that is handed on is where it was sampled, but for the time it may be late.

    Lines go on for a second after each event: what would have followed a last one is not known.
    """
    apart = sorted(e for e in events if e[0] + e[1] < 19)
    apart = [e for e, last in zip(apart, [None, *apart], strict=False)
             if last is None or e[0] > last[0] + last[1] + 1.5]  # fmt: skip
    true_s = sent(20, rate_hz=rate_hz)
    came_s = true_s
    for start_s, length_s, is_stall in apart:
        if is_stall:
            came_s = stalled(came_s, start_s, length_s)
        else:
            keep = (true_s <= start_s) | (true_s > start_s + length_s)
            true_s, came_s = true_s[keep], came_s[keep]
    clock, found = played(came_s, rate_hz=rate_hz, piece_s=piece_s)
    slack = 2.6 + 0.1 * rate_hz * max(1, len(apart))
    for line, index in found.items():
        assert abs(index - (rate_hz * true_s[line] - 1)) <= slack, (line, index)
    assert clock.rate_hz == pytest.approx(rate_hz, rel=0.03)
    if all(is_stall for *_, is_stall in apart):
        assert clock.pauses == []
