"""The time of day from a time server, without holding the event loop."""

import asyncio
import os
import random
from time import ticks_diff, ticks_ms

from micropython import const

from sntp_packet import reply, request
from udp import ask
from uptime import uptime_ms

_PORT = const(123)
_TIMEOUT_MS = const(2000)
_AGAIN_S = const(3600)  # a crystal of 40 ppm is then off by 0.15 s
_RETRY_S = const(16)
_RETRY_MOST_S = const(1024)


async def keep_time(wall, server, resolver, is_up):
    """Set a WallClock every hour, and try again soon while no server answers; for ever.

    server: host or host:port. resolver: dns.Resolver. is_up: tells whether there is a
    network.
    """
    host, _, port = server.partition(":")
    pause_s = _RETRY_S
    while True:
        while not is_up():
            await asyncio.sleep(1)
        try:
            address = await resolver.number(host, pause_s > _RETRY_S)
            unix_ms, ticks = await unix_time_ms(address, int(port or _PORT))
            wall.set(unix_ms, uptime_ms() - ticks_diff(ticks_ms(), ticks))
            pause_s = _AGAIN_S
        except (OSError, ValueError):
            wall.failures += 1
            pause_s = min(pause_s * 2, _RETRY_MOST_S)
        await asyncio.sleep(pause_s + random.getrandbits(10) % (pause_s // 4))


async def unix_time_ms(address, port):
    """(milliseconds since 1970, ticks_ms() when they were true).

    address: an IP address as text. Raises OSError when no server answers in time.
    """
    cookie = os.urandom(8)
    start = ticks_ms()
    server_ms = await ask(address, port, request(cookie), reply, cookie, _TIMEOUT_MS)
    now = ticks_ms()
    # The answer was under way for half the time that both ways took.
    return server_ms + ticks_diff(now, start) // 2, now
