"""MicroPython side of test_link_outage.py."""

import asyncio

from link_rig import Lag, count, linked, make_link, make_publisher, open_log, play, say

from ops.uptime import uptime_ms
from ops.wall_clock import WallClock


async def main():
    link = make_link()
    wall = WallClock()
    wall.set(1700000000000, uptime_ms())
    publisher = make_publisher(link, wall=wall, log_of=open_log)
    lag = Lag()
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await linked(link)
    await play(publisher, 5, 10)
    say(ready=True)
    while link.ready.is_set():
        await asyncio.sleep_ms(10)
    await play(publisher, 40, 5)
    say(**count(publisher))
    await linked(link)
    await play(publisher, 5, 10)
    left = await publisher.close(5000)
    say(left=left, **count(publisher, link, lag))


asyncio.run(main())
