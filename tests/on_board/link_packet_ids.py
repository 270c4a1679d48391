"""MicroPython side of test_link_faults.py."""

import asyncio

from link_rig import linked, make_link, say


async def one(link, i):
    await link.publish(b"a/b", b"%d" % i)


async def main():
    link = make_link()
    asyncio.create_task(link.run())
    await linked(link)
    link.client.pid = 65533
    await asyncio.gather(*[one(link, i) for i in range(3)])
    link.client.pid = 65534
    slow = asyncio.create_task(one(link, 99))
    await asyncio.sleep_ms(50)
    link.client.pid = 65534
    await one(link, 100)
    await slow
    say(done=True)


asyncio.run(main())
