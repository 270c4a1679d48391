"""A keyboard with media keys over GATT (HOGP 1.0): each gesture of a table presses a key."""

from time import ticks_diff

from micropython import const
from options.hid_keys import KEYBOARD, MEDIA, REPORT_MAP, key, released

_READ = const(0x0002)
_WRITE_NO_RESPONSE = const(0x0004)
_NOTIFY = const(0x0010)
_READ_ENCRYPTED = const(0x0200)
_WAITING = const(8)
_HELD_MS = const(40)  # a key down, and up: longer than the usual interval of a connection

APPEARANCE = b"\xc1\x03"  # a keyboard, Assigned Numbers 2.6
SERVICE = b"\x12\x18"  # 0x1812
# Source 1 is the Bluetooth SIG's list, 0x02E5 is Espressif there; product and version are ours.
_PNP_ID = b"\x01\xe5\x02\x01\x00\x01\x00"
_INFORMATION = b"\x11\x01\x00\x02"  # HID 1.11, no country, may be normally connectable
_BATTERY = b"\x64"  # HOGP asks for a level; the board does not measure one


class Hid:
    """table: setting radio_keys. Raises ValueError."""

    def __init__(self, table):
        from options.tables import pairs

        self._keys = {label: key(name) for label, name in pairs("radio_keys", table)}
        self._queue = []
        self._down = None  # what is pressed now
        self._since = 0
        self._hosts = []  # connections that are encrypted
        self._ble = None
        self._handles = {}
        self._sent = self._dropped = self._unmapped = self._faults = 0

    def definitions(self, uuid):
        """Device information, battery and HID, for gatts_register_services()."""
        reference = ((uuid(0x2908), _READ),)
        report = uuid(0x2A4D)
        private = _READ | _READ_ENCRYPTED
        return (
            (uuid(0x180A), ((uuid(0x2A50), _READ),)),
            (uuid(0x180F), ((uuid(0x2A19), _READ | _NOTIFY),)),
            (
                uuid(0x1812),
                (
                    (uuid(0x2A4A), _READ),
                    (uuid(0x2A4B), private),
                    (uuid(0x2A4C), _WRITE_NO_RESPONSE),
                    (report, private | _NOTIFY, reference),
                    (report, private | _NOTIFY, reference),
                ),
            ),
        )

    def bind(self, ble, handles):
        """handles: of the three services."""
        self._ble = ble
        (pnp_id,), (battery,), (information, report_map, _, keys, ref1, media, ref2) = handles
        for handle, value in (
            (pnp_id, _PNP_ID),
            (battery, _BATTERY),
            (information, _INFORMATION),
            (report_map, REPORT_MAP),
            (keys, bytes(8)),
            (ref1, bytes((KEYBOARD, 1))),  # its report id; 1: an input
            (media, bytes(2)),
            (ref2, bytes((MEDIA, 1))),
        ):
            ble.gatts_write(handle, value)
        self._handles = {KEYBOARD: keys, MEDIA: media}

    def post(self, label, confidence, seq):
        """Queue a key. Without a host it is dropped: nobody wants it later."""
        if label not in self._keys:
            self._unmapped += 1
        elif not self._hosts or len(self._queue) == _WAITING:
            self._dropped += 1
        else:
            self._queue.append(self._keys[label])

    def encrypted(self, connection):
        """A host has paired, or has come back."""
        if connection not in self._hosts:
            self._hosts.append(connection)

    def left(self, connection):
        if connection in self._hosts:
            self._hosts.remove(connection)

    def step(self, now):
        """Press or release what is due. now: ticks_ms()."""
        if ticks_diff(now, self._since) < _HELD_MS and self._since:
            return
        if self._down:
            report_id, report = self._down
            self._send(report_id, released(report))
            self._down = None
            self._since = now
        elif self._queue:
            self._down = self._queue.pop(0)
            self._send(*self._down)
            self._sent += 1
            self._since = now
        else:
            self._since = 0

    def _send(self, report_id, report):
        for connection in self._hosts:
            try:
                self._ble.gatts_notify(connection, self._handles[report_id], report)
            except OSError:
                self._faults += 1

    def counters(self, into):
        into["hid_keys"] = self._sent
        into["hid_dropped"] = self._dropped
        into["hid_unmapped"] = self._unmapped
        into["hid_faults"] = self._faults
