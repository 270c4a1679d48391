"""The gateway: events of boards without Wi-Fi, taken over ESP-NOW and published over MQTT.

They appear under the sender's name, as if it had sent them: beckon/<sender>/event.
"""

import asyncio
import os

from espnow import ESPNow
from events.event import Event
from events.publisher import topic
from micropython import const
from radio.now_frame import (
    ACK,
    EVENT,
    HELLO,
    NONCE_BYTES,
    WELCOME,
    counter_of,
    is_name,
    keys,
    kind_of,
    opened,
    read_event,
    seal,
)

from link.mqtt_link import LinkDown
from ops.uptime import uptime_ms

_WAITING = const(8)
_POLL_MS = const(10)
_FRAMES = const(4)  # taken in a row, then others may run


class _Peer:
    """One sender, as it is known since this start."""

    def __init__(self):
        self.session = b""  # the random bytes of both, once an event came with them
        self.offered = b""  # of the last HELLO: a recorded one must not end what runs
        self.counter = 0


class Gateway:
    """device: the name of this board. senders: their addresses. secret: 16 bytes. link: Link.
    wlan: the station that is connected or will be. wall: WallClock."""

    def __init__(self, device, senders, secret, link, wlan, wall):
        self._device = device
        self._peers = {mac: _Peer() for mac in senders}
        self._key, self._pmk, self._lmk = keys(secret)
        self._link = link
        self._wlan = wlan
        self._wall = wall
        self._now = ESPNow()
        self._queue = []  # (device, Event)
        self._work = asyncio.Event()
        self._came = self._repeated = self._refused = self._strange = self._dropped = 0
        self._published = self._faults = self._turns = 0
        self.is_up = False

    def start(self):
        """Switch ESP-NOW on. Raises OSError."""
        self._wlan.active(True)
        self._now.active(True)
        self._now.set_pmk(self._pmk)
        for mac in self._peers:
            self._now.add_peer(mac, self._lmk)
        self.is_up = True

    async def run(self):
        """Take what comes, forever."""
        asyncio.create_task(self._publish())
        while True:
            self._turns += 1
            try:
                for _ in range(_FRAMES):
                    if not self._now.any():
                        break
                    mac, frame = self._now.recv(0)
                    if frame:
                        self._take(bytes(mac), frame)
            except OSError:
                self._faults += 1
            await asyncio.sleep_ms(_POLL_MS)

    def progress(self):
        return self._turns

    def counters(self, into):
        into["now_received"] = self._came
        into["now_published"] = self._published
        into["now_queued"] = len(self._queue)
        into["now_dropped"] = self._dropped
        into["now_repeated"] = self._repeated
        into["now_refused"] = self._refused
        into["now_strange"] = self._strange
        into["now_faults"] = self._faults

    def _take(self, mac, frame):
        """Raises OSError if the answer cannot be sent."""
        kind = kind_of(frame)
        peer = self._peers.get(mac)
        if not peer or kind not in (HELLO, EVENT):
            self._strange += 1
            return
        try:
            if kind == HELLO:
                self._welcome(mac, peer, opened(self._key, frame))
            else:
                self._accept(mac, peer, frame)
        except ValueError:  # UnicodeError is one
            self._refused += 1

    def _welcome(self, mac, peer, body):
        name = str(body[NONCE_BYTES:], "utf-8")
        if not is_name(name) or name == self._device:
            raise ValueError("not a name")
        peer.offered = body[:NONCE_BYTES] + os.urandom(NONCE_BYTES)
        self._now.send(mac, seal(self._key, WELCOME, peer.offered), False)

    def _accept(self, mac, peer, frame):
        try:
            body = opened(self._key, frame, peer.session)
            session = peer.session
        except ValueError:
            body = opened(self._key, frame, peer.offered)
            session = peer.offered
        if not session:
            raise ValueError("no session")
        event = Event()
        device, age_ms = read_event(body, event)
        number = counter_of(body)
        if device == self._device or not number:
            raise ValueError("not an event of a sender")
        if session != peer.session:
            peer.session = session
            peer.counter = 0
        if number <= peer.counter:
            self._repeated += 1
            if number < peer.counter:
                return  # recorded on the way and sent again
        else:
            peer.counter = number
            self._came += 1
            event.captured_ms = uptime_ms() - age_ms
            if len(self._queue) == _WAITING:
                self._queue.pop(0)
                self._dropped += 1
            self._queue.append((device, event))
            self._work.set()
        self._now.send(mac, seal(self._key, ACK, body[:4], session), False)

    async def _publish(self):
        """Publish what is queued, in order, whenever the link is up."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._queue:
                await self._link.ready.wait()
                device, event = self._queue[0]
                try:
                    unix_ms = self._wall.unix_ms(event.captured_ms)
                    latency_ms = uptime_ms() - event.captured_ms
                    payload = event.payload(latency_ms, unix_ms)
                    await self._link.publish(topic(device, "event"), payload)
                    self._published += 1
                except LinkDown:
                    continue  # again on the next connection
                except (ValueError, MemoryError):
                    self._faults += 1
                if self._queue and self._queue[0][1] is event:
                    self._queue.pop(0)
