"""MicroPython side of test_link_basic.py."""

import asyncio

from link_rig import count, make_link, make_publisher, say


async def main():
    link = make_link()
    publisher = make_publisher(link)
    for i in range(20):
        publisher.post("circle", 90, i)
    before = count(publisher)
    asyncio.create_task(publisher.run())
    asyncio.create_task(link.run())
    left = await publisher.close(5000)
    say(left=left, dropped=before["events_dropped"], queued=before["events_queued"])


asyncio.run(main())
