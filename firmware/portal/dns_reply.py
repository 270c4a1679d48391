"""Answers every question for a name with one address, RFC 1035. Pure.

A phone that has joined looks names up to see whether it is in the internet. That they all
lead to the board is how it finds the board's page.
"""

from micropython import const

_LEAST_BYTES = const(17)  # header, the root's name, type and class
_MOST_BYTES = const(512)  # RFC 1035 4.2.1
_MOST_NAME = const(254)
_TYPE_A = const(1)
_CLASS_IN = const(1)


def reply(data, address):
    """The answer to the question in data, bytes; None for what is not a question.

    address: four bytes. A question for anything but an IPv4 address gets an empty answer.
    """
    size = len(data)
    # QR is a question, OPCODE is 0, QDCOUNT is 1: 4.1.1.
    if not _LEAST_BYTES <= size <= _MOST_BYTES or data[2] & 0xF8 or data[4] or data[5] != 1:
        return None
    at = 12
    while data[at]:
        if data[at] > 63:  # a pointer: there is nothing before it to point to
            return None
        at += 1 + data[at]
        if at >= size or at > _MOST_NAME + 12:
            return None
    end = at + 5
    if end > size:
        return None
    known = data[end - 4] << 8 | data[end - 3] == _TYPE_A
    known = known and data[end - 2] << 8 | data[end - 1] == _CLASS_IN
    head = bytes((0x84 | data[2] & 1, 0x80, 0, 1, 0, 1 if known else 0, 0, 0, 0, 0))
    answer = data[:2] + head + data[12:end]
    if known:  # a pointer to the name; it is good for 5 s, since the phone leaves soon
        answer += b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4" + address
    return answer
