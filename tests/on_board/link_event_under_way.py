"""MicroPython side of test_link_basic.py."""

import asyncio

from link_rig import count, linked, make_link, make_publisher, say


async def main():
    link = make_link()
    publisher = make_publisher(link)
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await linked(link)
    publisher.post("circle", 90, 0)
    while not publisher._queue[0].sent:
        await asyncio.sleep_ms(0)
    for i in range(1, 9):
        publisher.post("circle", 90, i)
    say(**count(publisher))
    while publisher.waiting():
        await asyncio.sleep_ms(5)
    say(**count(publisher))
    await asyncio.sleep(600)


asyncio.run(main())
