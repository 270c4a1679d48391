"""Packets of SNTP 4, RFC 4330, in integers. Pure."""

import errno
import struct

_1900_TO_1970_S = 2208988800


def request(cookie):
    """cookie: 8 bytes that the server sends back as the time it was asked."""
    return b"\x23" + bytes(39) + cookie  # version 4, mode 3: client


def reply(data, cookie):
    """Milliseconds since 1970 in a server's answer; None if it is none to this question.

    Raises OSError(EAGAIN) if the server says that it cannot tell the time.
    """
    if len(data) < 48 or data[24:32] != cookie or data[0] & 7 != 4:
        return None
    seconds, fraction = struct.unpack_from(">II", data, 40)
    if data[0] >> 6 == 3 or data[1] == 0 or not seconds:  # not set, or kiss of death
        raise OSError(errno.EAGAIN)
    if seconds < 0x80000000:  # RFC 4330, 3: era 1 begins in 2036
        seconds += 0x100000000
    return (seconds - _1900_TO_1970_S) * 1000 + (fraction * 1000 >> 32)
