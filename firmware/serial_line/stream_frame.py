"""Frames for the serial line that carry samples: nothing lost or broken goes unnoticed.

    A5 5A | kind | length, uint16 | payload | CRC-16

Little-endian. The CRC is CRC-16/IBM-3740 (polynomial 0x1021, start 0xFFFF) over kind,
length and payload. Kind 1: index of the first sample, uint32, then up to 16 samples of
six int16, one sample period apart. Kind 2: a JSON object. A reader believes a frame only
when the next one's A5 5A follows it. Pure.
"""

import json
import sys
from array import array

import micropython
from micropython import const

_HEAD = const(5)
_AXES = const(6)
_MOST = const(16)  # samples per frame

if sys.implementation.name == "micropython":

    @micropython.viper
    def _crc(data: ptr8, start: int, stop: int) -> int:
        crc = 0xFFFF
        i = start
        while i < stop:
            x = (crc >> 8) ^ data[i]
            x ^= x >> 4
            crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xFFFF
            i += 1
        return crc

else:  # CPython has no viper; the tests hold the two against each other

    def _crc(data, start, stop):
        crc = 0xFFFF
        for byte in data[start:stop]:
            x = (crc >> 8) ^ byte
            x ^= x >> 4
            crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xFFFF
        return crc


class FrameWriter:
    """write: takes bytes and sends all of them, for instance sys.stdout.buffer.write."""

    def __init__(self, write):
        self._write = write
        self._row = array("h", bytes(2 * _AXES))
        self._buf = bytearray(_HEAD + 4 + 2 * _AXES * _MOST + 2)
        self._buf[0] = 0xA5
        self._buf[1] = 0x5A
        view = memoryview(self._buf)
        self._views = [view[: _HEAD + 4 + 2 * _AXES * n + 2] for n in range(_MOST + 1)]

    def samples(self, ring):
        """Send all that lies in ring, a RingBuffer. Allocates nothing."""
        row = self._row
        first = n = 0
        while True:
            index = ring.read_into(row)
            if n and (index != first + n or n == _MOST):
                self._send(first, n)
                n = 0
            if index < 0:
                return
            if not n:
                first = index
            self._put(row, n)
            n += 1

    @micropython.native
    def _put(self, row, n):
        buf = self._buf
        j = _HEAD + 4 + 2 * _AXES * n
        for i in range(_AXES):
            value = row[i]
            buf[j] = value & 0xFF
            buf[j + 1] = (value >> 8) & 0xFF
            j += 2

    def _send(self, first, n):
        buf = self._buf
        length = 4 + 2 * _AXES * n
        buf[2] = 1
        buf[3] = length
        buf[4] = 0
        for i in range(4):
            buf[_HEAD + i] = first & 0xFF
            first >>= 8
        self._close(buf, length)
        self._write(self._views[n])

    def info(self, values):
        """Send a dict."""
        payload = json.dumps(values).encode()
        length = len(payload)
        buf = bytearray(_HEAD + length + 2)
        buf[0] = 0xA5
        buf[1] = 0x5A
        buf[2] = 2
        buf[3] = length & 0xFF
        buf[4] = length >> 8
        buf[_HEAD : _HEAD + length] = payload
        self._close(buf, length)
        self._write(buf)

    def end(self):
        """Send what makes the last frame believed."""
        self._write(b"\xa5\x5a")

    def _close(self, buf, length):
        crc = _crc(buf, 2, _HEAD + length)
        buf[_HEAD + length] = crc & 0xFF
        buf[_HEAD + length + 1] = crc >> 8
