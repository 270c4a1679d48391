"""Stand-in for `network`: a WLAN that is in range and connects after a moment.

Sockets are the computer's own; only the radio is imagined.
"""

import board_clock as clock
from micropython import const

_IDLE = const(1000)  # WLAN.status(), as on an ESP32
_CONNECTING = const(1001)
_GOT_IP = const(1010)
_ASSOCIATE_US = const(300_000)  # board time until the address is there


class WLAN:
    IF_STA = 0
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, id=0):
        self._active = False
        self._since_us = -1
        self.pm = 1

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

    def disconnect(self):
        self._since_us = -1

    def isconnected(self):
        return self._since_us >= 0 and clock.now_us() - self._since_us > _ASSOCIATE_US

    def status(self, x=None):
        if x == "rssi":
            return -55
        if self._since_us < 0:
            return _IDLE
        return _GOT_IP if self.isconnected() else _CONNECTING

    def config(self, *args, **options):
        self.pm = options.get("pm", self.pm)
        if args:
            return b"\x24\x0a\xc4\x00\x00\x01" if args[0] == "mac" else 0

    def ifconfig(self):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

