"""More of the stand-in for `network`: which networks are in range, and the access point.

The file `air` beside the stand-ins holds a JSON list of networks: ssid, and where it matters
key, rssi, security, hidden, address (false: it gives none), reason (why it refuses). The state of
the access point is in the file `ap` there, as JSON, for the host.
"""

import json
import os
import sys

_NOT_FOUND = 201  # reasons of the driver, as on an ESP32
_WRONG_KEY = 15
_NO_ADDRESS = -1  # not the driver's: joined, but without an address

reconnects = -1  # how often the driver tries again; -1 forever, and then it gives no reason


def _networks():
    try:
        with open(sys.argv[1] + "/air") as file:
            return json.load(file)
    except OSError:
        return []


def outcome(ssid, key):
    """0 if joining works, else what it ends with."""
    for one in _networks():
        if one["ssid"] == ssid:
            if one.get("key", "") != (key or ""):
                return _WRONG_KEY
            if "reason" in one:
                return one["reason"]
            return 0 if one.get("address", True) else _NO_ADDRESS
    return _NOT_FOUND


def scan():
    found = []
    for one in _networks():
        ssid = b"" if one.get("hidden") else one["ssid"].encode()
        security = one.get("security", 3 if one.get("key") else 0)
        found.append((ssid, bytes(6), 6, one.get("rssi", -60), security, False))
    return found


class AccessPoint:
    def __init__(self):
        self._active = False
        self._config = {"ssid": "ESP_000001", "key": "", "security": 0, "max_clients": 4}

    def active(self, x=None):
        if x is not None:
            self._active = bool(x)
            self._tell()
        return self._active

    def config(self, *args, **options):
        if args:
            return self._config[args[0]]
        for name in options:
            if name not in self._config:
                raise ValueError("unknown config param")
            self._config[name] = options[name]
        self._tell()

    def _tell(self):
        path = sys.argv[1] + "/ap"
        if self._active:
            with open(path + ".new", "w") as file:
                json.dump(self._config, file)
            os.rename(path + ".new", path)
        elif "ap" in os.listdir(sys.argv[1]):
            os.remove(path)

    def ifconfig(self):
        return ("192.168.4.1", "255.255.255.0", "192.168.4.1", "0.0.0.0")


access_point = AccessPoint()
