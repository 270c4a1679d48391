"""MicroPython side of test_link_umqtt.py."""

import asyncio

from link_rig import count, linked, make_link, make_publisher, say


async def main():
    link = make_link()
    publisher = make_publisher(link)
    came = []

    def on_command(topic, payload, retained):
        came.append((topic.decode(), len(payload)))

    link.subscribe(b"beckon/glove/cmd/#", on_command)
    running = asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    for i in range(10):  # also before there is a link
        publisher.post('circle "\u00e9"', 90 + i, i)
        await asyncio.sleep_ms(20)
    await linked(link)
    await link.publish(b"beckon/glove/cmd/x", b"x" * 300)
    while not came:
        await asyncio.sleep_ms(10)
    left = await publisher.close(3000)
    await asyncio.wait_for_ms(running, 1000)
    say(left=left, came=came, **count(link, publisher))


asyncio.run(main())
