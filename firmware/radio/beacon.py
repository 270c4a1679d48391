"""BTHome advertisements: each event is on the air for a while, then nothing is pressed.

Pure: the time is handed in, and what is due is handed out.
"""

from time import ticks_diff

from micropython import const
from radio.bthome import objects, service_data

_WAITING = const(4)
# A reader drops a packet id that it has seen for 4 s only; so an event is shorter on the air.
_ON_AIR_MS = const(1500)
_CROWDED_MS = const(500)  # while others wait
_NONE = -1


class Beacon:
    """table: setting radio_buttons; empty: a button for each of the labels, pressed once.

    seal: returns an AD element for BTHome objects, see bthome.encrypted; None: in clear.
    Raises ValueError.
    """

    def __init__(self, table, labels, seal=None):
        from options.tables import buttons, most_buttons  # the tables leave the heap afterwards

        most = most_buttons(seal)
        self._buttons = buttons(table, most)
        if not self._buttons:
            self._buttons = {label: (i, 1) for i, label in enumerate(labels[:most])}
        self._count = 0
        for button, _ in self._buttons.values():
            self._count = max(self._count, button + 1)
        self._seal = seal or service_data
        self._queue = []
        self._packet_id = 0
        self._since = 0
        self._is_on_air = False
        self._sent = self._dropped = self._unmapped = 0
        self.element = self._element(_NONE, 0)

    def post(self, label, confidence, seq):
        """Queue the button of a gesture. A full queue drops its oldest and counts it."""
        if label not in self._buttons:
            self._unmapped += 1
            return
        if len(self._queue) == _WAITING:
            self._queue.pop(0)
            self._dropped += 1
        self._queue.append(self._buttons[label])

    def step(self, now):
        """Whether `element`, to be advertised, has changed. now: ticks_ms()."""
        if self._is_on_air:
            age = ticks_diff(now, self._since)
            if age < (_CROWDED_MS if self._queue else _ON_AIR_MS):
                return False
        if self._queue:
            button, code = self._queue.pop(0)
            self._packet_id = self._packet_id + 1 & 0xFF
            self._since = now
            self._is_on_air = True
            self._sent += 1
            self.element = self._element(button, code)
            return True
        if not self._is_on_air:
            return False
        self._is_on_air = False
        self.element = self._element(_NONE, 0)
        return True

    def is_urgent(self):
        """Whether an event is on the air."""
        return self._is_on_air

    def counters(self, into):
        into["bthome_sent"] = self._sent
        into["bthome_dropped"] = self._dropped
        into["bthome_unmapped"] = self._unmapped

    def _element(self, button, code):
        return self._seal(objects(self._packet_id, self._count, button, code))
