"""The ring buffer: order, gaps, overwriting, and no allocation."""
from array import array

import micropython

from sensing.ring_buffer import RingBuffer


def frame(k):
    """Twelve bytes and the six values in them, different for each k and of both signs."""
    values = [((k * 977 + axis * 5077) & 0xFFFF) - 32768 for axis in range(6)]
    raw = bytearray()
    for v in values:
        raw += bytes(((v >> 8) & 0xFF, v & 0xFF))
    return raw, values


def fifo(first, n):
    raw = bytearray()
    for k in range(first, first + n):
        raw += frame(k)[0]
    return raw


def test_decodes_every_byte_pattern_in_order():
    ring = RingBuffer(64)
    row = array("h", bytes(12))
    ring.push_fifo(fifo(0, 40), 40)
    for k in range(40):
        assert ring.read_into(row) == k
        assert list(row) == frame(k)[1], k
        assert ring.lost == 0
    assert ring.read_into(row) == -1


def test_extremes_keep_their_sign():
    ring = RingBuffer(1)
    row = array("h", bytes(12))
    ring.push_fifo(b"\x7f\xff\x80\x00\xff\xff\x00\x00\x00\x01\xff\x00", 1)
    assert ring.read_into(row) == 0
    assert list(row) == [32767, -32768, -1, 0, 1, -256]


def test_a_gap_belongs_to_the_next_frame_pushed():
    ring = RingBuffer(8)
    row = array("h", bytes(12))
    ring.push_fifo(fifo(0, 2), 2)
    ring.gap(3)
    ring.gap(4)
    ring.push_fifo(fifo(2, 2), 2)
    assert ring.read_into(row) == 0 and ring.lost == 0
    assert ring.read_into(row) == 1 and ring.lost == 0
    assert ring.read_into(row) == 9 and ring.lost == 7
    assert list(row) == frame(2)[1]
    assert ring.read_into(row) == 10 and ring.lost == 0


def test_overwritten_frames_become_the_gap_of_the_next_one_read():
    ring = RingBuffer(4)
    row = array("h", bytes(12))
    ring.gap(5)
    ring.push_fifo(fifo(0, 1), 1)
    ring.push_fifo(fifo(1, 6), 6)  # frames 0 (with its gap), 1 and 2 go
    assert ring.overwritten == 3
    assert len(ring) == 4
    assert ring.read_into(row) == 5 + 3
    assert ring.lost == 5 + 3
    assert list(row) == frame(3)[1]
    assert ring.read_into(row) == 9 and ring.lost == 0


def test_push_of_a_row_is_push_fifo_of_its_bytes():
    one, other = RingBuffer(3), RingBuffer(3)
    row = array("h", bytes(12))
    for k in range(7):
        one.push(frame(k)[1])
        other.push_fifo(frame(k)[0], 1)
        if k == 4:
            one.gap(2)
            other.gap(2)
    for _ in range(4):
        index = one.read_into(row)
        first = list(row), one.lost
        assert other.read_into(row) == index
        assert (list(row), other.lost) == first


def test_against_a_list_that_forgets_nothing():
    """Pseudo-random pushes, gaps and reads against the plainest model of it."""
    seed = 1
    for size in (1, 2, 5, 16):
        ring = RingBuffer(size)
        row = array("h", bytes(12))
        waiting = []  # (index, values)
        index = read = -1
        k = overwritten = 0
        for _ in range(400):
            seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
            what, n = (seed >> 8) % 5, (seed >> 12) % 4
            if what == 0:
                ring.gap(n)
                index += n
            elif what < 3:
                ring.push_fifo(fifo(k, n), n)
                for i in range(n):
                    index += 1
                    waiting.append((index, frame(k + i)[1]))
                k += n
                while len(waiting) > size:
                    waiting.pop(0)
                    overwritten += 1
            else:
                got = ring.read_into(row)
                if not waiting:
                    assert got == -1
                    continue
                want, values = waiting.pop(0)
                assert got == want
                assert list(row) == values
                assert ring.lost == want - read - 1
                read = want
            assert len(ring) == len(waiting)
            assert ring.overwritten == overwritten


def test_counts_what_it_overwrote():
    ring = RingBuffer(2)
    ring.push_fifo(fifo(0, 5), 5)
    into = {}
    ring.counters(into)
    assert into == {"ring_overwritten": 3}
    ring.push(frame(5)[1])
    assert ring.overwritten == 4


def test_nothing_is_lost_before_the_first_read():
    assert RingBuffer(2).lost == 0


def test_refuses_a_size_that_cannot_be():
    assert len(RingBuffer(8192)) == 0
    for bad in (0, -1, 8193, 2.5, "8", None):
        try:
            RingBuffer(bad)
        except ValueError as e:
            assert "8192" in str(e) and str(bad) in str(e)
        else:
            raise AssertionError(bad)


def test_allocates_nothing():
    ring = RingBuffer(16)
    row = array("h", bytes(12))
    raw = fifo(0, 8)
    micropython.heap_lock()
    try:
        for _ in range(5):
            ring.push_fifo(raw, 8)
            ring.gap(1)
            ring.push(row)
            ring.read_into(row)
    finally:
        micropython.heap_unlock()
    assert len(ring) == 15
