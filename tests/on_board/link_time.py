"""MicroPython side of test_link_names.py."""

import asyncio

from link_rig import count, say, settings

from link.dns import Resolver
from link.sntp import keep_time
from ops.uptime import uptime_ms
from ops.wall_clock import WallClock, iso


async def main():
    clock = WallClock()

    class Wifi:
        name_server = None

        def is_up(self):
            return True

    resolver = Resolver(None) if settings().shared else None
    asyncio.create_task(keep_time(clock, settings(), Wifi(), resolver))
    for _ in range(30):
        await asyncio.sleep_ms(100)
        if clock.settings or clock.failures:
            break
    say(iso=iso(clock.unix_ms(uptime_ms())), **count(clock))


asyncio.run(main())
