"""Announce this board to Home Assistant with the messages of home_assistant.py."""

import asyncio
import gc
import random

from link.mqtt_link import LinkDown
from ops.lazy import forget

_STATUS = b"homeassistant/status"  # where Home Assistant reports that it has come up
_LOOK_S = 5
_SPREAD_MS = 4096
BUTTONS = ("calibrate", "restart")


class Discovery:
    """link: Link. device: its name. engine: Engine, whose labels are announced, or None."""

    def __init__(self, link, device, engine):
        self._link = link
        self._device = device
        self._engine = engine
        self._wanted = asyncio.Event()
        link.subscribe(_STATUS, self._on_status)

    async def run(self, version):
        """Announce forever, at each connection and when Home Assistant starts.

        version: the firmware's.
        """
        link = self._link
        announced = 0  # the connection that has been announced on
        while True:
            await link.ready.wait()
            if announced == link.connects:
                try:
                    await asyncio.wait_for(self._wanted.wait(), _LOOK_S)
                except asyncio.TimeoutError:
                    continue
                # Not all of a house's devices in one instant.
                await asyncio.sleep_ms(random.getrandbits(16) % _SPREAD_MS)
            self._wanted.clear()
            announced = link.connects
            try:
                await announce(link, self._device, version, self._engine)
            except LinkDown:
                announced = 0

    def _on_status(self, topic, payload, retained):
        if payload == b"online" and not retained:
            self._wanted.set()


async def announce(link, device, version, engine):
    """Publish all discovery messages. Raises LinkDown."""
    from events.home_assistant import messages

    labels, idle = (engine.labels, engine.idle) if engine else ((), 0)
    await _publish(link, messages(device, version, labels, idle, BUTTONS))


async def remove(link, device):
    """Take all of them back. Raises LinkDown."""
    from events.home_assistant import removals

    await _publish(link, removals(device, BUTTONS))


async def _publish(link, messages):
    for topic, payload in messages:
        await link.publish(topic, payload, True)
    forget("events.home_assistant")  # used rarely, and large
    gc.collect()
