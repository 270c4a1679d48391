"""MicroPython side of test_link_outage.py."""

import asyncio

from link_rig import count, make_link, make_publisher, play, say

from events.event_log import EventLog
from events.record_log import RecordLog


class Broken(RecordLog):
    def append(self, record):
        raise OSError(28)


async def main():
    link = make_link()
    publisher = make_publisher(link, log_of=lambda: EventLog(Broken()))
    asyncio.create_task(publisher.run())
    await play(publisher, 20, 5)
    say(**count(publisher))
    asyncio.create_task(link.run())
    say(left=await publisher.close(5000), **count(publisher))


asyncio.run(main())
