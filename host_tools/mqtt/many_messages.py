"""paho's client for thousands of messages a second.

paho asks the system four times for each message that comes (select, and a recv for each of its
first bytes), and three times for each acknowledgement. This client reads whatever is there at
once, takes whole PUBLISH packets apart without paho's steps, and sends many acknowledgements in one
piece. Everything else is left to paho, whatever is not as it should be too. pyproject.toml holds
paho below 3, as private methods are used here.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from paho.mqtt import client as mqtt

_READ_BYTES = 65536
_PACKETS = 500  # in a row; then what waits to be sent has its turn


class Published(NamedTuple):
    """mid: 0 at QoS 0."""

    topic: bytes
    payload: bytes
    retain: bool
    qos: int
    mid: int


class BufferedSocket:
    """A socket with a buffer for reading. recv() raises what the socket's raises."""

    def __init__(self, sock: Any):
        self._socket = sock
        self._data = b""
        self._at = 0

    def recv(self, size: int) -> bytes:
        if self._at == len(self._data):
            self._data = self._socket.recv(_READ_BYTES)
            self._at = 0
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def pending(self) -> int:
        """Bytes that recv() returns without waiting."""
        beneath = self._socket.pending() if hasattr(self._socket, "pending") else 0
        return len(self._data) - self._at + beneath

    def whole_publishes(self, properties: bool) -> Iterator[Published]:
        """PUBLISH packets at QoS 0 and 1 that have come whole, up to the first other one.

        properties: whether packets have some (MQTT 5), which are passed over. MQTT 5, section 3.3.
        """
        data, at = self._data, self._at
        while True:
            try:
                first = data[at]
                if first & 0xF4 != 0x30:  # another packet, or QoS 2
                    return
                size, begin = _variable(data, at + 1)
                end = begin + size
                topic_end = begin + 2 + (data[begin] << 8 | data[begin + 1])
                topic, rest, mid = data[begin + 2 : topic_end], topic_end, 0
                if first & 2:
                    mid, rest = data[rest] << 8 | data[rest + 1], rest + 2
                if properties:
                    length, rest = _variable(data, rest)
                    rest += length
            except (IndexError, ValueError):
                return
            if end > len(data) or rest > end:
                return
            self._at = at = end
            yield Published(topic, data[rest:end], bool(first & 1), first >> 1 & 1, mid)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


def _variable(data: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer and where it ends, MQTT 5, section 1.5.5.

    Raises IndexError if it is not whole, ValueError if it is not one.
    """
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 21:
            raise ValueError


class ManyMessages(mqtt.Client):
    on_published: Callable[[Published], None] | None = None
    """Gets what comes, instead of on_message, if most of it is at hand at once."""

    def acknowledge(self, mids: Sequence[int]) -> None:
        """PUBACK for each, in this order."""
        packets = b"".join(struct.pack(">BBH", 0x40, 2, mid) for mid in mids)
        if packets:
            self._packet_queue(mqtt.PUBACK, packets, 0, 1)

    def loop_read(self, max_packets: int = 1) -> mqtt.MQTTErrorCode:
        taken = 0
        while True:
            taken += 1
            outcome = super().loop_read()
            sock: Any = self._sock
            if outcome or sock is None:
                break
            if self.on_published and not self._in_packet["command"]:  # not within one
                for published in sock.whole_publishes(self._protocol == mqtt.MQTTv5):
                    self.on_published(published)
                    taken += 1
            if taken >= _PACKETS or not sock.pending():
                break
        return outcome

    def _create_socket(self) -> Any:
        return BufferedSocket(super()._create_socket())
