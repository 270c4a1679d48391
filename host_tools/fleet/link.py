"""One device's connection, on a transport of asyncio. It holds no buffer but what is incomplete."""

import asyncio
from collections.abc import Callable

from host_tools.fleet import packets


class Link(asyncio.Protocol):
    """on_up: the broker has accepted. on_ack: called with the packet id of each acknowledgement.
    on_down: called once, with the reason, when the connection is over or was refused.
    on_message: called with topic and payload of what comes; acknowledged already."""

    def __init__(self, greeting: bytes, on_up: Callable[[], None], on_ack: Callable[[int], None],
                 on_down: Callable[[str], None],
                 on_message: Callable[[str, bytes], None] = lambda topic, payload: None,
                 ):  # fmt: skip
        self._greeting = greeting
        self._on_up = on_up
        self._on_ack = on_ack
        self._on_down = on_down
        self._on_message = on_message
        self._transport: asyncio.Transport | None = None
        self._rest = bytearray()
        self._reason = "the broker ended the connection"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._greeting)

    def send(self, packet: bytes) -> None:
        if self._transport is not None:
            self._transport.write(packet)

    def abort(self) -> None:
        """As when the power fails: the broker publishes the will."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        self.send(packets.DISCONNECT)
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        if len(data) == 4 and data[0] == 0x40 and not self._rest:  # one PUBACK, nearly always
            self._on_ack(data[2] << 8 | data[3])
            return
        self._rest += data
        try:
            for first, body in packets.split(self._rest):
                self._take(first, body)
        except (packets.ProtocolError, IndexError, UnicodeError) as fault:
            self._reason = f"the broker sent what is not MQTT: {fault}"
            self.abort()

    def _take(self, first: int, body: bytes) -> None:
        kind = first >> 4
        if kind == packets.PUBACK:
            self._on_ack(body[0] << 8 | body[1])
        elif kind == packets.CONNACK:
            if body[1]:
                self._reason = f"the broker refuses (code {body[1]} of section 3.2.2.3)"
                self.abort()
            else:
                self._on_up()
        elif kind == packets.PUBLISH:
            topic, payload, packet_id = packets.taken_apart(first, body)
            if packet_id:
                self.send(packets.puback(packet_id))
            self._on_message(topic, payload)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._on_down(str(error) if error else self._reason)
