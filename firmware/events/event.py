"""An event: its place in the queue, and its JSON. Pure."""

import json

from ops.wall_clock import iso

class Event:
    """Made once and used again and again."""

    def __init__(self):
        self.boot = 0
        self.seq = 0
        self.t_ms = 0  # on the sample clock
        self.captured_ms = 0  # uptime of that boot when its last sample was taken
        self.unix_ms = 0  # time of day then, 0 if not known
        self.confidence = 0  # percent, that it was a gesture
        self.label_confidence = 0  # percent, which one; 0 if not known
        self.sent = False  # on a connection that may have ended
        self.label = ""
        self.model = ""

    def fill(self, boot, seq, model, label, confidence, label_confidence, clock, index, now):
        """Become the event `label`, recognised at sample `index`. clock: see Publisher.sense().
        now: uptime_ms().
        """
        self.boot = boot
        self.seq = seq
        self.model = model
        self.label = label
        self.confidence = confidence
        self.label_confidence = label_confidence
        self.t_ms = clock.t_ms(index)
        self.captured_ms = now - clock.age_ms(index)
        self.sent = False

    def payload(self, latency_ms, unix_ms):
        """JSON as bytes. None stands for a latency, 0 for a time, that is not known."""
        return (
            '{"event_type":%s,"confidence":%d,"label_confidence":%s,"seq":%d,"boot":%d,'
            '"t_ms":%d,"time":%s,"latency_ms":%s,"model":%s}'
            % (
                json.dumps(self.label),
                self.confidence,
                json.dumps(self.label_confidence or None),
                self.seq,
                self.boot,
                self.t_ms,
                json.dumps(iso(unix_ms)),
                json.dumps(latency_ms),
                json.dumps(self.model),
            )
        ).encode()
