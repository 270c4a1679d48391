"""MicroPython side of test_link_faults.py."""

import asyncio

from link_rig import count, linked, log, say, settings

from link.mqtt_link import Link


class FakeWifi:
    def __init__(self):
        self.on = asyncio.Event()
        self.on.set()
        self.ups = 0

    def is_up(self):
        return self.on.is_set()

    async def up(self):
        await self.on.wait()
        self.ups += 1

    def counters(self, into):
        into["wifi_connects"] = self.ups


async def main():
    wifi = FakeWifi()
    link = Link(settings(), wifi=wifi, log=log)
    asyncio.create_task(link.run())
    await linked(link)
    wifi.on.clear()
    await asyncio.sleep_ms(300)
    say(up=link.ready.is_set())
    wifi.on.set()
    await linked(link)
    say(**count(link))


asyncio.run(main())
