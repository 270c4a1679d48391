"""Wi-Fi station, connected under supervision."""

import asyncio
import errno
from time import ticks_add, ticks_diff, ticks_ms

import network
from micropython import const

_CONNECT_MS = const(15_000)
_POLL_MS = const(100)


class Wifi:
    """settings: wifi_ssid, wifi_key."""

    def __init__(self, settings):
        self._ssid = settings.wifi_ssid
        self._key = settings.wifi_key
        self._wlan = network.WLAN(network.WLAN.IF_STA)
        self.pm = self._wlan.PM_NONE
        self._connects = self._failures = 0

    def is_up(self):
        return self._wlan.isconnected()

    def name_server(self):
        """The IP address that DHCP gave for name look-ups, as text."""
        return self._wlan.ifconfig()[3]

    async def up(self):
        """Return once connected with an address. Raises OSError(EHOSTUNREACH)."""
        wlan = self._wlan
        if wlan.isconnected():
            return
        if not wlan.active():
            wlan.active(True)
        # The default power save lets packets wait for beacons, 100 ms and more.
        wlan.config(pm=self.pm)
        # The driver repeats its attempts; connect() during one of them is an error.
        wlan.disconnect()
        wlan.connect(self._ssid, self._key or None)
        give_up = ticks_add(ticks_ms(), _CONNECT_MS)
        while not wlan.isconnected():
            if ticks_diff(ticks_ms(), give_up) > 0:
                wlan.disconnect()
                self._failures += 1
                raise OSError(errno.EHOSTUNREACH)
            await asyncio.sleep_ms(_POLL_MS)
        self._connects += 1

    def counters(self, into):
        into["wifi_connects"] = self._connects
        into["wifi_failures"] = self._failures
        if self._wlan.isconnected():
            into["rssi_dbm"] = self._wlan.status("rssi")
