"""One question and its answer over UDP, without holding the event loop."""

import asyncio
import errno
import socket
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

_MOST_BYTES = const(512)


async def ask(host, port, request, take, key, timeout_ms):
    """Send request and return what take(answer, key) makes of the first answer it accepts.

    host: an IP address as text. take: returns None for bytes that do not answer key.
    Raises OSError: ETIMEDOUT, or what the network says.
    """
    address = socket.getaddrinfo(host, port)[0][-1]  # of a number: at once
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    give_up = ticks_add(ticks_ms(), timeout_ms)
    try:
        sock.setblocking(False)
        sock.sendto(request, address)
        stream = asyncio.StreamReader(sock)
        while True:
            left_ms = ticks_diff(give_up, ticks_ms())
            if left_ms <= 0:
                raise OSError(errno.ETIMEDOUT)
            answer = await asyncio.wait_for_ms(stream.read(_MOST_BYTES), left_ms)
            value = take(answer, key) if answer else None
            if value is not None:
                return value
    except asyncio.TimeoutError:
        raise OSError(errno.ETIMEDOUT)
    finally:
        sock.close()
