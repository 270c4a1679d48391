"""TLS under the link: the broker proves that it is the one, the board may do so, too.

The handshake goes on in steps, as the network allows; each step holds the loop for as
long as its arithmetic takes (docs/mqtt.md has the times).
"""

import os
import time

from micropython import const
from ops.uptime import uptime_ms

try:
    import tls
except ImportError:  # MicroPython before 1.23
    import ssl as tls

_KNOWN_SINCE = const(2025)  # a clock that shows less has not been set


class Tls:
    """settings: broker_host, tls_name, and the files tls_ca, tls_cert and tls_key, PEM or DER.

    wall: WallClock, to check whether a certificate is still valid. set_rtc: takes what
    machine.RTC().datetime() takes. Raises OSError or ValueError for files that cannot be
    used.
    """

    def __init__(self, settings, wall, set_rtc):
        self._name = settings.tls_name or settings.broker_host
        self._wall = wall
        self._set_rtc = set_rtc
        self._context = context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED
        context.load_verify_locations(_content(settings.tls_ca))
        if settings.tls_cert:
            context.load_cert_chain(_content(settings.tls_cert), _content(settings.tls_key))

    def wrap(self, sock):
        """The TLS socket of a socket that is connecting. Raises NoTime."""
        if time.gmtime()[0] < _KNOWN_SINCE:
            self._set_clock()
        return self._context.wrap_socket(
            sock, server_hostname=self._name, do_handshake_on_connect=False
        )

    def _set_clock(self):
        unix_ms = self._wall.unix_ms(uptime_ms())
        if not unix_ms:
            raise NoTime()
        from ops.wall_clock import fields

        year, month, day, hour, minute, second, weekday = fields(unix_ms)
        try:
            self._set_rtc((year, month, day, weekday, hour, minute, second, 0))
        except OverflowError:  # a year that the port's clock cannot hold: a wrong server
            raise NoTime()


class NoTime(OSError):
    """The time of day is not known yet, so no certificate can be checked."""


def _content(path):
    size = os.stat(path)[6]
    if not 0 < size < 8192:
        raise ValueError("%s has %d bytes, so it is not a certificate or key" % (path, size))
    with open(path, "rb") as file:
        return file.read()
