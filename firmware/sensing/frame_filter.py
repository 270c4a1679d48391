"""Between FIFO and ring: lets through what a working sensor can have measured.

Real frames differ, if only by noise. A frame that equals the one before is
therefore held back until a different one follows; if none does for `limit`
frames the output is frozen, and none of them is handed on. (Recordings by coarser
sensors do repeat frames, which is why a few are not yet a fault.) A frame
whose six values are all the same comes from a dead sensor or a dead bus and is
never handed on. Values at the end of the range are true but cut: they pass, counted.
"""
import sys
from array import array

import micropython
from micropython import const

_BYTES = const(12)
_WORDS = const(6)
_BLANK_LIMIT = const(16)

if sys.implementation.name == "micropython":

    @micropython.viper
    def _plain(raw: ptr16, start: int, n: int, last: ptr16, saturated: ptr32) -> int:
        """How many frames from `start` on, up to n, differ from the one before and
        are not all-equal; those at the end of the range are added to saturated[0].

        Words are compared as they lie, high byte first: a little-endian board
        reads 0x7FFF as 0xFF7F.
        """
        word = 0
        frame = raw
        before = last
        k = start
        frame = ptr16(uint(raw) + k * _BYTES)
        while k < n:
            word = frame[0]
            if word == before[0]:
                i = 1
                while i < _WORDS and frame[i] == before[i]:
                    i += 1
                if i == _WORDS:
                    break  # a repeat
            if word == frame[1]:
                i = 2
                while i < _WORDS and frame[i] == word:
                    i += 1
                if i == _WORDS:
                    break  # all equal
            i = 0
            while i < _WORDS:
                word = frame[i]
                if word == 0xFF7F or word == 0x0080:
                    saturated[0] += 1
                    i = _WORDS
                i += 1
            before = frame
            frame = ptr16(uint(frame) + _BYTES)
            k += 1
        if k > start:
            i = 0
            while i < _WORDS:
                last[i] = before[i]
                i += 1
        return k - start

else:  # CPython has no viper; the tests hold the two against each other

    def _plain(raw, start, n, last, saturated):
        k = start
        while k < n:
            frame = raw[_BYTES * k : _BYTES * (k + 1)]
            words = [frame[i] << 8 | frame[i + 1] for i in range(0, _BYTES, 2)]
            if bytes(frame) == bytes(last) or len(set(words)) == 1:
                break
            saturated[0] += 0x7FFF in words or 0x8000 in words
            last[:] = frame
            k += 1
        return k - start


class FrameFilter:
    """Hands frames on to `ring`. limit: equal frames in a row that mean a frozen output."""

    def __init__(self, ring, limit):
        if limit < 2:
            raise ValueError("limit must be at least 2, not %r" % (limit,))
        self._ring = ring
        self._limit = limit
        self._last = bytearray(_BYTES)
        self._saturated = array("i", (0,))
        self._blanks = 0
        self.held = 0
        """Frames that wait for a different one: copies of the last one handed on."""
        self.passed = 0
        """Frames handed on."""
        self.dropped = 0
        """Samples lost or not handed on; the ring has a gap for each."""

    @property
    def saturated(self):
        """Frames with a value at the end of the range."""
        return self._saturated[0]

    @micropython.native
    def push_fifo(self, raw, n):
        """Judge n frames of 12 bytes from the start of raw; False if the output is stuck."""
        if not self.held:
            plain = _plain(raw, 0, n, self._last, self._saturated)
            if plain == n:
                self._ring.push_fifo(raw, n)
                self.passed += n
                self._blanks = 0
                return True
        return self._one_by_one(memoryview(raw), n)

    def _one_by_one(self, raw, n):
        ring = self._ring
        for k in range(n):
            frame = raw[_BYTES * k : _BYTES * (k + 1)]
            if bytes(frame) == self._last and (self.held or self.passed):
                self.held += 1
                if self.held >= self._limit:
                    return self._stuck(n - k - 1)
            elif bytes(frame) == bytes(frame[:2]) * 6:
                self.give_up()
                ring.gap(1)
                self.dropped += 1
                self._blanks += 1
                if self._blanks >= _BLANK_LIMIT:
                    return self._stuck(n - k - 1)
            else:
                while self.held:
                    ring.push_fifo(self._last, 1)
                    self.passed += 1
                    self.held -= 1
                _plain(frame, 0, 1, self._last, self._saturated)
                self._last[:] = frame
                ring.push_fifo(frame, 1)
                self.passed += 1
                self._blanks = 0
        return True

    def _stuck(self, more):
        self.gap(more)
        return False

    def give_up(self):
        """What is held back will not be vouched for: it becomes a gap."""
        self._ring.gap(self.held)
        self.dropped += self.held
        self.held = 0

    def gap(self, lost):
        """So many samples were lost; the gap lies behind what is held back."""
        self.give_up()
        self._ring.gap(lost)
        self.dropped += lost

    def begin(self):
        """The sensor has been started again: nothing is stuck yet."""
        self.give_up()
        self._blanks = 0
