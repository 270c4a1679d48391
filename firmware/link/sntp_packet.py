"""Packets of SNTP 4, RFC 4330, in integers. Pure."""

import errno
import struct

from micropython import const

_1900_TO_1970_S = const(2208988800)
# No earlier and no later time can be: this firmware is not older, and no board lives so long.
_EARLIEST_S = const(1735689600)  # 2025
_LATEST_S = const(3092601600)  # 2068, where clocks of 32 bits that begin in 2000 end
_UNSYNCHRONISED = const(16)  # stratum, RFC 4330, 4; and what is above is reserved


def request(cookie):
    """cookie: 8 bytes that the server sends back as the time it was asked."""
    return b"\x23" + bytes(39) + cookie  # version 4, mode 3: client


def reply(data, cookie):
    """Milliseconds since 1970 in a server's answer; None if it is none to this question.

    Raises OSError(EAGAIN) if the server says that it does not know the time, or gives one
    that cannot be.
    """
    if len(data) < 48 or data[24:32] != cookie or data[0] & 7 != 4:
        return None
    seconds, fraction = struct.unpack_from(">II", data, 40)
    # Not set, or kiss of death.
    if data[0] >> 6 == 3 or not 0 < data[1] < _UNSYNCHRONISED or not seconds:
        raise OSError(errno.EAGAIN)
    if seconds < 0x80000000:  # RFC 4330, 3: era 1 begins in 2036
        seconds += 0x100000000
    if not _EARLIEST_S <= seconds - _1900_TO_1970_S < _LATEST_S:
        raise OSError(errno.EAGAIN)
    return (seconds - _1900_TO_1970_S) * 1000 + (fraction * 1000 >> 32)
