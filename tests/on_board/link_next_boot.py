"""MicroPython side of test_link_outage.py."""

import asyncio

from link_rig import count, make_link, make_publisher, open_log, play, say, settings

from ops.boot_number import next_boot
from ops.uptime import uptime_ms
from ops.wall_clock import WallClock


async def main():
    link = make_link()
    wall = WallClock()
    if settings().clock:
        wall.set(settings().clock, uptime_ms())
    publisher = make_publisher(link, boot=next_boot(), wall=wall, log_of=open_log, logged=True)
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await play(publisher, 3, 20)
    await asyncio.sleep_ms(50)
    say(**count(publisher))
    await asyncio.sleep(600)


asyncio.run(main())
