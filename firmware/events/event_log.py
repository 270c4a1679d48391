"""Events as records in flash. Loaded when the first one has to wait there. Pure."""

import struct

from events.event import Event

# boot, sequence number, sample clock, uptime and time of day at capture, confidence, twice the
# confidence of the label and whether it was sent before, length of the label. Label and model
# follow. Older firmware wrote the same without the confidence of the label: it is 0 there.
_RECORD = "<QIqqqBBB"


class EventLog:
    """records: RecordLog. What fails is counted, never raised."""

    def __init__(self, records):
        self._records = records
        self._event = Event()
        self.faults = 0

    def count(self):
        """How many events wait."""
        return self._records.count if self._records else 0

    def append(self, event):
        """Keep event; whether it is safe now."""
        try:
            self._records.append(pack(event))
            return True
        except (OSError, AttributeError):  # full or broken, or given up
            self.faults += 1
            return False

    def next(self):
        """The oldest event, or None; it is this object's, until the next call."""
        try:
            while self._records:
                record = self._records.peek()
                if record is None:
                    return None
                try:
                    unpack(record, self._event)
                    return self._event
                except ValueError:  # written by another firmware
                    self.faults += 1
                    self._records.pop()
        except OSError:  # do without, what it holds may come at the next boot
            self.faults += 1
            self._records = None
        return None

    def done(self, boot, seq):
        """Be done with this event, if it still is the oldest."""
        event = self.next()
        if event and (event.boot, event.seq) == (boot, seq):
            try:
                self._records.pop()
            except OSError:
                self.faults += 1
                self._records = None

    def counters(self, into):
        into["spool_faults"] = self.faults
        if self._records:
            self._records.counters(into)


def pack(event):
    """The event as bytes, at most 46 + 255 + 200 of them."""
    label = event.label.encode()[:255]
    fields = struct.pack(
        _RECORD,
        event.boot,
        event.seq,
        event.t_ms,
        event.captured_ms,
        event.unix_ms,
        event.confidence,
        event.label_confidence << 1 | event.sent,
        len(label),
    )
    return fields + label + event.model.encode()[:200]


def unpack(record, event):
    """Let event become what pack() was given. Raises ValueError for anything else."""
    try:
        (
            event.boot,
            event.seq,
            event.t_ms,
            event.captured_ms,
            event.unix_ms,
            event.confidence,
            sent,
            size,
        ) = struct.unpack_from(_RECORD, record, 0)
        at = struct.calcsize(_RECORD)
        event.sent = bool(sent & 1)
        event.label_confidence = sent >> 1
        event.label = str(record[at : at + size], "utf-8")
        event.model = str(record[at + size :], "utf-8")
    except Exception as error:  # UnicodeError, struct.error: they differ between ports
        raise ValueError("no event record: %r" % error)
