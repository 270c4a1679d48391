"""MicroPython side: many events over one connection, as fast as they are acknowledged.

    micropython soak.py PORT EVENTS LOOK_AT

Prints `heap N USED` after LOOK_AT and after all events, then `counters JSON`.
"""

import asyncio
import gc
import json
import sys

from link.mqtt_link import Link
from events.publisher import OFFLINE, Publisher, topic


class Settings:
    broker_host = "127.0.0.1"
    broker_port = int(sys.argv[1])
    user = ""
    password = ""
    client_id = "soak"
    keepalive_s = 30
    response_timeout_ms = 10000


class Clock:
    def t_ms(self, index):
        return index * 10

    def age_ms(self, index):
        return 0


async def used():
    """Bytes in use when all has become quiet; the least of some looks, as the collector
    also keeps what only looks like in use."""
    least = 1 << 30
    for _ in range(20):
        await asyncio.sleep_ms(37)
        gc.collect()
        least = min(least, gc.mem_alloc())
    return least


async def main(events, look_at):
    link = Link(Settings, (topic("soak", "status"), OFFLINE))
    publisher = Publisher(link, "soak", 1, lambda: {"firmware": "soak"}, [])
    publisher.sense(Clock(), "soak")
    running = asyncio.create_task(link.run())
    asyncio.create_task(publisher.run())
    await link.ready.wait()
    for i in range(events):
        if i == look_at:
            print("heap", i, await used())
        publisher.post("circle", 90, i)
        while publisher.waiting():
            await asyncio.sleep_ms(0)
    print("heap", events, await used())
    left = await publisher.close(5000)
    await running
    counters = {"left": left}
    publisher.counters(counters)
    link.counters(counters)
    print("counters", json.dumps(counters))


asyncio.run(main(int(sys.argv[2]), int(sys.argv[3])))
