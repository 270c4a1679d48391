"""Records that wait in flash and survive a loss of power, oldest first.

A folder of numbered segments; a record is appended to the youngest and is safe
once append() returns, since littlefs makes a file's new content durable, all of
it or nothing, when the file is closed. A segment is removed when all of it has
been taken, so taking writes nothing: after a loss of power the rest of the
oldest segment comes again, which its reader knows by boot and sequence number.
So a record costs the flash one append, and each block is used in turn.

A record is its length (2 bytes, little endian), the CRC-32 of its bytes (4), and
its bytes. Whatever is wrong ends its segment: what follows could not be trusted.
"""

import binascii
import os
import struct

from micropython import const

from ops.files import SPOOL, remove

_HEAD = const(6)
_HEAD_FORMAT = "<HI"
_MOST_BYTES = const(512)  # of one record
_SUFFIX = ".log"


class RecordLog:
    """folder: made if missing. segment_bytes: one block of the flash is a good size.
    segments: at most so many; then the oldest is given up, and counted.

    `count` is the number of records that wait. Raises OSError when the folder can
    neither be read nor made, or flash fails; what was safe before stays so.
    """

    def __init__(self, folder=SPOOL, segment_bytes=4096, segments=8):
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._segments = segments
        self._numbers = []  # of the segments, oldest first
        self._counts = []  # records in each
        self._tail_bytes = segment_bytes  # of the youngest; full: begin another
        self._taken = 0  # records of the oldest that are done with
        self._at = 0  # where its next one begins
        self.count = 0
        self.dropped = 0
        self.damaged = 0
        self.appended = 0
        self._mount()

    def append(self, record):
        """Keep record, 1 to 512 bytes; it is safe when this returns."""
        if not 0 < len(record) <= _MOST_BYTES:
            raise ValueError("a record has 1 to %d bytes, not %d" % (_MOST_BYTES, len(record)))
        if self._tail_bytes + _HEAD + len(record) > self._segment_bytes:
            self._begin_segment()
        data = struct.pack(_HEAD_FORMAT, len(record), binascii.crc32(record)) + record
        before, self._tail_bytes = self._tail_bytes, self._segment_bytes
        try:
            with open(self._path(self._numbers[-1]), "ab") as file:
                file.write(data)
        except OSError:
            if not self._counts[-1]:  # nothing safe in it, perhaps not even a file
                self._counts.pop()
                self._unlink(self._numbers.pop())
            raise
        # Only now: after a failure the tail is in doubt, and counts as full.
        self._tail_bytes = before + len(data)
        self._counts[-1] += 1
        self.count += 1
        self.appended += 1

    def peek(self):
        """The oldest record, or None."""
        while self.count:
            with open(self._path(self._numbers[0]), "rb") as file:
                file.seek(self._at)
                record = _read(file)
            if record is not None:
                return record
            # It was good when it was counted: the flash has lost it since.
            self.damaged += 1
            self._remove_oldest()
        return None

    def pop(self):
        """Be done with the oldest record, which peek() has returned."""
        record = self.peek()
        if record is None:
            return
        if self._taken + 1 == self._counts[0]:
            self._remove_oldest()
            return
        self._at += _HEAD + len(record)
        self._taken += 1
        self.count -= 1

    def counters(self, into):
        into["spool_waiting"] = self.count
        into["spool_appended"] = self.appended
        into["spool_dropped"] = self.dropped
        into["spool_damaged"] = self.damaged

    def _mount(self):
        try:
            names = os.listdir(self._folder)
        except OSError:
            os.mkdir(self._folder)
            names = ()
        for name in names:
            if name.endswith(_SUFFIX) and name[: -len(_SUFFIX)].isdigit():
                self._numbers.append(int(name[: -len(_SUFFIX)]))
        self._numbers.sort()
        for number in list(self._numbers):
            count, clean = self._scan(number)
            if count:
                self._counts.append(count)
                self.count += count
            else:  # a loss of power between making and filling it
                self._numbers.remove(number)
                self._unlink(number)
            if not clean:
                self.damaged += 1
        # The youngest is never appended to again: what lies behind its last good
        # record, if anything, would make the new one unreadable.

    def _scan(self, number):
        """(good records in a segment, whether nothing follows them)."""
        count = 0
        with open(self._path(number), "rb") as file:
            while _read(file) is not None:
                count += 1
                end = file.tell()
            return count, file.seek(0, 2) == (end if count else 0)

    def _begin_segment(self):
        if len(self._numbers) == self._segments:
            lost = self._counts[0] - self._taken
            self._remove_oldest()
            self.dropped += lost
        self._numbers.append(self._numbers[-1] + 1 if self._numbers else 0)
        self._counts.append(0)
        self._tail_bytes = 0

    def _remove_oldest(self):
        self._unlink(self._numbers.pop(0))
        self.count -= self._counts.pop(0) - self._taken
        self._taken = self._at = 0
        if not self._numbers:
            self._tail_bytes = self._segment_bytes  # the next record begins a segment

    def _unlink(self, number):
        # A segment that stays repeats events, which their reader knows to drop.
        remove(self._path(number))

    def _path(self, number):
        return "%s/%06d%s" % (self._folder, number, _SUFFIX)


def _read(file):
    """The next record of a segment; None at its end and at what is damaged."""
    head = file.read(_HEAD)
    if len(head) < _HEAD:
        return None
    size, crc = struct.unpack(_HEAD_FORMAT, head)
    if not 0 < size <= _MOST_BYTES:
        return None
    record = file.read(size)
    if len(record) < size or binascii.crc32(record) != crc:
        return None
    return record
