"""MicroPython side of test_link_basic.py."""

import asyncio

from link_rig import Lag, count, linked, make_link, make_publisher, say


async def main():
    link = make_link()
    lag = Lag()
    publisher = make_publisher(link, parts=[lag])
    running = asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    for i in range(5):  # before there is a link
        publisher.post('circle "\u00e9"', 90 + i, i)
    await linked(link)
    for i in range(5, 10):
        while publisher.waiting() == 6:  # however slow the broker is, none is dropped
            await asyncio.sleep_ms(5)
        publisher.post("left", 90 + i, i)
        await asyncio.sleep_ms(15)
    left = await publisher.close(3000)
    await asyncio.wait_for_ms(running, 1000)
    say(left=left, **count(link, publisher))


asyncio.run(main())
