"""Events over ESP-NOW to a gateway, from a board that has no Wi-Fi network.

The gateway is on its access point's channel, which the sender does not know. So it asks on one
channel after the other until the gateway answers.
"""

import asyncio
import os
from time import ticks_add, ticks_diff, ticks_ms

import network
from espnow import ESPNow
from micropython import const
from radio.now_frame import (
    ACK,
    EVENT,
    HELLO,
    NONCE_BYTES,
    WELCOME,
    counter_of,
    event_body,
    keys,
    kind_of,
    opened,
    seal,
)

from ops.uptime import uptime_ms

_WAITING = const(8)
_ANSWER_MS = const(150)
_POLL_MS = const(5)
_TRIES = const(3)
_CHANNELS = const(13)
_PAUSE_MS = const(500)
_PAUSE_MOST_MS = const(30_000)


class Sender:
    """device: the name of this board. gateway: its address, 6 bytes. secret: 16 bytes.

    last: returns the Event that post() is called for, to be kept.
    """

    def __init__(self, device, gateway, secret, last):
        self._device = device
        self._gateway = gateway
        self._key, self._pmk, self._lmk = keys(secret)
        self._last = last
        self._wlan = network.WLAN(network.WLAN.IF_STA)
        self._now = ESPNow()
        self._queue = []
        self._session = b""
        self._counter = 0
        self._channel = 0
        self._pause_ms = _PAUSE_MS
        self._wake = asyncio.Event()
        self._sent = self._dropped = self._repeats = self._searches = self._faults = 0
        self._refused = self._turns = 0
        self.is_up = False
        """Whether the gateway has answered, and since then each time."""

    def start(self):
        """Switch the radio on. Raises OSError."""
        self._wlan.active(True)
        self._now.active(True)
        self._now.set_pmk(self._pmk)
        self._now.add_peer(self._gateway, self._lmk)
        self._wake.set()  # say hello at once

    def post(self, label, confidence, seq):
        """Queue the event. A full queue drops its oldest and counts it."""
        if len(self._queue) == _WAITING:
            self._queue.pop(0)
            self._dropped += 1
        self._queue.append(self._last())
        self._wake.set()

    async def run(self):
        """Send what is queued, in order, forever."""
        asyncio.create_task(self._tick())
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._queue or not self._session:
                    if not (self._session or await self._meet()) or not await self._deliver():
                        await self._wait()
            except OSError:
                self._faults += 1
                await self._wait()
                self._wake.set()

    async def _tick(self):
        while True:
            self._turns += 1
            await asyncio.sleep_ms(1000)

    def progress(self):
        return self._turns

    def counters(self, into):
        into["now_sent"] = self._sent
        into["now_queued"] = len(self._queue)
        into["now_dropped"] = self._dropped
        into["now_repeats"] = self._repeats
        into["now_searches"] = self._searches
        into["now_refused"] = self._refused
        into["now_faults"] = self._faults

    async def _wait(self):
        """After a failure, each time for longer."""
        self._session = b""
        self.is_up = False
        await asyncio.sleep_ms(self._pause_ms)
        self._pause_ms = min(self._pause_ms * 2, _PAUSE_MOST_MS)

    async def _meet(self):
        """Find the gateway; whether it is there. Raises OSError."""
        self._searches += 1
        nonce = os.urandom(NONCE_BYTES)
        hello = seal(self._key, HELLO, nonce + self._device.encode())
        for i in range(_CHANNELS + 1):
            channel = i or self._channel  # the one of before first
            if not channel:
                continue
            self._wlan.config(channel=channel)
            body = await self._ask(hello, WELCOME, b"", nonce)
            if body and len(body) == 2 * NONCE_BYTES:
                self._session = body
                self._channel = channel
                self._counter = 0
                self._pause_ms = _PAUSE_MS
                self.is_up = True
                return True
        return False

    async def _deliver(self):
        """Send the oldest event; whether the gateway has it. Raises OSError."""
        if not self._queue:
            return True
        event = self._queue[0]
        self._counter += 1
        number = self._counter
        for i in range(_TRIES):
            self._repeats += i > 0
            age_ms = max(0, uptime_ms() - event.captured_ms)
            body = event_body(number, self._device, event, age_ms)
            frame = seal(self._key, EVENT, body, self._session)
            answer = await self._ask(frame, ACK, self._session, body[:4])
            if answer and counter_of(answer) == number:
                self._sent += 1
                if self._queue and self._queue[0] is event:  # a full queue may have dropped it
                    self._queue.pop(0)
                return True
        return False

    async def _ask(self, frame, kind, session, begins):
        """The body of the answer to a frame, or None in time. Raises OSError."""
        self._now.send(self._gateway, frame, False)
        until = ticks_add(ticks_ms(), _ANSWER_MS)
        while ticks_diff(until, ticks_ms()) > 0:
            while self._now.any():
                mac, answer = self._now.recv(0)
                if mac != self._gateway or not answer or kind_of(answer) != kind:
                    continue
                try:
                    body = opened(self._key, answer, session)
                    if body[: len(begins)] == begins:
                        return body
                except ValueError:
                    self._refused += 1
            await asyncio.sleep_ms(_POLL_MS)
        return None
