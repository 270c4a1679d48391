"""The samples of the last events, kept in RAM, and the command `window` that asks for one.

    {"seq": 412, "at": 0, "hmac": ".."} -> {"boot": .., "frames": 64, "at": 0, "data": "base64", ..}

The HMAC (commands/signature.py) is over "SEQ AT". data: int16, little endian, six to a frame, the
oldest first, from byte `at` on. Loaded only if the setting keep_windows asks for it.
"""

import binascii
from array import array

from micropython import const

_AXES = const(6)
_ANSWER_BYTES = const(768)  # of data; the link takes 1,500 with all around it


class EventWindows:
    """ring: RingBuffer. imu: says the scales. frames: of a window, at most the ring's. number: of
    events. boot: of this start.

    An output of the publisher, see Publisher.outputs: it is called before the recogniser reads on.
    """

    def __init__(self, ring, imu, frames, number, boot):
        self._ring = ring
        self._imu = imu
        self._frames = frames
        self._boot = boot
        self._data = array("h", bytes(2 * _AXES * frames * number))
        self._view = memoryview(self._data)
        self._seqs = array("i", [-1] * number)
        self._next = 0

    def post(self, label, confidence, seq):
        """Keep the frames that were read last."""
        frames = self._frames
        at = self._next
        self._ring.copy_read(self._view[_AXES * frames * at : _AXES * frames * (at + 1)])
        self._seqs[at] = seq
        self._next = (at + 1) % len(self._seqs)

    def answer(self, arguments, signature):
        """The part of a window that a command asks for. Raises ValueError."""
        seq, at = arguments.get("seq"), arguments.get("at", 0)
        for value in (seq, at):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError("seq and at must be whole numbers")
        signature.check("window", "%d %d" % (seq, at), arguments.get("hmac"))
        slot = 0
        while self._seqs[slot] != seq:
            slot += 1
            if slot == len(self._seqs):
                raise ValueError("no window of event %d is kept" % seq)
        size = 2 * _AXES * self._frames
        if at >= size:
            raise ValueError("this window has %d bytes" % size)
        begin = size * slot + at
        end = begin + min(_ANSWER_BYTES, size - at)
        data = bytes(self._view[begin // 2 : end // 2])
        imu = self._imu
        return {
            "boot": self._boot,
            "seq": seq,
            "frames": self._frames,
            "at": at,
            "data": str(binascii.b2a_base64(data), "utf-8").strip(),
            "accel_lsb_per_g": imu.accel_lsb_per_g,
            "gyro_lsb_per_10_dps": imu.gyro_lsb_per_10_dps,
            "period_us": imu.period_us,
        }
