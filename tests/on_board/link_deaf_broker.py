"""MicroPython side of test_link_faults.py."""

import asyncio

from link_rig import Lag, count, linked, make_link, say

from link.mqtt_link import LinkDown


async def main():
    link = make_link()
    asyncio.create_task(link.run())
    lag = Lag()
    await linked(link)
    n = 0
    try:
        while True:
            await link.publish(b"a/b", b"x" * 1400, qos=0)
            n += 1
    except LinkDown:
        pass
    say(n=n, **count(link, lag))


asyncio.run(main())
