"""MicroPython side of test_link_faults.py."""

import asyncio

from link_rig import Lag, count, make_link, make_publisher, say, settings

from events.discovery import Discovery


async def main():
    link = make_link()
    publisher = make_publisher(link)
    if hasattr(settings(), "trigger_age_s"):  # events wait for Home Assistant
        publisher.house = Discovery(link, settings(), None)
    came = []

    def on_command(topic, payload, retained):
        came.append([topic.decode(), len(payload), retained])
        if topic.endswith(b"/post"):
            publisher.post("circle", 90, len(came))
        if topic.endswith(b"/fail"):
            raise KeyError("handler")
        if topic.endswith(b"/tell"):
            say(came=came, **count(link, publisher))

    link.subscribe(b"beckon/glove/cmd/#", on_command)
    Lag()
    asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    publisher.post("first", 90, 0)
    await asyncio.sleep(600)


asyncio.run(main())
