"""The packets of MQTT 3.1.1 that a device sends and receives. Pure.

Section numbers are those of the OASIS standard "MQTT Version 3.1.1". paho cannot take this
place: its loops use select(), which takes no file descriptor beyond 1,023.
"""

import struct
from collections.abc import Iterator

CONNACK, PUBLISH, PUBACK, PINGRESP = 2, 3, 4, 13
PINGREQ = b"\xc0\0"
DISCONNECT = b"\xe0\0"


class ProtocolError(ValueError):
    """What came is not MQTT."""


def connect(client_id: str, will_topic: str, will: bytes, keepalive_s: int, user: str = "",
            password: str = "") -> bytes:  # fmt: skip
    """Section 3.1: a clean session, and a retained will at QoS 1."""
    flags = 0x02 | 0x04 | 0x08 | 0x20  # clean session, will, its QoS 1, will retained
    content = [_text(client_id), _text(will_topic), struct.pack(">H", len(will)) + will]
    if user:
        flags |= 0x80
        content.append(_text(user))
    if password:
        flags |= 0x40
        content.append(_text(password))
    head = _text("MQTT") + struct.pack(">BBH", 4, flags, keepalive_s)
    return _packet(0x10, head + b"".join(content))


def publish(topic: bytes, payload: bytes, packet_id: int, *, retain: bool = False,
            dup: bool = False) -> bytes:  # fmt: skip
    """Section 3.3, at QoS 1."""
    first = 0x32 | retain | dup << 3
    body = b"%b%b%b%b" % (len(topic).to_bytes(2, "big"), topic, packet_id.to_bytes(2, "big"),
                          payload)  # fmt: skip
    return _packet(first, body)


def subscribe(topic: str, packet_id: int, qos: int = 1) -> bytes:
    """Section 3.8."""
    return _packet(0x82, struct.pack(">H", packet_id) + _text(topic) + bytes([qos]))


def puback(packet_id: int) -> bytes:
    """Section 3.4."""
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


def taken_apart(first: int, body: bytes) -> tuple[str, bytes, int]:
    """(topic, payload, packet id; 0 at QoS 0) of a PUBLISH, section 3.3. Raises IndexError."""
    end = 2 + (body[0] << 8 | body[1])
    topic = body[2:end].decode()
    if not first & 0x06:
        return topic, body[end:], 0
    return topic, body[end + 2 :], body[end] << 8 | body[end + 1]


def split(data: bytearray) -> Iterator[tuple[int, bytes]]:
    """(first byte, rest) of each whole packet at the beginning of data, which they leave.

    Raises ProtocolError.
    """
    at = 0
    try:
        while len(data) - at >= 2:
            size = shift = 0
            i = at + 1
            while True:
                if i == len(data):
                    return
                byte = data[i]
                size |= (byte & 127) << shift
                shift += 7
                i += 1
                if byte < 128:
                    break
                if shift > 21:
                    raise ProtocolError("a length of more than four bytes")
            if len(data) - i < size:
                return
            yield data[at], bytes(data[i : i + size])
            at = i + size
    finally:
        del data[:at]


def _text(text: str) -> bytes:
    content = text.encode()
    return struct.pack(">H", len(content)) + content


def _packet(first: int, body: bytes) -> bytes:
    size = len(body)
    if size < 128:
        return bytes((first, size)) + body
    length = bytearray()
    while True:
        size, byte = size >> 7, size & 127
        length.append(byte | 128 * (size > 0))
        if not size:
            return bytes([first]) + bytes(length) + body
