"""Keep Home Assistant told of this board; what is told, home_assistant.py says."""

import asyncio
import gc
import random

from link.mqtt_link import LinkDown
from ops.lazy import forget

_STATUS = b"homeassistant/status"  # where Home Assistant says that it has come up
_LOOK_S = 5
_SPREAD_MS = 4096
BUTTONS = ("calibrate", "restart")


class Discovery:
    """app: with link, engine, settings and VERSION."""

    def __init__(self, app):
        self._app = app
        self._wanted = asyncio.Event()
        app.link.subscribe(_STATUS, self._on_status)

    async def run(self):
        """Announce at each connection, and when Home Assistant comes up; for ever."""
        link = self._app.link
        told = 0
        while True:
            await link.ready.wait()
            if told == link.connects:
                try:
                    await asyncio.wait_for(self._wanted.wait(), _LOOK_S)
                except asyncio.TimeoutError:
                    continue
                # Not all of a house's devices in one instant.
                await asyncio.sleep_ms(random.getrandbits(16) % _SPREAD_MS)
            self._wanted.clear()
            told = link.connects
            try:
                await announce(self._app)
            except LinkDown:
                told = 0

    def _on_status(self, topic, payload, retained):
        if payload == b"online" and not retained:
            self._wanted.set()


async def announce(app):
    """Publish all discovery messages. Raises LinkDown."""
    from events.home_assistant import messages

    engine = app.engine
    labels, idle = (engine.labels, engine.idle) if engine else ((), 0)
    await _publish(app, messages(app.settings.device, app.VERSION, labels, idle, BUTTONS))


async def remove(app):
    """Take all of them back. Raises LinkDown."""
    from events.home_assistant import removals

    await _publish(app, removals(app.settings.device, BUTTONS))


async def _publish(app, messages):
    for topic, payload in messages:
        await app.link.publish(topic, payload, True)
    forget("events.home_assistant")  # used rarely, and large
    gc.collect()
