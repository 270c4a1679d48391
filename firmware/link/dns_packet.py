"""DNS questions and answers for IPv4 addresses, RFC 1035. Pure."""

import struct

from micropython import const

_TYPE_A = const(1)
_CLASS_IN = const(1)


def is_number(host):
    """Whether host is an IPv4 address as text."""
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


def query(host, number):
    """A question for the A record of host, RFC 1035 4.1.1 and 4.1.2.

    Raises ValueError for what cannot be a name.
    """
    name = b""
    for label in host.encode().rstrip(b".").split(b"."):
        if not 0 < len(label) < 64:
            raise ValueError("%r is not a host name" % host)
        name += bytes((len(label),)) + label
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + name + b"\0\0\x01\0\x01"


def answer(data, number):
    """The first IPv4 address in an answer to question `number`, as text.

    "" when the answer has none; None when it answers another question.
    """
    try:
        if _word(data, 0) != number or not data[2] & 0x80:  # QR, 4.1.1: an answer
            return None
        if data[3] & 0x0F:  # RCODE: an error
            return ""
        at = 12
        for _ in range(_word(data, 4)):
            at = _after_name(data, at) + 4
        for _ in range(_word(data, 6)):
            at = _after_name(data, at)
            kind, group, size = _word(data, at), _word(data, at + 2), _word(data, at + 8)
            at += 10
            if kind == _TYPE_A and group & 0x7FFF == _CLASS_IN and size == 4:
                return "%d.%d.%d.%d" % (data[at], data[at + 1], data[at + 2], data[at + 3])
            at += size
    except IndexError:  # it ends too early
        return None
    return ""


def _word(data, at):
    return data[at] << 8 | data[at + 1]


def _after_name(data, at):
    """Where a name that begins at `at` ends, RFC 1035 4.1.4."""
    while True:
        size = data[at]
        if size >= 0xC0:  # a pointer ends it
            return at + 2
        at += 1 + size
        if size == 0:
            return at
