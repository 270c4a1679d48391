"""MicroPython side of test_link_outage.py."""

import asyncio

from link_rig import count, linked, make_link, make_publisher, open_log, play, say


async def main():
    link = make_link()
    publisher = make_publisher(link, log_of=open_log)
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await linked(link)
    await play(publisher, 30, 5)
    say(**count(publisher))
    left = await publisher.close(5000)
    say(left=left, **count(publisher))


asyncio.run(main())
