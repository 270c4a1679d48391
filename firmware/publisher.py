"""Events, birth, state and diagnostics, as JSON over the link.

Topics lie under beckon/<device>/: `event` (QoS 1, never retained), `status`
(online or offline, retained, the last will), `state` (retained: what runs here)
and `diag` (counters, each minute). Numbers are integers throughout.
"""

import asyncio
import gc
import json
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from mqtt_link import LinkDown

ONLINE = b"online"
OFFLINE = b"offline"

_QUEUE = const(16)  # events that wait in RAM
_DIAG_MS = const(60_000)


def topic(device, name):
    """The topic `name` of a device, as bytes; names come from docs/mqtt.md."""
    return b"beckon/%s/%s" % (device.encode(), name.encode())


class Event:
    """A place in the queue, used again and again."""

    def __init__(self):
        self.label = ""
        self.model = ""
        self.confidence = 0  # percent
        self.seq = 0
        self.t_ms = 0  # on the sample clock
        self.captured = 0  # ticks_ms() when its last sample was taken
        self.sent = False  # on a connection that may have ended


class Publisher:
    """link: Link. clock: t_ms(index) and age_ms(index) of a sample, in ms.

    boot: a number unlike that of any other boot. model: the model's id, free to change.
    describe: returns the dict that `state` shows.
    parts: objects with counters(into), whose union is `diag`; more may be appended.
    wall: iso(ticks) gives UTC as ISO 8601 text or None; or None.
    """

    def __init__(self, link, clock, device, boot, model, describe, parts, wall=None):
        self.model = model
        self.dropped = self.delivered = self.oversized = 0
        self._link = link
        self._clock = clock
        self._boot = boot
        self._describe = describe
        self._parts = parts
        self._wall = wall
        self._queue = [Event() for _ in range(_QUEUE)]
        self._head = 0  # the oldest
        self._count = 0
        self._seq = 0
        self._born = 0  # the connection that has had its birth message
        self._uptime_ms = 0
        self._counted_at = ticks_ms()
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._event_topic = topic(device, "event")
        self._status_topic = topic(device, "status")
        self._state_topic = topic(device, "state")
        self._diag_topic = topic(device, "diag")
        link.on_change = self._wake.set

    def post(self, label, confidence, index):
        """Queue the event `label` (text), recognised at sample `index`; return its number.

        Never waits. A full queue drops its oldest event and counts it.
        """
        if self._count == _QUEUE:
            self._drop_oldest()
            self.dropped += 1
        event = self._queue[(self._head + self._count) % _QUEUE]
        event.label = label
        event.model = self.model
        event.confidence = confidence
        event.seq = self._seq
        event.t_ms = self._clock.t_ms(index)
        event.captured = ticks_add(ticks_ms(), -self._clock.age_ms(index))
        event.sent = False
        self._count += 1
        self._seq += 1
        self._empty.clear()
        self._wake.set()
        return event.seq

    async def run(self):
        """Send what is queued, in order, whenever the link is up; for ever."""
        asyncio.create_task(self._diagnose())
        self._wake.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._work_off()
            except LinkDown:
                pass  # the link wakes this task when it is up again

    async def close(self, timeout_ms):
        """Send what is queued, the last counters and `offline`; end the link.

        Returns the number of events that could not be sent.
        """
        give_up = ticks_add(ticks_ms(), timeout_ms)
        try:
            await asyncio.wait_for_ms(self._finish(), timeout_ms * 3 // 4)
        except (LinkDown, asyncio.TimeoutError):
            pass  # told by the return value, and by the broker's last will
        await self._link.close(max(0, ticks_diff(give_up, ticks_ms())))
        return self._count

    def counters(self, into):
        into["events_posted"] = self._seq
        into["events_delivered"] = self.delivered
        into["events_dropped"] = self.dropped
        into["events_queued"] = self._count
        into["messages_oversized"] = self.oversized

    async def publish_state(self):
        """Send `state` anew, after something that it shows has changed."""
        await self._publish(self._state_topic, self._describe(), True)

    async def publish_diag(self):
        """Send the counters of all parts now."""
        counters = {"boot": self._boot, "uptime_ms": self._uptime()}
        gc.collect()
        counters["heap_free"] = gc.mem_free()
        counters["heap_used"] = gc.mem_alloc()
        self.counters(counters)
        self._link.counters(counters)
        for part in self._parts:
            part.counters(counters)
        await self._publish(self._diag_topic, counters, False)

    async def _work_off(self):
        if not self._link.ready.is_set():
            return
        if self._born != self._link.connects:
            connection = self._link.connects
            await self._link.publish(self._status_topic, ONLINE, True)
            await self.publish_state()
            self._born = connection
        while self._count:
            event = self._queue[self._head]
            seq = event.seq
            sent, event.sent = event.sent, True
            await self._link.publish(self._event_topic, self._payload(event), repeat=sent)
            self.delivered += 1
            if self._count and event.seq == seq and event is self._queue[self._head]:
                self._drop_oldest()  # else it was overwritten while under way

    def _payload(self, event):
        time = self._wall.iso(event.captured) if self._wall else None
        return (
            '{"event_type":%s,"confidence":%d,"seq":%d,"boot":%d,"t_ms":%d,'
            '"time":%s,"latency_ms":%d,"model":%s}'
            % (
                json.dumps(event.label),
                event.confidence,
                event.seq,
                self._boot,
                event.t_ms,
                json.dumps(time),
                ticks_diff(ticks_ms(), event.captured),
                json.dumps(event.model),
            )
        ).encode()

    def _drop_oldest(self):
        self._head = (self._head + 1) % _QUEUE
        self._count -= 1
        if not self._count:
            self._empty.set()

    async def _publish(self, where, values, retain):
        try:
            await self._link.publish(where, json.dumps(values).encode(), retain)
        except ValueError:
            self.oversized += 1

    async def _diagnose(self):
        while True:
            await asyncio.sleep_ms(_DIAG_MS)
            try:
                await self.publish_diag()
            except LinkDown:
                pass  # the counters go on counting; the next minute tells

    async def _finish(self):
        await self._link.ready.wait()
        await self._empty.wait()
        await self.publish_diag()
        await self._link.publish(self._status_topic, OFFLINE, True)

    def _uptime(self):
        """ms since start; asked for at least every few days, as ticks_ms() wraps."""
        now = ticks_ms()
        self._uptime_ms += ticks_diff(now, self._counted_at)
        self._counted_at = now
        return self._uptime_ms
