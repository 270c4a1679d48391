"""The windows of the last events: what is kept, and who gets it."""
import binascii
import struct
from array import array

from capture.event_windows import EventWindows
from sensing.ring_buffer import RingBuffer


class Imu:
    accel_lsb_per_g = 8192
    gyro_lsb_per_10_dps = 655
    period_us = 20000


class Signature:
    def __init__(self):
        self.checked = []

    def check(self, verb, payload, hmac):
        self.checked.append((verb, payload))
        if hmac != "good":
            raise ValueError("the HMAC is wrong")


def filled(ring, first, n):
    """Push n frames, whose values begin with their number, and read them."""
    row = array("h", bytes(12))
    for k in range(first, first + n):
        ring.push_fifo(struct.pack(">6h", k, -k, k + 1, 0, 1, -1), 1)
        ring.read_into(row)


def whole(windows, seq, signature):
    data = b""
    while True:
        answer = windows.answer({"seq": seq, "at": len(data), "hmac": "good"}, signature)
        data += binascii.a2b_base64(answer["data"])
        if len(data) == 12 * answer["frames"]:
            return answer, [
                struct.unpack_from("<6h", data, 12 * i) for i in range(answer["frames"])
            ]


def refusal(windows, signature, **arguments):
    try:
        windows.answer(arguments, signature)
    except ValueError as fault:
        return str(fault)
    return ""


def test_keeps_the_last_windows_and_no_more():
    ring = RingBuffer(128)
    windows = EventWindows(ring, Imu(), 100, 2, 7)
    signature = Signature()
    read = 0
    for seq in range(3):
        filled(ring, read, 90)  # so that a window lies around the ring's end
        read += 90
        ring.push_fifo(bytes(12 * 3), 3)  # not read yet
        windows.post("circle", 90, seq)
        row = array("h", bytes(12))
        for _ in range(3):
            ring.read_into(row)
        if seq:
            answer, frames = whole(windows, seq, signature)
            assert answer["boot"] == 7 and answer["frames"] == 100
            assert (answer["accel_lsb_per_g"], answer["gyro_lsb_per_10_dps"]) == (8192, 655)
            assert [f[0] for f in frames[10:]] == list(range(read - 90, read))
            assert frames[-1] == (read - 1, 1 - read, read, 0, 1, -1)
    assert "no window of event 0" in refusal(windows, signature, seq=0, at=0, hmac="good")
    assert signature.checked[0] == ("window", "1 0") and signature.checked[1] == ("window", "1 768")


def test_refuses_what_is_not_signed_or_not_there():
    windows = EventWindows(RingBuffer(64), Imu(), 64, 1, 7)
    signature = Signature()
    windows.post("circle", 90, 5)
    assert refusal(windows, signature, seq=5, at=0, hmac="bad") == "the HMAC is wrong"
    assert refusal(windows, signature, seq=5, at=0) == "the HMAC is wrong"
    for wrong in (None, -1, True, "5", 1.5):
        assert "whole numbers" in refusal(windows, signature, seq=wrong, at=0, hmac="good")
        if wrong is not None:
            assert "whole numbers" in refusal(windows, signature, seq=5, at=wrong, hmac="good")
    assert "has 768 bytes" in refusal(windows, signature, seq=5, at=768, hmac="good")
    assert "no window of event 4" in refusal(windows, signature, seq=4, at=0, hmac="good")
