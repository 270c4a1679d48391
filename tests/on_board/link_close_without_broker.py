"""MicroPython side of test_link_basic.py."""

import asyncio

from link_rig import make_link, make_publisher, say


async def main():
    link = make_link()
    publisher = make_publisher(link)
    running = asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    publisher.post("circle", 90, 1)
    await asyncio.sleep_ms(100)
    left = await asyncio.wait_for_ms(publisher.close(400), 4000)
    await asyncio.wait_for_ms(running, 4000)
    say(left=left)


asyncio.run(main())
