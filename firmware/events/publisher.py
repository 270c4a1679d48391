"""Events, birth, state and diagnostics, as JSON over the link.

Topics lie under beckon/<device>/: `event` (QoS 1, never retained), `status`
(online or offline, retained, the last will), `state` (retained: what runs here)
and `diag` (counters, each minute). Numbers are integers throughout.
"""

import asyncio
import gc
import json
from time import ticks_add, ticks_diff, ticks_ms

from events.event import Event
from micropython import const

from link.mqtt_link import LinkDown
from ops.json_pieces import pieces
from ops.uptime import uptime_ms

ONLINE = b"online"
OFFLINE = b"offline"

_QUEUE = const(6)  # events that wait in RAM
_DIAG_MS = const(60_000)
_HOLD_MS = const(100)  # how often it looks whether Home Assistant is back
_DIAG_BYTES = const(1500)  # the most that the link takes


def open_log():
    """The EventLog in flash. Raises OSError."""
    from events.event_log import EventLog
    from events.record_log import RecordLog

    return EventLog(RecordLog())


def topic(device, name):
    """The topic `name` of a device, as bytes; names come from docs/mqtt.md."""
    return b"beckon/%s/%s" % (device.encode(), name.encode())


class Publisher:
    """link: Link. boot: a number unlike that of any other boot.

    describe: returns the dict that `state` shows.
    parts: list of objects with counters(into), whose union is `diag`; it may grow.
    wall: WallClock, or None: then no event has a time of day.
    open_log: returns the EventLog for events that the link cannot take now, or None:
    then they wait in RAM, the last 6 of them. Called when first needed, or at once with
    logged=True: some wait there already.
    """

    def __init__(
        self, link, device, boot, describe, parts, wall=None, open_log=None, logged=False
    ):
        self.model = ""
        self._dropped = self._delivered = self._oversized = 0
        self.diag_ms = _DIAG_MS
        self.house = None  # the Discovery, if there is one: it says which events wait
        self.outputs = []  # what else gets each event: post(label, confidence, seq), at once
        self._link = link
        self._clock = None
        self.boot = boot
        self.describe = describe
        self._parts = parts
        self._wall = wall
        self._open_log = open_log
        self._log = None
        self._queue = [Event()] + [None] * (_QUEUE - 1)  # the others when they are needed
        self._head = 0  # the oldest
        self._count = 0
        self._seq = 0
        self._born = 0  # the connection that has had its birth message
        self._state_sent = False  # whether the broker has the `state` that is true now
        self._wake = asyncio.Event()
        self._crowded = asyncio.Event()
        self._empty = asyncio.Event()
        if logged:
            self._has_log()
        if not (self._log and self._log.count()):
            self._empty.set()
        self._event_topic = topic(device, "event")
        self._status_topic = topic(device, "status")
        self._state_topic = topic(device, "state")
        self._diag_topic = topic(device, "diag")
        link.on_change = self._wake.set

    def sense(self, clock, model):
        """From here on there are events: of this model, with the times of this clock.

        clock: t_ms(index) and age_ms(index) of a sample, in ms.
        """
        self._clock = clock
        self.model = model

    def post(self, label, confidence, index, label_confidence=100):
        """Queue the event `label` (text), recognised at sample `index`; return its number.

        Never waits. A full queue drops its oldest unsent event and counts it.
        """
        if self._count == _QUEUE:
            self._keep_sent()
            self._drop_oldest()
            self._dropped += 1
        at = (self._head + self._count) % _QUEUE
        event = self._queue[at]
        if not event:
            event = self._queue[at] = Event()
        event.fill(
            self.boot, self._seq, self.model, label, confidence, label_confidence,
            self._clock, index, uptime_ms(),
        )
        self._count += 1
        self._seq += 1
        self._empty.clear()
        self._wake.set()
        if self._count > _QUEUE // 2:
            self._crowded.set()
        for output in self.outputs:
            output.post(label, confidence, event.seq)
        return event.seq

    async def run(self):
        """Send what is queued forever, in order, whenever the link is up."""
        asyncio.create_task(self._diagnose())
        asyncio.create_task(self._make_room())
        self._wake.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._work_off()
            except LinkDown:
                pass  # the link wakes this task when it is up again

    async def close(self, timeout_ms, status=OFFLINE):
        """Send what is queued, the last counters and the status; end the link.

        Returns the number of events that were neither sent nor logged.
        """
        give_up = ticks_add(ticks_ms(), timeout_ms)
        self.house = None
        try:
            await asyncio.wait_for_ms(self._finish(status), timeout_ms * 3 // 4)
        except (LinkDown, asyncio.TimeoutError):
            await self._save()  # and the broker's last will says that this end is gone
        await self._link.close(max(0, ticks_diff(give_up, ticks_ms())))
        return self._count

    def state_changed(self):
        """What describe() returns has changed: `state` is sent again. Never waits."""
        self._state_sent = False
        self._wake.set()

    def is_known(self):
        """Whether the broker has acknowledged what runs here on the link that is up now."""
        return self._link.ready.is_set() and self._born == self._link.connects

    def waiting(self):
        """How many events wait in RAM."""
        return self._count

    def queued(self):
        """The events that wait in RAM, oldest first."""
        return (self._queue * 2)[self._head : self._head + self._count]

    def counters(self, into):
        into["events_posted"] = self._seq
        into["events_delivered"] = self._delivered
        into["events_dropped"] = self._dropped
        into["events_queued"] = self._count
        into["messages_oversized"] = self._oversized
        if self._log:
            self._log.counters(into)

    async def _publish_state(self):
        self._state_sent = True  # a change from here on is sent in its turn
        try:
            gc.collect()
            state = self.describe()  # as large as the model's labels
            await self._link.publish_pieces(self._state_topic, lambda: pieces(state), True)
        except (ValueError, MemoryError):
            self._oversized += 1

    async def publish_diag(self):
        """Send the counters of all parts now."""
        try:
            await self._link.publish(self._diag_topic, self._diag_json(), False)
        except (ValueError, MemoryError):  # too large for the link, or for the heap just now
            self._oversized += 1

    def diag(self):
        """The counters of all parts, as a dict."""
        counters = {}
        for some in self._reports():
            counters.update(some)
        return counters

    def _diag_json(self):
        """The same as JSON, made a part at a time, as the dict of all takes more heap."""
        text = memoryview(bytearray(_DIAG_BYTES))
        at = 0
        for some in self._reports():
            json_text = memoryview(json.dumps(some))  # type: ignore[arg-type]
            text[at : at + len(json_text)] = json_text
            if at:  # its brace and the one before it become a comma
                text[at] = 44
            at += len(json_text) - 1
        return text[: at + 1]

    def _reports(self):
        gc.collect()
        yield {
            "boot": self.boot,
            "uptime_ms": uptime_ms(),
            "heap_free": gc.mem_free(),
            "heap_used": gc.mem_alloc(),
        }
        for part in [self, self._link] + self._parts:
            counters = {}
            part.counters(counters)
            if counters:
                yield counters

    async def _work_off(self):
        if not self._link.ready.is_set():
            await self._save()
            return
        if self._born != self._link.connects:
            connection = self._link.connects
            await self._link.publish(self._status_topic, ONLINE, True)
            await self._publish_state()
            self._born = connection
        try:
            while True:
                if not self._state_sent:
                    await self._publish_state()
                event = self._log.next() if self._log else None
                if self._is_held(event):
                    await asyncio.sleep_ms(_HOLD_MS)
                elif event:
                    boot, seq = event.boot, event.seq
                    await self._send(event, event.sent)
                    self._log.done(boot, seq)
                elif self._count:
                    await self._send_queued()
                else:
                    self._empty.set()
                    return
        except LinkDown:
            await self._save()
            raise

    def _is_held(self, event):
        """Whether the oldest event, the log's or the queue's, waits for Home Assistant."""
        if not event and self._count:
            event = self._queue[self._head]
        if not (event and self.house and self._link.ready.is_set()):
            return False
        return event.boot == self.boot and self.house.holds(uptime_ms() - event.captured_ms)

    async def _send_queued(self):
        event = self._queue[self._head]
        seq = event.seq
        sent, event.sent = event.sent, True
        await self._send(event, sent)
        if self._count and event.seq == seq and event is self._queue[self._head]:
            self._drop_oldest()
        elif self._log:  # _make_room has moved it there while it was under way
            self._log.done(self.boot, seq)

    async def _make_room(self):
        """Move events to flash when the link is up but does not answer."""
        while True:
            await self._crowded.wait()
            self._crowded.clear()
            await self._save()

    def _has_log(self):
        """Whether there is an event log; opens it when this is asked first."""
        if self._open_log:
            try:
                self._log = self._open_log()
            except OSError as fault:
                print("beckon: events wait in RAM only,", fault)
            self._open_log = None
        return self._log is not None

    async def _send(self, event, repeat):
        wall = self._wall
        if event.boot == self.boot:
            latency_ms = uptime_ms() - event.captured_ms
            unix_ms = wall.unix_ms(event.captured_ms) if wall else 0
        else:  # its uptime is over; what remains is the time of day, if it was known
            unix_ms = event.unix_ms
            now_ms = wall.unix_ms(uptime_ms()) if wall else 0
            latency_ms = now_ms - unix_ms if now_ms and unix_ms else None
        payload = event.payload(latency_ms, unix_ms)
        await self._link.publish(self._event_topic, payload, repeat=repeat)
        self._delivered += 1

    async def _save(self):
        """Move what is queued to flash, which holds the loop for some ms a record."""
        while self._count and self._has_log():
            event = self._queue[self._head]
            event.unix_ms = self._wall.unix_ms(event.captured_ms) if self._wall else 0
            if not self._log.append(event):
                return  # they go on waiting in RAM
            self._drop_oldest()
            await asyncio.sleep_ms(0)

    def _keep_sent(self):
        """Put the oldest event behind the next one if it has been sent.

        It may have arrived, so it must not count as dropped; and it keeps its DUP flag.
        """
        queue, head = self._queue, self._head
        if queue[head].sent:
            second = (head + 1) % _QUEUE
            queue[head], queue[second] = queue[second], queue[head]

    def _drop_oldest(self):
        self._count -= 1
        self._head = (self._head + 1) % _QUEUE if self._count else 0

    async def _diagnose(self):
        while True:
            await asyncio.sleep_ms(self.diag_ms)
            try:
                await self.publish_diag()
            except LinkDown:
                pass  # the counters go on counting, and go out a minute later

    async def _finish(self, status):
        await self._link.ready.wait()
        await self._empty.wait()
        await self.publish_diag()
        await self._link.publish(self._status_topic, status, True)
