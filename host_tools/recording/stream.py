"""Decode the frames of firmware/serial_line/stream_frame.py out of what a line delivers.

A frame is believed if its CRC-16 is right, its length is one that occurs, the sync of the
next frame follows it at once, and its samples come later than those before it. So a
flipped, lost or doubled byte costs samples, which are known to be lost from the index of
the next ones, and never makes a wrong one.
"""

import binascii
import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

SYNC = b"\xa5\x5a"
_HEAD = struct.Struct("<2sBH")
_SAMPLES, _INFO = 1, 2
_LENGTHS = frozenset(4 + 12 * n for n in range(1, 17))
_LONGEST_INFO = 2048
_LAST_INDEX = 1 << 30


@dataclass(frozen=True)
class Samples:
    """Consecutive samples. counts: int16 (n, 6), ax ay az gx gy gz; index: of the first."""

    index: int
    counts: np.ndarray


@dataclass(frozen=True)
class Info:
    """What the board tells about itself and its counters."""

    reported: dict[str, Any]


class Decoder:
    """skipped: bytes that belong to no good frame; refused: what began like a frame but
    is none."""

    def __init__(self) -> None:
        self._rest = b""
        self._next = 0
        self.skipped = 0
        self.refused = 0
        self.frames = 0

    def feed(self, data: bytes) -> list[Samples | Info]:
        """Take bytes in pieces of any size; returns the frames that are complete now."""
        buf = self._rest + data
        found: list[Samples | Info] = []
        at = 0
        while True:
            start = buf.find(SYNC, at)
            if start < 0:
                keep = 1 if buf.endswith(SYNC[:1]) else 0
                self.skipped += max(0, len(buf) - keep - at)
                at = max(at, len(buf) - keep)
                break
            self.skipped += start - at
            at = start
            if len(buf) - at < _HEAD.size:
                break
            _, kind, length = _HEAD.unpack_from(buf, at)
            if not self._possible(kind, length):
                self.skipped += 1
                at += 1
                continue
            end = at + _HEAD.size + length + 2
            if len(buf) < end + len(SYNC):
                break
            frame = self._read(kind, buf[at + 2 : end])
            if frame is None or buf[end : end + len(SYNC)] != SYNC:
                self.refused += 1
                self.skipped += 1
                at += 1
                continue
            if isinstance(frame, Samples):
                self._next = frame.index + len(frame.counts)
            found.append(frame)
            self.frames += 1
            at = end
        self._rest = buf[at:]
        return found

    @staticmethod
    def _possible(kind: int, length: int) -> bool:
        return length in _LENGTHS if kind == _SAMPLES else kind == _INFO and length <= _LONGEST_INFO

    def _read(self, kind: int, body: bytes) -> Samples | Info | None:
        """The frame in body, from its kind to its CRC, or None."""
        (crc,) = struct.unpack("<H", body[-2:])
        if binascii.crc_hqx(body[:-2], 0xFFFF) != crc:
            return None
        payload = body[3:-2]
        if kind == _INFO:
            try:
                found = json.loads(payload)
            except ValueError:
                return None
            return Info(found) if isinstance(found, dict) else None
        (index,) = struct.unpack_from("<I", payload)
        if not self._next <= index < _LAST_INDEX:
            return None
        return Samples(index, np.frombuffer(payload, "<i2", offset=4).reshape(-1, 6))
