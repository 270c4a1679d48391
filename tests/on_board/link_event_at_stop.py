"""MicroPython side of test_link_outage.py."""

import asyncio

from link_rig import count, linked, make_link, make_publisher, open_log, say


async def main():
    link = make_link()
    publisher = make_publisher(link, log_of=open_log)
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await linked(link)
    publisher.post("circle", 90, 1)
    left = await publisher.close(600)
    say(left=left, **count(publisher))


asyncio.run(main())
