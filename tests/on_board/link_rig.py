"""MicroPython side of the link tests: a link, a publisher, a clock that ticks.

Scripts of tests import this; what they have to say goes out as JSON lines.
"""

import asyncio
import json
import sys
from time import ticks_diff, ticks_us

from events.event_log import EventLog
from events.publisher import OFFLINE, Publisher, topic
from events.record_log import RecordLog
from link.mqtt_link import Link

DEVICE = "glove"


class Settings:
    broker_host = "127.0.0.1"
    broker_port = 1883
    user = ""
    password = ""
    client_id = DEVICE
    device = DEVICE
    keepalive_s = 30
    response_timeout_ms = 3000


class Clock:
    """Sample clock at 100 Hz, three milliseconds behind."""

    def t_ms(self, index):
        return index * 10

    def age_ms(self, index):
        return 3


class Lag:
    """How long the loop keeps a task waiting that is due every millisecond."""

    def __init__(self):
        self.us = []
        asyncio.create_task(self._tick())

    async def _tick(self):
        while True:
            start = ticks_us()
            await asyncio.sleep_ms(1)
            if len(self.us) < 20000:
                self.us.append(ticks_diff(ticks_us(), start) - 1000)

    def counters(self, into):
        late = sorted(self.us)
        into["lag_us_p99"] = late[len(late) * 99 // 100] if late else 0
        into["lag_us_max"] = late[-1] if late else 0


def settings(**changes):
    made = Settings()
    for line in sys.argv[1:]:  # name=JSON
        name, _, value = line.partition("=")
        setattr(made, name, json.loads(value))
    for name in changes:
        setattr(made, name, changes[name])
    return made


def say(**values):
    print(json.dumps(values))


def log(text):
    say(log=text)


def make_link(**changes):
    return Link(settings(**changes), (topic(DEVICE, "status"), OFFLINE), log=log)


def make_publisher(link, boot=7, parts=(), wall=None, log_of=None, logged=False):
    def describe():
        return {"firmware": "test", "labels": ["idle", "circle"]}

    publisher = Publisher(link, DEVICE, boot, describe, list(parts), wall, log_of, logged)
    publisher.sense(Clock(), "m-1")
    return publisher


def count(*parts):
    """The counters of all parts."""
    into = {}
    for part in parts:
        part.counters(into)
    return into


async def linked(link, timeout_ms=60000):
    await asyncio.wait_for_ms(link.ready.wait(), timeout_ms)


def open_log():
    return EventLog(RecordLog())


async def play(publisher, n, gap_ms):
    """Post n events, gap_ms apart."""
    for i in range(n):
        publisher.post("circle", 90, i)
        await asyncio.sleep_ms(gap_ms)
