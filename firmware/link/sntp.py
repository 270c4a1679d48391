"""The time of day from a time server, without holding the event loop.

What is needed for that once an hour lies in the heap only as long as it takes.
"""

import asyncio
import gc
import os
import random
from time import ticks_diff, ticks_ms

from micropython import const

from ops.lazy import forget
from ops.uptime import uptime_ms

_PORT = const(123)
_TIMEOUT_MS = const(2000)
_AGAIN_S = const(3600)  # a crystal of 40 ppm is then off by 0.15 s
_RETRY_S = const(16)
_RETRY_MOST_S = const(1024)


async def keep_time(wall, settings, wifi, resolver=None):
    """Set a WallClock every hour, forever; try again soon while no server answers.

    settings: time_server, host or host:port, and name_server. resolver: the dns.Resolver
    that others use, too; without one, each look-up makes its own.
    """
    retry_s = 0
    while True:
        while not wifi.is_up():
            await asyncio.sleep(1)
        try:
            host, _, port = settings.time_server.partition(":")
            if not host.replace(".", "").isdigit():
                made = resolver or _resolver(settings, wifi)
                host = await made.address(host, retry_s > 0)
            await _set(wall, host, int(port or _PORT))
            pause_s = _AGAIN_S
            retry_s = 0
        except (OSError, ValueError, MemoryError):
            wall.failures += 1
            pause_s = retry_s = min(retry_s * 2 or _RETRY_S, _RETRY_MOST_S)
        if not resolver:
            forget("link.sntp_packet", "link.udp", "link.dns", "link.dns_packet")
            gc.collect()
        await asyncio.sleep(pause_s + random.getrandbits(10) % (pause_s // 4))


def _resolver(settings, wifi):
    from link.dns import Resolver

    return Resolver(wifi.name_server, settings.name_server)


async def _set(wall, address, port):
    """address: an IP address as text. Raises OSError when no server answers in time."""
    from link.sntp_packet import reply, request
    from link.udp import ask

    cookie = os.urandom(8)
    start = ticks_ms()
    server_ms = await ask(address, port, request(cookie), reply, cookie, _TIMEOUT_MS)
    now = ticks_ms()
    # The answer was under way for half the time that both ways took.
    wall.set(server_ms + ticks_diff(now, start) // 2, uptime_ms())
