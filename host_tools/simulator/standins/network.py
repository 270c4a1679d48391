"""Stand-in for `network`: a WLAN that is in range and connects after a moment.

Sockets are the computer's own; only the radio is imagined. What networks there are says the
file `air` beside the stand-ins (network_air.py); without it every name and key is right.
"""

import sys

import board_clock as clock
import machine
from micropython import const

_IDLE = const(1000)  # WLAN.status(), as on an ESP32
_CONNECTING = const(1001)
_GOT_IP = const(1010)
_ASSOCIATE_US = const(300_000)  # board time until the address is there


_air = None  # network_air, once it is needed
_station = None
_channel = 1


def _look():
    """network_air, if there is a file `air` or an access point, else None."""
    global _air
    if not _air:
        import os

        if "air" in os.listdir(sys.argv[1]):
            import network_air as _air
    return _air


_delays = None  # network_delays, if the host wants a slow radio


def is_active():
    """For espnow.py: whether the radio is on."""
    return bool(_station) and _station.active()


def channel():
    """For espnow.py: the channel that the radio is on; that of the access point is 6."""
    return 6 if _station.isconnected() else _channel


class WLAN:
    IF_STA = 0
    IF_AP = 1
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __new__(cls, id=0):
        global _station
        if id:
            import network_air

            return network_air.access_point
        if not _station:  # one object, as there
            _station = object.__new__(cls)
            _station._active = False
            _station._since_us = -1
            _station.pm = 1
            _station._reason = 0  # what connect() ends with, see network_air.py
        return _station

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
        self._find_delays()
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

    def _find_delays(self):
        global _delays
        import os

        if "delays" in os.listdir(sys.argv[1]):
            import network_delays as _delays

            _delays.use(self)

    def _is_over(self):
        most_us = _delays.associate_us if _delays else _ASSOCIATE_US
        return self._since_us >= 0 and clock.now_us() - self._since_us > most_us

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
        global _channel
        if options.get("pm") == 0 and "bluetooth" in sys.modules:
            if sys.modules["bluetooth"].BLE().active():  # the IDF calls abort()
                print("Error! Should enable WiFi modem sleep when both WiFi and Bluetooth are on")
                machine.reset()
        self.pm = options.get("pm", self.pm)
        if args:
            return b"\x24\x0a\xc4\x00\x00\x01" if args[0] == "mac" else 0
        if "reconnects" in options and _look():
            _air.reconnects = options["reconnects"]
        if "channel" in options:
            if not 1 <= options["channel"] <= 13:
                raise OSError("Wifi Invalid Argument")
            _channel = options["channel"]

    def ifconfig(self):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

