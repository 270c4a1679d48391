"""The access point, and the station that tries a network beside it."""

import asyncio
import errno
from time import ticks_add, ticks_diff, ticks_ms

import network
from micropython import const

_WPA2 = const(3)  # network.AUTH_WPA2_PSK; a later MicroPython calls it WLAN.SEC_WPA2
_MOST_PHONES = const(10)
_MOST_NETWORKS = const(16)
_LEAST_KEY = const(8)
_JOIN_MS = const(30_000)
_POLL_MS = const(200)

# WLAN.status() of an ESP32: from 1000 on it is under way, below are the driver's reasons.
_STATES = const(1000)
_NOT_FOUND = (201, 212)
_WRONG_KEY = (2, 14, 15, 202, 204)  # what a wrong key ends with depends on the other side
_SECURITY = (210, 211)


class JoinError(Exception):
    """args[0]: not_found, wrong_key, security, no_address or refused; args[1]: the reason."""


def open_access_point(ssid, key):
    """The address of the access point, as text, once it is up with WPA2.

    Raises OSError if it does not get its password: there is never an open one.
    """
    if len(key) < _LEAST_KEY:
        raise ValueError("ap_key is shorter than 8 characters")
    ap = network.WLAN(network.WLAN.IF_AP)
    try:
        try:  # before it is up, so that it is open at no moment
            ap.config(ssid=ssid, key=key, security=_WPA2, max_clients=_MOST_PHONES)
            ap.active(True)
        except OSError:  # a driver that configures only what is up
            ap.active(True)
            ap.config(ssid=ssid, key=key, security=_WPA2, max_clients=_MOST_PHONES)
        if ap.config("security") != _WPA2 or ap.config("ssid") != ssid:
            raise OSError(errno.EIO)
    except BaseException:
        ap.active(False)
        raise
    return ap.ifconfig()[0]


def close_access_point():
    network.WLAN(network.WLAN.IF_AP).active(False)


class Station:
    """Stands for link.wifi.Wifi in a Link, too."""

    def __init__(self):
        self._wlan = wlan = network.WLAN(network.WLAN.IF_STA)
        wlan.active(True)

    def scan(self):
        """The strongest networks: a list of (name, signal in dBm, security), strongest first.

        Holds the event loop for two seconds or so. Raises OSError.
        """
        strongest: dict = {}
        for ssid, _, _, dbm, security, _ in self._wlan.scan():
            try:
                name = str(ssid, "utf-8")
            except ValueError:
                continue  # nobody could choose a name that is not text
            if name and (name not in strongest or strongest[name][0] < dbm):
                strongest[name] = dbm, security
        found = [(name, strongest[name][0], strongest[name][1]) for name in strongest]
        found.sort(key=lambda network: -network[1])
        return found[:_MOST_NETWORKS]

    async def join(self, ssid, key):
        """Return once connected with an address. Raises JoinError."""
        wlan = self._wlan
        self.leave()
        wlan.config(reconnects=2)  # else the driver repeats a wrong key forever
        wlan.connect(ssid, key or None)
        give_up = ticks_add(ticks_ms(), _JOIN_MS)
        status = _STATES
        while ticks_diff(give_up, ticks_ms()) > 0:
            if wlan.isconnected():
                return
            status = wlan.status()
            if status < _STATES:
                break
            await asyncio.sleep_ms(_POLL_MS)
        associated = self._is_associated()
        self.leave()
        if associated:
            raise JoinError("no_address", 0)
        if status in _WRONG_KEY:
            raise JoinError("wrong_key", status)
        if status in _SECURITY:
            raise JoinError("security", status)
        if status in _NOT_FOUND or status >= _STATES:
            raise JoinError("not_found", status)
        raise JoinError("refused", status)

    def _is_associated(self):
        """Whether it has joined, with an address or without."""
        try:
            self._wlan.status("rssi")
            return True
        except OSError:
            return False

    def leave(self):
        try:
            self._wlan.disconnect()
        except OSError:
            pass  # it was not connected

    # What a Link needs.

    async def up(self):
        if not self._wlan.isconnected():
            raise OSError(errno.EHOSTUNREACH)

    def is_up(self):
        return self._wlan.isconnected()

    def name_server(self):
        return self._wlan.ifconfig()[3]

    def counters(self, into):
        pass
