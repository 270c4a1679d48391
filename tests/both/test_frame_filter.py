"""What the filter lets through to the ring, and what not."""
from array import array

import micropython

from sensing.frame_filter import FrameFilter
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
    frames_filter = FrameFilter(ring, 8)
    assert frames_filter.push_fifo(frames(1, 2, 3), 3)
    assert frames_filter.push_fifo(frames(4), 1)
    assert drain(ring) == [(0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 0, 4)]
    assert (frames_filter.passed, frames_filter.dropped, frames_filter.held) == (4, 0, 0)


def test_repeats_wait_for_a_different_frame():
    ring = RingBuffer(16)
    frames_filter = FrameFilter(ring, 8)
    assert frames_filter.push_fifo(frames(1, 2, 2, 2), 4)
    assert frames_filter.held == 2
    assert [x[2] for x in drain(ring)] == [1, 2]
    assert frames_filter.push_fifo(frames(2, 3), 2)
    assert drain(ring) == [(2, 0, 2), (3, 0, 2), (4, 0, 2), (5, 0, 3)]
    assert frames_filter.held == 0 and frames_filter.passed == 6


def test_a_frozen_output_is_not_handed_on():
    ring = RingBuffer(64)
    frames_filter = FrameFilter(ring, 8)
    assert frames_filter.push_fifo(frames(1, 2, 2, 2), 4)
    assert frames_filter.push_fifo(frames(2, 2, 2), 3)
    assert not frames_filter.push_fifo(frames(2, 2, 2, 2, 2), 5)
    assert [x[2] for x in drain(ring)] == [1, 2]
    assert frames_filter.dropped == 10
    frames_filter.begin()
    assert frames_filter.push_fifo(frames(7), 1)
    assert drain(ring) == [(12, 10, 7)]


def test_an_output_is_frozen_at_the_limit_and_not_one_frame_before():
    for repeats, frozen in ((7, False), (8, True)):
        ring = RingBuffer(64)
        frames_filter = FrameFilter(ring, 8)
        assert frames_filter.push_fifo(frames(1), 1)
        for k in range(1, repeats):
            assert frames_filter.push_fifo(frames(1), 1), k
        assert frames_filter.push_fifo(frames(1), 1) is not frozen
        if not frozen:
            assert frames_filter.push_fifo(frames(2), 1)
            assert [x[0] for x in drain(ring)] == list(range(9))


def test_a_sensor_is_dead_at_sixteen_blank_frames_in_a_row():
    blank = frame(*[0] * 6)
    for blanks, dead in ((15, False), (16, True)):
        frames_filter = FrameFilter(RingBuffer(64), 8)
        for k in range(1, blanks):
            assert frames_filter.push_fifo(blank, 1), k
        assert frames_filter.push_fifo(blank, 1) is not dead
    frames_filter = FrameFilter(RingBuffer(64), 8)
    for _ in range(15):
        assert frames_filter.push_fifo(blank, 1)
    assert frames_filter.push_fifo(frames(1) + blank, 2)  # no longer in a row
    assert frames_filter.push_fifo(blank, 1)


def test_what_is_held_back_at_a_gap_becomes_part_of_it():
    ring = RingBuffer(64)
    frames_filter = FrameFilter(ring, 8)
    assert frames_filter.push_fifo(frames(1, 2, 2), 3)
    assert frames_filter.held == 1
    frames_filter.gap(3)
    assert frames_filter.held == 0 and frames_filter.dropped == 4
    assert frames_filter.push_fifo(frames(5), 1)
    assert drain(ring) == [(0, 0, 1), (1, 0, 2), (6, 4, 5)]


def test_blank_frames_become_gaps():
    ring = RingBuffer(64)
    frames_filter = FrameFilter(ring, 8)
    assert frames_filter.push_fifo(frames(1) + frame(*[0] * 6) + frame(*[-1] * 6) + frames(2), 4)
    assert drain(ring) == [(0, 0, 1), (3, 2, 2)]
    assert frames_filter.dropped == 2
    stuck = bytes(frame(*[0] * 6)) * 8
    assert frames_filter.push_fifo(stuck, 8)
    assert not frames_filter.push_fifo(stuck, 8)
    frames_filter.begin()
    assert frames_filter.push_fifo(frames(3), 1)
    assert drain(ring) == [(20, 16, 3)]


def test_blank_frames_before_anything_else():
    ring = RingBuffer(64)
    frames_filter = FrameFilter(ring, 8)
    assert frames_filter.push_fifo(bytes(frame(*[0] * 6)) * 3 + frames(5), 4)
    assert drain(ring) == [(3, 3, 5)]


def test_every_frame_is_either_passed_held_or_a_gap():
    seed = 3
    ring = RingBuffer(1000)
    frames_filter = FrameFilter(ring, 4)
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
        if not frames_filter.push_fifo(raw, count):
            frames_filter.begin()
        assert frames_filter.passed + frames_filter.dropped + frames_filter.held == n
        if len(ring) > 900:
            drain(ring)
    out = drain(ring)
    # The index of a frame counts what was dropped before it.
    assert out[-1][0] == n - 1 - frames_filter.held or frames_filter.dropped


def test_counts_frames_at_the_end_of_the_range():
    ring = RingBuffer(16)
    frames_filter = FrameFilter(ring, 8)
    raw = frame(32767, 0, 1, 2, 3, 4) + frame(0, 1, 2, 3, 4, -32768)
    raw += frame(32766, -32767, 0, 1, 2, 3) + frame(32767, -32768, 32767, 1, 2, 3)
    assert frames_filter.push_fifo(raw, 4)
    assert frames_filter.saturated == 3
    assert frames_filter.passed == 4


def test_refuses_a_limit_that_would_drop_everything():
    try:
        FrameFilter(RingBuffer(1), 1)
    except ValueError as e:
        assert "limit" in str(e)
    else:
        raise AssertionError


def test_allocates_nothing():
    ring = RingBuffer(16)
    frames_filter = FrameFilter(ring, 8)
    raw = frames(1, 2, 3, 4, 5, 6, 7, 8)
    micropython.heap_lock()
    try:
        for _ in range(4):
            assert frames_filter.push_fifo(raw, 8)
    finally:
        micropython.heap_unlock()
    assert frames_filter.passed == 32
