"""MicroPython side of test_link_basic.py."""

import asyncio

from link_rig import linked, make_link, make_publisher


async def main():
    link = make_link()
    publisher = make_publisher(link)
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await linked(link)
    publisher.post("circle", 90, 1)
    await asyncio.sleep(600)


asyncio.run(main())
