"""What the board knows across a deep sleep: bytes for RTC memory, with a CRC-32. Pure.

A brown-out leaves anything in there. unpack() takes only what pack() made, whole.
"""

import binascii
import struct

from micropython import const

from events.event import Event
from events.event_log import pack as pack_event
from events.event_log import unpack as unpack_event

# Magic with a version, counters, time of day and of the RTC when it fell asleep, events.
_HEAD = "<H5IqqB"
_MAGIC = const(0xBE01)
_NOTE = b"\x02\xbe"  # what early.py needs lies in front
_NOTE_BYTES = const(14)
_MOST_BYTES = const(2048)  # that RTC memory takes


class SleepRecord:
    """light, deep, by_motion, by_timer, slept_s: counts of sleeps and of what ended them, and
    their length. rtc_us: time.time_ns() // 1000 when it fell asleep, unix_ms: time of day then, 0
    if not known. events: those that neither the broker nor flash had taken.
    """

    def __init__(self):
        self.light = self.deep = self.by_motion = self.by_timer = self.slept_s = 0
        self.unix_ms = self.rtc_us = 0
        self.events = []

    def pack(self, beside=0):
        """As bytes. What does not fit of the events, the oldest, is left out. beside: bytes of
        RTC memory that others need.
        """
        packed = b""
        count = 0
        most = _MOST_BYTES - struct.calcsize(_HEAD) - 4 - beside
        for event in reversed(self.events):
            record = pack_event(event)
            record = struct.pack("<H", len(record)) + record
            if len(packed) + len(record) > most or count == 255:
                break
            packed = record + packed
            count += 1
        head = struct.pack(
            _HEAD,
            _MAGIC,
            self.light,
            self.deep,
            self.by_motion,
            self.by_timer,
            self.slept_s,
            self.unix_ms,
            self.rtc_us,
            count,
        )
        data = head + packed
        return data + struct.pack("<I", binascii.crc32(data))

    def slept_ms(self, rtc_us, most_s):
        """How long it slept, by the RTC; -1 if that cannot be: its time has jumped.

        most_s: when its timer would have ended the sleep. The slow clock of an ESP32 may be off by
        some percent, and starting takes a while.
        """
        slept_ms = (rtc_us - self.rtc_us) // 1000
        return slept_ms if 0 <= slept_ms <= most_s * 1250 + 60_000 else -1

    def unpack(self, data):
        """Become what was packed. Raises ValueError for anything else."""
        size = struct.calcsize(_HEAD)
        if data[:2] == _NOTE:
            data = data[_NOTE_BYTES:]
        if len(data) < size + 4:
            raise ValueError("too short")
        if struct.unpack_from("<I", data, len(data) - 4)[0] != binascii.crc32(data[:-4]):
            raise ValueError("CRC differs")
        fields = struct.unpack_from(_HEAD, data, 0)
        if fields[0] != _MAGIC:
            raise ValueError("from another firmware")
        self.light, self.deep, self.by_motion, self.by_timer, self.slept_s = fields[1:6]
        self.unix_ms, self.rtc_us, count = fields[6:]
        self.events = []
        at = size
        for _ in range(count):
            length = struct.unpack_from("<H", data, at)[0]
            event = Event()
            unpack_event(data[at + 2 : at + 2 + length], event)
            self.events.append(event)
            at += 2 + length
