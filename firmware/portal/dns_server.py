"""Answers all names with the board's address, so that a phone that joins finds the page."""

import asyncio
import socket

from micropython import const

from portal.dns_reply import reply
from portal.http_server import readable

_MOST_BYTES = const(513)  # one more than is taken
_PAUSE_MS = const(20)  # between two answers: a flood costs no more than 50 of them a second


class DnsServer:
    """address: text, the board's own in the access point's network."""

    def __init__(self, address):
        self._address = bytes(int(part) for part in address.split("."))
        self.answered = self.dropped = 0

    def open(self, host, port):
        """Listen. Raises OSError."""
        self._sock = sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(socket.getaddrinfo(host, port)[0][-1])
        sock.setblocking(False)

    async def run(self):
        """Answer forever."""
        while True:
            await readable(self._sock)
            try:
                data, peer = self._sock.recvfrom(_MOST_BYTES)
                answer = reply(data, self._address)
                if answer:
                    self._sock.sendto(answer, peer)
                    self.answered += 1
                else:
                    self.dropped += 1
            except (OSError, MemoryError):
                self.dropped += 1
            await asyncio.sleep_ms(_PAUSE_MS)
