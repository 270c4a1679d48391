"""The GATT service of events: docs/bluetooth.md has its table.

Each event is a value of Event: its number in this boot (4 bytes, little-endian), the confidence
in percent (1 byte), the label in UTF-8. Who subscribes gets new ones; who writes the number of
the last one it has to Resume gets those after it, as far as they are kept.
"""

import json

from micropython import const

_READ = const(0x0002)
_WRITE_NO_RESPONSE = const(0x0004)
_WRITE = const(0x0008)
_NOTIFY = const(0x0010)

_KEPT = const(8)  # events
_LARGEST = const(512)  # bytes of a value, Bluetooth Core 5.4 vol 3 part F 3.2.9
_LABEL_BYTES = const(64)
NOTHING = 0xFFFFFFFF  # written to Resume: none so far, all that is kept
_SPACE = "b0e5%04x-6f1d-4c58-9a37-2d8f31c7e64a"


def value_of(label, confidence, seq):
    """The value of Event, see above."""
    label = label.encode()[:_LABEL_BYTES]
    while label and not _is_whole(label):
        label = label[:-1]
    return (
        bytes((seq & 0xFF, seq >> 8 & 0xFF, seq >> 16 & 0xFF, seq >> 24 & 0xFF, confidence)) + label
    )


def read_value(value):
    """(label, confidence, seq) of a value of Event. Raises ValueError."""
    if len(value) < 6:
        raise ValueError("too short")
    seq = value[0] | value[1] << 8 | value[2] << 16 | value[3] << 24
    return str(value[5:], "utf-8"), value[4], seq


def uuid_text(number):
    """The UUID of the service (0) or of one of its characteristics, as text."""
    return _SPACE % number


class Gatt:
    """about: dict that Info shows as JSON; what of it does not fit is left out, the last first."""

    def __init__(self, about):
        self._info = _short_json(about)
        self._kept = []  # values of events, the oldest first
        self._sent = 0  # how many of the oldest somebody was sent
        self._resuming = []  # [connection, number of the last one it has]
        self._ble = None
        self._event = self._resume = 0
        self._dropped = self._notified = self._refused = 0

    def definition(self, uuid):
        """The service, for gatts_register_services(). uuid: makes a bluetooth.UUID."""
        return (
            uuid(uuid_text(0)),
            (
                (uuid(uuid_text(1)), _READ | _NOTIFY),
                (uuid(uuid_text(2)), _READ),
                (uuid(uuid_text(3)), _WRITE | _WRITE_NO_RESPONSE),
            ),
        )

    def bind(self, ble, handles):
        """ble: BLE, with the service registered at these handles."""
        self._ble = ble
        self._event, info, self._resume = handles
        ble.gatts_write(info, self._info)

    def post(self, label, confidence, seq):
        """Keep an event, and send it to who has subscribed."""
        value = value_of(label, confidence, seq)
        if len(self._kept) == _KEPT:
            self._kept.pop(0)
            if self._sent:
                self._sent -= 1
            else:
                self._dropped += 1
        self._kept.append(value)
        self._ble.gatts_write(self._event, value, True)

    def written(self, connection, handle, data):
        """A client has written. False if that was not for this service."""
        if handle != self._resume:
            return False
        if len(data) != 4:
            self._refused += 1
            return True
        self.left(connection)
        last = data[0] | data[1] << 8 | data[2] << 16 | data[3] << 24
        self._resuming.append([connection, -1 if last == NOTHING else last])
        return True

    def left(self, connection):
        """A client has gone."""
        self._resuming = [one for one in self._resuming if one[0] != connection]

    def step(self):
        """Send one event to each who wants older ones."""
        for one in self._resuming:
            connection, last = one
            for i, value in enumerate(self._kept):
                seq = read_value(value)[2]
                if seq > last:
                    try:
                        self._ble.gatts_notify(connection, self._event, value)
                    except OSError:
                        break  # no room in the stack just now, or a client that is leaving
                    one[1] = seq
                    self._sent = max(self._sent, i + 1)
                    self._notified += 1
                    break
            else:
                self._resuming.remove(one)
                return

    def counters(self, into):
        into["gatt_resent"] = self._notified
        into["gatt_dropped"] = self._dropped
        into["gatt_refused"] = self._refused


def _short_json(about):
    """JSON that fits into one value. about: list of (name, value)."""
    about = list(about)
    while True:
        text = "{%s}" % ",".join("%s:%s" % (json.dumps(k), json.dumps(v)) for k, v in about)
        if len(text.encode()) <= _LARGEST:
            return text.encode()
        about.pop()


def _is_whole(data):
    """Whether data is UTF-8 that no cut has hit."""
    try:
        str(data, "utf-8")
        return True
    except UnicodeError:
        return False
