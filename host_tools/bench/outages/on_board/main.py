"""MicroPython side: the firmware as it is, with events posted at set times.

A task posts an event every now and then, as the recogniser would, labelled with the
time of day in ms, until the host makes the file `enough`. Wi-Fi is lost as long as
the file `wifi_lost` exists.
"""

import asyncio
import json
import os
import random

import network

_is_connected = network.WLAN.isconnected


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


network.WLAN.isconnected = lambda self: _is_connected(self) and not exists("wifi_lost")

import app  # noqa: E402
from holds import Holds  # noqa: E402
from ops.uptime import uptime_ms  # noqa: E402


class BenchApp(app.App):
    async def run(self):
        self.board.parts.append(holds)
        asyncio.create_task(self.post())
        await super().run()

    def newest(self):
        """Index of the newest sample that was read."""
        count = {}
        self.board.sensing.sampler.counters(count)
        return count["samples"] + count["samples_lost"] - 1

    async def post(self):
        with open("bench.json") as file:
            plan = json.load(file)
        least_ms, most_ms = plan["gap_ms"]
        while not self.board.wall.unix_ms(uptime_ms()) or self.newest() < 100:
            await asyncio.sleep_ms(20)
        print("begins")
        posted = 0
        while posted < plan["events"] or not exists("enough"):
            index = self.newest()
            now_ms = self.board.wall.unix_ms(uptime_ms())
            posted = self.board.publisher.post(str(now_ms), 90, index) + 1
            await asyncio.sleep_ms(least_ms + random.getrandbits(20) % (most_ms - least_ms + 1))
        print("posted", posted)


holds = Holds()  # before the firmware takes methods of the bus
app.App = BenchApp
app.main()
