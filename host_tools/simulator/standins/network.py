"""Stand-in for `network`: a WLAN that is in range and connects after a moment.

Sockets are the computer's own; only the radio is imagined. What networks there are says the
file `air` beside the stand-ins (network_air.py); without it every name and key is right.
"""

import sys

import board_clock as clock
from micropython import const

_IDLE = const(1000)  # WLAN.status(), as on an ESP32
_CONNECTING = const(1001)
_GOT_IP = const(1010)
_ASSOCIATE_US = const(300_000)  # board time until the address is there


_air = None  # network_air, once it is needed


def _look():
    """network_air, if there is a file `air` or an access point, else None."""
    global _air
    if not _air:
        import os

        if "air" in os.listdir(sys.argv[1]):
            import network_air as _air
    return _air


class WLAN:
    IF_STA = 0
    IF_AP = 1
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __new__(cls, id=0):
        if id:
            import network_air

            return network_air.access_point
        return object.__new__(cls)

    def __init__(self, id=0):
        self._active = False
        self._since_us = -1
        self.pm = 1
        self._reason = 0  # what connect() ends with, see network_air.py

    def active(self, x=None):
        if x is None:
            return self._active
        self._active = bool(x)
        if not x:
            self._since_us = -1
        return self._active

    def connect(self, ssid=None, key=None, **options):
        if self._since_us >= 0:
            raise OSError("Wifi Internal Error")
        self._since_us = clock.now_us()
        air = _look()
        self._reason = air.outcome(ssid, key) if air else 0

    def scan(self):
        if not self._active:
            raise OSError("STA must be active")
        air = _look()
        return air.scan() if air else [(b"simulated", b"\x24\x0a\xc4\0\0\2", 6, -55, 3, False)]

    def disconnect(self):
        self._since_us = -1

    def isconnected(self):
        return not self._reason and self._is_over()

    def _is_over(self):
        return self._since_us >= 0 and clock.now_us() - self._since_us > _ASSOCIATE_US

    def status(self, x=None):
        if x == "rssi":
            if self._reason and not (self._reason == -1 and self._is_over()):
                raise OSError("Wifi Not Connected")
            return -55
        if self._since_us < 0:
            return _IDLE
        if self._reason > 0 and self._is_over() and _air.reconnects >= 0:
            return self._reason
        return _GOT_IP if self.isconnected() else _CONNECTING

    def config(self, *args, **options):
        self.pm = options.get("pm", self.pm)
        if args:
            return b"\x24\x0a\xc4\x00\x00\x01" if args[0] == "mac" else 0
        if "reconnects" in options and _look():
            _air.reconnects = options["reconnects"]

    def ifconfig(self):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

