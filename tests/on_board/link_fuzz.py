"""MicroPython side of test_link_fuzz.py."""

import asyncio
import gc

from link_rig import count, make_link, make_publisher, say

from link import mqtt_link

mqtt_link.pause_ms = lambda *args: 0  # hundreds of connections in seconds


async def main():
    link = make_link()
    publisher = make_publisher(link)
    taken = 0

    def on_command(topic, payload, retained):
        nonlocal taken
        taken += 1
        if topic.endswith(b"/tell"):
            gc.collect()
            say(taken=taken, heap=gc.mem_alloc(), **count(link, publisher))

    link.subscribe(b"beckon/glove/cmd/#", on_command)
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await asyncio.sleep(600)


asyncio.run(main())
