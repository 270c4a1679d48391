"""An event: its place in the queue, its record in flash, its JSON. Pure."""

import json
import struct

from wall_clock import iso

# boot, sequence number, sample clock, uptime and time of day at capture, confidence,
# whether it was sent before, length of the label. Label and model follow.
_RECORD = "<QIqqqBBB"


class Event:
    """Made once and used again and again."""

    def __init__(self):
        self.boot = 0
        self.seq = 0
        self.t_ms = 0  # on the sample clock
        self.captured_ms = 0  # uptime of that boot when its last sample was taken
        self.unix_ms = 0  # time of day then, 0 if not known
        self.confidence = 0  # percent
        self.sent = False  # on a connection that may have ended
        self.label = ""
        self.model = ""

    def pack(self):
        """The event as bytes, at most 39 + 255 + 255 of them."""
        label = self.label.encode()[:255]
        fields = struct.pack(
            _RECORD,
            self.boot,
            self.seq,
            self.t_ms,
            self.captured_ms,
            self.unix_ms,
            self.confidence,
            self.sent,
            len(label),
        )
        return fields + label + self.model.encode()[:200]

    def unpack(self, record):
        """Become what pack() made. Raises ValueError for anything else."""
        try:
            (
                self.boot,
                self.seq,
                self.t_ms,
                self.captured_ms,
                self.unix_ms,
                self.confidence,
                sent,
                size,
            ) = struct.unpack_from(_RECORD, record, 0)
            at = struct.calcsize(_RECORD)
            self.sent = bool(sent)
            self.label = str(record[at : at + size], "utf-8")
            self.model = str(record[at + size :], "utf-8")
        except Exception as error:  # UnicodeError, struct.error: they differ between ports
            raise ValueError("no event record: %r" % error)

    def payload(self, latency_ms, unix_ms):
        """JSON as bytes. None stands for a latency, 0 for a time, that is not known."""
        return (
            '{"event_type":%s,"confidence":%d,"seq":%d,"boot":%d,"t_ms":%d,'
            '"time":%s,"latency_ms":%s,"model":%s}'
            % (
                json.dumps(self.label),
                self.confidence,
                self.seq,
                self.boot,
                self.t_ms,
                json.dumps(iso(unix_ms)),
                json.dumps(latency_ms),
                json.dumps(self.model),
            )
        ).encode()
