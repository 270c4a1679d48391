"""What the screen lets through to the ring, and what not."""
from array import array

import micropython

from sensing.frame_filter import FrameScreen
from sensing.ring_buffer import RingBuffer


def frame(*values):
    raw = bytearray()
    for v in values:
        raw += bytes(((v >> 8) & 0xFF, v & 0xFF))
    return raw


def noisy(k):
    return frame(k, -k, 4096 + k, 3 * k - 7, 5 - k, 11)


def frames(*ks):
    raw = bytearray()
    for k in ks:
        raw += noisy(k)
    return raw


def drain(ring):
    out = []
    row = array("h", bytes(12))
    while True:
        index = ring.read_into(row)
        if index < 0:
            return out
        out.append((index, ring.lost, row[0]))


def test_frames_that_differ_pass_at_once():
    ring = RingBuffer(16)
    screen = FrameScreen(ring, 8)
    assert screen.push_fifo(frames(1, 2, 3), 3)
    assert screen.push_fifo(frames(4), 1)
    assert drain(ring) == [(0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 0, 4)]
    assert (screen.passed, screen.dropped, screen.held) == (4, 0, 0)


def test_repeats_wait_for_a_different_frame():
    ring = RingBuffer(16)
    screen = FrameScreen(ring, 8)
    assert screen.push_fifo(frames(1, 2, 2, 2), 4)
    assert screen.held == 2
    assert [x[2] for x in drain(ring)] == [1, 2]
    assert screen.push_fifo(frames(2, 3), 2)
    assert drain(ring) == [(2, 0, 2), (3, 0, 2), (4, 0, 2), (5, 0, 3)]
    assert screen.held == 0 and screen.passed == 6


def test_a_frozen_output_is_not_handed_on():
    ring = RingBuffer(64)
    screen = FrameScreen(ring, 8)
    assert screen.push_fifo(frames(1, 2, 2, 2), 4)
    assert screen.push_fifo(frames(2, 2, 2), 3)
    assert not screen.push_fifo(frames(2, 2, 2, 2, 2), 5)
    assert [x[2] for x in drain(ring)] == [1, 2]
    assert screen.dropped == 10
    screen.begin()
    assert screen.push_fifo(frames(7), 1)
    assert drain(ring) == [(12, 10, 7)]


def test_a_frozen_output_is_one_of_limit_copies_and_not_of_one_less():
    for at_once in (True, False):
        ring = RingBuffer(64)
        screen = FrameScreen(ring, 8)
        assert screen.push_fifo(frames(1, 2), 2)
        if at_once:
            assert screen.push_fifo(frames(*[2] * 7), 7)
        else:
            for _ in range(7):
                assert screen.push_fifo(frames(2), 1)
        assert screen.held == 7
        assert not screen.push_fifo(frames(2), 1)
        assert (screen.held, screen.passed, screen.dropped) == (0, 2, 8)
    assert FrameScreen(ring, 2).push_fifo(frames(5, 5), 2)
    assert not FrameScreen(ring, 2).push_fifo(frames(5, 5, 5), 3)


def test_a_dead_output_is_one_of_sixteen_blank_frames_and_not_of_fifteen():
    ring = RingBuffer(64)
    screen = FrameScreen(ring, 8)
    blank = bytes(frame(*[-1] * 6))
    assert screen.push_fifo(frames(1) + blank * 15, 16)
    assert not screen.push_fifo(bytearray(blank) + frames(2), 2)  # nor is what follows believed
    assert (screen.passed, screen.dropped) == (1, 17)
    # A frame in between shows that the sensor lives.
    screen.begin()
    assert screen.push_fifo(bytearray(blank * 15) + frames(3, 3, 4) + blank * 15, 33)
    assert screen.push_fifo(frames(5), 1)
    assert drain(ring)[-1] == (51, 15, 5)


def test_blank_frames_become_gaps():
    ring = RingBuffer(64)
    screen = FrameScreen(ring, 8)
    assert screen.push_fifo(frames(1) + frame(*[0] * 6) + frame(*[-1] * 6) + frames(2), 4)
    assert drain(ring) == [(0, 0, 1), (3, 2, 2)]
    assert screen.dropped == 2
    stuck = bytes(frame(*[0] * 6)) * 8
    assert screen.push_fifo(stuck, 8)
    assert not screen.push_fifo(stuck, 8)
    screen.begin()
    assert screen.push_fifo(frames(3), 1)
    assert drain(ring) == [(20, 16, 3)]


def test_blank_frames_before_anything_else():
    ring = RingBuffer(64)
    screen = FrameScreen(ring, 8)
    assert screen.push_fifo(bytes(frame(*[0] * 6)) * 3 + frames(5), 4)
    assert drain(ring) == [(3, 3, 5)]


def test_every_frame_is_either_passed_held_or_a_gap():
    seed = 3
    ring = RingBuffer(1000)
    screen = FrameScreen(ring, 4)
    n = last = 0
    for _ in range(300):
        raw = bytearray()
        seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
        count = 1 + (seed >> 10) % 8
        for _ in range(count):
            seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
            what = (seed >> 9) % 8
            if what < 5:
                last += 1
                raw += noisy(last)
            elif what < 7:
                raw += noisy(last)
            else:
                raw += frame(*[9] * 6)
        n += count
        if not screen.push_fifo(raw, count):
            screen.begin()
        assert screen.passed + screen.dropped + screen.held == n
        if len(ring) > 900:
            drain(ring)
    out = drain(ring)
    # The index of a frame counts what was dropped before it.
    assert out[-1][0] == n - 1 - screen.held or screen.dropped


def test_counts_frames_at_the_end_of_the_range():
    ring = RingBuffer(16)
    screen = FrameScreen(ring, 8)
    raw = frame(32767, 0, 1, 2, 3, 4) + frame(0, 1, 2, 3, 4, -32768)
    raw += frame(32766, -32767, 0, 1, 2, 3) + frame(32767, -32768, 32767, 1, 2, 3)
    assert screen.push_fifo(raw, 4)
    assert screen.saturated == 3
    assert screen.passed == 4


def test_refuses_a_limit_that_would_drop_everything():
    try:
        FrameScreen(RingBuffer(1), 1)
    except ValueError as e:
        assert "limit" in str(e)
    else:
        raise AssertionError


def test_allocates_nothing():
    ring = RingBuffer(16)
    screen = FrameScreen(ring, 8)
    raw = frames(1, 2, 3, 4, 5, 6, 7, 8)
    micropython.heap_lock()
    try:
        for _ in range(4):
            assert screen.push_fifo(raw, 8)
    finally:
        micropython.heap_unlock()
    assert screen.passed == 32
