"""paho's client for thousands of messages a second.

paho asks the system four times for each message that comes (select, and a recv for each of its
first bytes), and three times for each acknowledgement. This client reads whatever is there at
once, and sends many acknowledgements in one piece: half the time for a message. It is paho's
behaviour otherwise. pyproject.toml holds paho below 3, as private methods are used here.
"""

import struct
from collections.abc import Sequence
from typing import Any

from paho.mqtt import client as mqtt

_READ_BYTES = 65536
_PACKETS = 500  # in a row; then what waits to be sent has its turn


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

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class ManyMessages(mqtt.Client):
    def acknowledge(self, mids: Sequence[int]) -> None:
        """PUBACK for each, in this order."""
        packets = b"".join(struct.pack(">BBH", 0x40, 2, mid) for mid in mids)
        if packets:
            self._packet_queue(mqtt.PUBACK, packets, 0, 1)

    def loop_read(self, max_packets: int = 1) -> mqtt.MQTTErrorCode:
        for _ in range(_PACKETS):
            outcome = super().loop_read()
            sock: Any = self._sock
            if outcome or sock is None or not sock.pending():
                break
        return outcome

    def _create_socket(self) -> Any:
        return BufferedSocket(super()._create_socket())
