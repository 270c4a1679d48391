"""Announce this board to Home Assistant with the message of home_assistant.py."""

import asyncio
import gc
import random

from micropython import const

from link.mqtt_link import LinkDown
from ops.files import write_atomically
from ops.lazy import forget
from ops.uptime import uptime_ms

_STATUS = b"homeassistant/status"  # where Home Assistant reports that it has come up
_ANNOUNCED = "announced.txt"  # "DEVICE GESTURES" of the last announcement
_LOOK_S = const(5)
_SPREAD_MS = const(4096)
_SUBSCRIBES_S = const(1)  # Home Assistant takes that long to subscribe to what it did not know
_COMES_BACK_MS = const(15_000)  # it connects again within 10 s of a broker's restart
_MARGIN_MS = const(1000)  # an event that waited still has to get there in time


class Discovery:
    """link: Link. settings: device, trigger_age_s. engine: Engine, whose labels are
    announced, or None.
    """

    def __init__(self, link, settings, engine):
        self._link = link
        self._settings = settings
        self._engine = engine
        self._wanted = asyncio.Event()
        self._connection = 0  # the one that holds() knows
        self._back_ms = 0  # uptime until which Home Assistant is expected back
        link.subscribe(_STATUS, self._on_status)

    async def run(self, version, publish_diag):
        """Announce forever, at each connection and when Home Assistant starts.

        version: the firmware's. publish_diag: awaited when Home Assistant has started, so that
        its sensors have values at once.
        """
        link = self._link
        announced = 0  # the connection that has been announced on
        while True:
            await link.ready.wait()
            started = False
            if announced == link.connects:
                try:
                    await asyncio.wait_for(self._wanted.wait(), _LOOK_S)
                except asyncio.TimeoutError:
                    continue
                # Not all of a house's devices in one instant.
                await asyncio.sleep_ms(random.getrandbits(16) % _SPREAD_MS)
                started = True
            self._wanted.clear()
            announced = link.connects
            try:
                await announce(link, self._settings, version, self._engine)
                if started:
                    await asyncio.sleep(_SUBSCRIBES_S)
                    await publish_diag()
            except LinkDown:
                announced = 0

    def renew(self):
        """What is announced has changed. Never waits."""
        self._wanted.set()

    def holds(self, age_ms):
        """Whether an event of this age should wait, as Home Assistant is about to come back.

        It knows nothing of what is published while it is away. It is expected back when the
        broker ended the last link, or when it said goodbye. An event waits only as long as it
        can still trigger something.
        """
        link = self._link
        if self._connection != link.connects:
            self._connection = link.connects
            self._back_ms = uptime_ms() + _COMES_BACK_MS if link.broker_left else 0
        if age_ms > 1000 * self._settings.trigger_age_s - _MARGIN_MS:
            return False
        return uptime_ms() < self._back_ms

    def _on_status(self, topic, payload, retained):
        if retained:
            return
        if payload == b"online":
            self._back_ms = 0
            self._wanted.set()
        elif payload == b"offline":
            self._back_ms = uptime_ms() + _COMES_BACK_MS


async def announce(link, settings, version, engine):
    """Publish the discovery message, and take back what is no longer true. Raises LinkDown."""
    from events import home_assistant
    from ops.json_pieces import pieces

    device = settings.device
    labels, idle = (engine.labels, engine.idle) if engine else ((), 0)
    before, gestures = _announced()
    if not before:
        for topic in home_assistant.earlier_topics(device):
            await link.publish(topic, b"", True)
    elif before != device:  # it was renamed
        await link.publish(home_assistant.topic(before), b"", True)
        for name in ("status", "state"):
            await link.publish(("beckon/%s/%s" % (before, name)).encode(), b"", True)
        gestures = 0
    message = home_assistant.announcement(
        device,
        version,
        labels,
        idle,
        settings.trigger_age_s,
        gestures,
        2 * settings.contact_s if settings.power == "wake_on_motion" else 0,
    )
    try:
        topic = home_assistant.topic(device)
        await link.publish_pieces(topic, lambda: pieces(message), True)
        if (before, gestures) != (device, len(labels)):
            write_atomically(_ANNOUNCED, "%s %d" % (device, len(labels)))
    except LinkDown:
        raise
    except (OSError, ValueError, MemoryError) as fault:  # it must not cost the gestures
        print("beckon: not announced to Home Assistant:", fault)
    _forget()


async def remove(link, device):
    """Take it back. Raises LinkDown."""
    from events import home_assistant

    await link.publish(home_assistant.topic(device), b"", True)
    _forget()


def _announced():
    """(device, how many gestures at most) of the last announcement; ("", 0) if there was none."""
    try:
        with open(_ANNOUNCED) as file:
            device, count = file.read().split()
        return device, int(count)
    except (OSError, ValueError):
        return "", 0


def _forget():
    forget("events.home_assistant")  # used rarely, and large
    gc.collect()
