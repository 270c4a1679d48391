"""The frames of the serial stream, as bytes."""

import json
from array import array

from serial_line import stream_frame
from sensing.ring_buffer import RingBuffer


def sent(fill):
    out = []
    ring = RingBuffer(64)
    fill(ring)
    writer = stream_frame.FrameWriter(lambda data: out.append(bytes(data)))
    writer.samples(ring)
    return out


def push(ring, value):
    ring.push(array("h", (value, -1, 0, 256, -32768, 32767)))


def test_crc_is_the_published_one():
    data = b"..123456789.."  # CRC-16/IBM-3740: its check value is 29B1
    assert stream_frame._crc(data, 2, 11) == 0x29B1
    assert stream_frame._crc(data, 2, 2) == 0xFFFF


def test_one_frame_byte_by_byte():
    (frame,) = sent(lambda ring: push(ring, 5))
    body = b"\x01\x10\x00" + b"\0\0\0\0" + b"\x05\x00\xff\xff\x00\x00\x00\x01\x00\x80\xff\x7f"
    crc = stream_frame._crc(body, 0, len(body))
    assert frame == b"\xa5\x5a" + body + bytes((crc & 255, crc >> 8))


def test_a_gap_begins_a_new_frame_with_its_index():
    def fill(ring):
        for i in range(3):
            push(ring, i)
        ring.gap(1000)
        push(ring, 3)

    frames = sent(fill)
    assert [frame[3] for frame in frames] == [4 + 36, 4 + 12]
    assert [frame[5:9] for frame in frames] == [b"\0\0\0\0", b"\xeb\x03\0\0"]


def test_long_runs_are_divided():
    frames = sent(lambda ring: [push(ring, i) for i in range(40)])
    assert [(frame[3] - 4) // 12 for frame in frames] == [16, 16, 8]
    assert [frame[5] for frame in frames] == [0, 16, 32]


def test_nothing_waiting_sends_nothing():
    assert sent(lambda ring: None) == []


def test_infos_are_json():
    out = []
    writer = stream_frame.FrameWriter(lambda data: out.append(bytes(data)))
    writer.info({"accel_g": 8, "text": "x" * 300})
    writer.end()
    frame, end = out
    length = frame[3] | frame[4] << 8
    assert frame[:3] == b"\xa5\x5a\x02" and length > 255
    assert json.loads(str(frame[5 : 5 + length], "utf-8"))["accel_g"] == 8
    assert end == b"\xa5\x5a"


def test_sending_samples_allocates_nothing():
    import micropython

    if not hasattr(micropython, "heap_lock"):
        return  # CPython
    ring = RingBuffer(64)
    count = array("i", (0,))

    def write(data):
        count[0] += len(data)

    writer = stream_frame.FrameWriter(write)
    for i in range(30):
        push(ring, i)
    micropython.heap_lock()
    try:
        writer.samples(ring)
    finally:
        micropython.heap_unlock()
    assert count[0] == 2 * 11 + 30 * 12
