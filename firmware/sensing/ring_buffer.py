"""The samples between sampler and recogniser: int16 frames with marked gaps.

    ring = RingBuffer(128)
    ring.push_fifo(raw, n)        # the sampler: n frames as they left the FIFO
    index = ring.read_into(row)   # the reader: ax ay az gx gy gz, or -1

One writer, one reader, no clock, nothing allocated after __init__. When the
reader is too slow the oldest frames are overwritten; they are counted and
become part of the gap in front of the next frame read, so the index of a frame
is always the number of sample periods since the first one.
"""
import sys
from array import array

import micropython
from micropython import const

_AXES = const(6)

# Places in the state that the decoding loop shares with the methods. None is
# ever negative: ptr32 loads are unsigned on 64-bit ports.
_HEAD = const(0)  # slot that the next frame goes to
_COUNT = const(1)  # frames waiting
_GAP = const(2)  # samples lost in front of the next frame pushed
_PASSED = const(3)  # periods overwritten since the last read: frames and their gaps
_OVERWRITTEN = const(4)  # frames overwritten, ever
_SIZE = const(5)

if sys.implementation.name == "micropython":

    @micropython.viper
    def _push_fifo(state: ptr32, data: ptr16, lost: ptr32, raw: ptr8, n: int):
        head = state[_HEAD]
        count = state[_COUNT]
        gap = state[_GAP]
        size = state[_SIZE]
        i = 0
        while n > 0:
            n -= 1
            if count == size:  # the oldest frame lies where this one goes
                k = _PASSED
                state[k] += lost[head] + 1
                k = _OVERWRITTEN
                state[k] += 1
            else:
                count += 1
            lost[head] = gap
            gap = 0
            j = head * _AXES
            stop = j + _AXES
            while j < stop:
                data[j] = (raw[i] << 8) | raw[i + 1]
                i += 2
                j += 1
            head += 1
            if head == size:
                head = 0
        # Stores go through a variable index: MicroPython 1.25 for Xtensa writes
        # the wrong register for a constant one above 0.
        k = _HEAD
        state[k] = head
        k = _COUNT
        state[k] = count
        k = _GAP
        state[k] = gap

else:  # CPython has no viper; the tests hold the two against each other

    def _push_fifo(state, data, lost, raw, n):
        for i in range(0, 12 * n, 12):
            head = state[_HEAD]
            if state[_COUNT] == state[_SIZE]:
                state[_PASSED] += lost[head] + 1
                state[_OVERWRITTEN] += 1
            else:
                state[_COUNT] += 1
            lost[head] = state[_GAP]
            state[_GAP] = 0
            for j in range(_AXES):
                v = raw[i + 2 * j] << 8 | raw[i + 2 * j + 1]
                data[_AXES * head + j] = v - 65536 if v & 0x8000 else v
            state[_HEAD] = (head + 1) % state[_SIZE]


class RingBuffer:
    """Up to `frames` frames of six int16 values, oldest first.

    Raises ValueError unless frames is a whole number from 1 to 8192.
    """

    def __init__(self, frames):
        if not isinstance(frames, int) or not 1 <= frames <= 8192:
            raise ValueError("frames must be a whole number from 1 to 8192, not %r" % (frames,))
        self._data = array("h", bytes(2 * _AXES * frames))
        self._lost = array("i", bytes(4 * frames))
        self._state = array("i", bytes(4 * 6))
        self._state[_SIZE] = frames
        self._size = frames
        self._index = -1
        self.lost = 0
        """Samples lost directly before the frame just read."""

    def __len__(self):
        return self._state[_COUNT]

    @property
    def overwritten(self):
        """Frames that the reader was too late for."""
        return self._state[_OVERWRITTEN]

    @micropython.native
    def push_fifo(self, raw, n):
        """Append n frames of 12 bytes from the start of raw: six big-endian int16.

        raw must hold them: viper checks no bounds.
        """
        _push_fifo(self._state, self._data, self._lost, raw, n)

    def copy_read(self, out):
        """Fill out, a memoryview of int16, with the frames that were read last, the oldest first.
        Those that were overwritten meanwhile are newer ones.
        """
        view = memoryview(self._data)
        end = _AXES * ((self._state[_HEAD] - self._state[_COUNT]) % self._size)
        begin = end - len(out)
        if begin < 0:
            out[:-begin] = view[begin + _AXES * self._size :]
            out[-begin:] = view[:end]
        else:
            out[:] = view[begin:end]

    def push(self, row):
        """Append one frame, six int16 in the order ax ay az gx gy gz."""
        state = self._state
        head = state[_HEAD]
        if state[_COUNT] == self._size:
            state[_PASSED] += self._lost[head] + 1
            state[_OVERWRITTEN] += 1
        else:
            state[_COUNT] += 1
        self._lost[head] = state[_GAP]
        state[_GAP] = 0
        data = self._data
        j = head * _AXES
        for i in range(_AXES):
            data[j + i] = row[i]
        head += 1
        state[_HEAD] = 0 if head == self._size else head

    def gap(self, lost):
        """Say that the next frame pushed comes `lost` sample periods late.

        Several calls before it add up.
        """
        self._state[_GAP] += lost

    def read_into(self, row):
        """Move the oldest frame into row[0:6]; return its index, or -1 if there is none.

        The index counts every sample period since the first frame, lost ones
        included. It stays a small integer up to 2^30: 124 days at 100 Hz.
        """
        state = self._state
        count = state[_COUNT]
        if not count:
            return -1
        slot = state[_HEAD] - count
        if slot < 0:
            slot += self._size
        lost = self._lost[slot] + state[_PASSED]
        data = self._data
        j = slot * _AXES
        row[0] = data[j]
        row[1] = data[j + 1]
        row[2] = data[j + 2]
        row[3] = data[j + 3]
        row[4] = data[j + 4]
        row[5] = data[j + 5]
        state[_PASSED] = 0
        state[_COUNT] = count - 1
        self.lost = lost
        index = self._index + lost + 1
        self._index = index
        return index

    def counters(self, into):
        """Add the ring's counters to the dict `into`."""
        into["ring_overwritten"] = self._state[_OVERWRITTEN]
