"""Finds MQTT brokers that announce themselves: packets of RFC 6762 and 6763. Pure."""

import struct

from micropython import const

TYPE_PTR = const(12)
TYPE_SRV = const(33)
SERVICE = (b"_mqtt", b"_tcp", b"local")

_MOST_RECORDS = const(32)
_MOST_LABELS = const(16)
_MOST_NAME = const(255)


def question(labels, kind, number):
    """A question for records of a kind under a name. labels: the name's parts, bytes."""
    name = b""
    for label in labels:
        name += bytes((len(label),)) + label
    return struct.pack(">HHHHHH", number, 0, 1, 0, 0, 0) + name + struct.pack(">BHH", 0, kind, 1)


def services(data, number):
    """What an answer to question `number` says: (places, names).

    places: name of the broker -> (host, port). names: of brokers, each a tuple of labels, for
    which the answer holds no place. None when it is not an answer to that question.
    """
    places: dict = {}
    names = []
    try:
        if _word(data, 0) != number or not data[2] & 0x80 or data[3] & 0x0F:
            return None
        at = 12
        for _ in range(min(_word(data, 4), _MOST_RECORDS)):
            at = _name(data, at)[1] + 4
        records = _word(data, 6) + _word(data, 8) + _word(data, 10)
        for _ in range(min(records, _MOST_RECORDS)):
            owner, at = _name(data, at)
            kind, size = _word(data, at), _word(data, at + 8)
            at += 10
            if kind == TYPE_PTR and _is_service(owner):
                name = _name(data, at)[0]
                if len(name) > 3 and _is_service(name[1:]):
                    names.append(name)
            elif kind == TYPE_SRV and _is_service(owner[1:]):
                host = b".".join(_name(data, at + 6)[0])
                port = _word(data, at + 4)
                if host and port:
                    places[_text(owner[0])] = _text(host), port
            at += size
    except (IndexError, ValueError):  # it ends too early, or its names lead in circles
        return None
    return places, [name for name in names if _text(name[0]) not in places]


def _is_service(labels):
    return tuple(label.lower() for label in labels) == SERVICE


def _text(data):
    try:
        return str(data, "utf-8")
    except ValueError:
        return ""


def _word(data, at):
    return data[at] << 8 | data[at + 1]


def _name(data, at):
    """(labels, where the name ends), RFC 1035 4.1.4. Raises IndexError, ValueError."""
    labels = []
    end = length = 0
    for _ in range(_MOST_LABELS):
        size = data[at]
        if size >= 0xC0:
            end = end or at + 2
            at = (size & 0x3F) << 8 | data[at + 1]
            continue
        at += 1
        if not size:
            return tuple(labels), end or at
        length += 1 + size
        if size > 63 or length > _MOST_NAME or at + size > len(data):
            break
        labels.append(bytes(data[at : at + size]))
        at += size
    raise ValueError("not a name")
