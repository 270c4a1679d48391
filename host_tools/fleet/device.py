"""What one device does: birth, events in order, diagnostics, outages, restarts.

As on a board, one message is under way at a time, what is not acknowledged is sent again with
DUP set, and events wait while the link is down.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from host_tools.fleet import packets
from host_tools.fleet.link import Link
from host_tools.fleet.update import Update, model_id
from host_tools.toolchain import on_cpython
from host_tools.version import version

_WAITING = 10_000  # events at most; a board's flash holds some hundreds
_RETRY_S = (0.2, 5.0)
LABELS = ("idle", "circle", "swipe_left", "swipe_right", "shake")
MODEL = "709cb702"
_TRIAL_RESTARTS = 2  # with a new model; then the old one comes back
_RESTART_S = 2.0  # between those of a device that does nothing else
_NEVER_SET_MS = 0


@cache
def _firmware_event() -> Any:
    on_cpython.install()
    from events.event import Event  # type: ignore[import-not-found]

    return Event()


@dataclass
class Totals:
    """Of all devices. acked: (device, boot) -> how many of its events, from the first on, the
    broker has acknowledged. faults: reasons why links ended that no outage of ours ended."""

    made: int = 0
    acked: dict[tuple[str, int], int] = field(default_factory=dict)
    dropped: int = 0
    connects: int = 0
    online: int = 0
    outages: int = 0
    restarts: int = 0
    repeats: int = 0
    messages: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    @property
    def acked_events(self) -> int:
        return sum(self.acked.values())


class Device:
    """clock_ms: what its clock adds to the true time; None: it has no time server.

    open_link: makes a connection with the Link of the factory it is given. update: how it takes a
    new model; None: it takes no commands.
    """

    def __init__(self, name: str, seed: int, totals: Totals, clock_ms: int | None,
                 open_link: Callable, now_ms: Callable[[], int],
                 login: tuple[str, str] = ("", ""), update: Update | None = None):  # fmt: skip
        self.name = name
        self._random = random.Random(seed)
        self._totals = totals
        self._clock_ms = clock_ms
        self._open_link = open_link
        self._now_ms = now_ms
        self._login = login
        self._update = update
        self.model = MODEL
        self._taken_back = False
        self._crash = ""
        self._away = False  # not heard of again
        self._lossy_from_ms = 0  # from then on it keeps half of its samples
        self._chip = f"{self._random.getrandbits(48):012x}"
        self._starts = self._random.randrange(1, 400)
        self._boot = self._started_ms = self._seq = 0
        self._events: deque[tuple[int, int, int, str, int, int]] = deque()
        self._control: deque[tuple[bytes, bytes, bool]] = deque()  # status, state, diag
        self._link: Link | None = None
        self._up = False
        self._ours = False  # whether this end broke the link
        self._sent_event = self._sent_before = False
        self._packet_id = 0
        self._due_id = 0  # the packet that waits for its acknowledgement, 0: none
        self._over = asyncio.Event()
        root = f"beckon/{name}/"
        self._topics = {kind: (root + kind).encode() for kind in ("event", "status", "state",
                                                                  "diag")}  # fmt: skip
        self.restart(first=True)

    # -- what a scenario asks for -------------------------------------------------------

    def gesture(self) -> None:
        """A gesture is recognised now."""
        rng = self._random
        now_ms = self._now_ms()
        self._events.append((self._boot, self._seq, now_ms, rng.choice(LABELS[1:]),
                             rng.randrange(50, 101), now_ms - self._started_ms))  # fmt: skip
        self._seq += 1
        self._totals.made += 1
        if len(self._events) > _WAITING:
            del self._events[1]  # the first may be under way
            self._totals.dropped += 1
        self._work()

    def diagnose(self) -> None:
        """Its counters are due."""
        self._control.append((self._topics["diag"], self._diag(), False))
        self._work()

    def cut(self) -> None:
        """The link breaks, as with Wi-Fi gone; the broker publishes the will."""
        if self._link is not None:
            self._ours = True
            self._totals.outages += 1
            self._link.abort()

    def restart(self, first: bool = False) -> None:
        """Power off and on: a new boot number; events wait in flash."""
        if not first:
            self._totals.restarts += 1
            self.cut()
        self._starts += 1
        self._boot = self._starts * 65536 + self._random.getrandbits(16)
        self._seq = 0
        self._started_ms = self._now_ms()

    async def run(self, closing: asyncio.Event) -> None:
        """Connect, and again after each loss, until closing is set and nothing waits."""
        wait_s = _RETRY_S[0]
        while not closing.is_set():
            self._over.clear()
            self._ours = False
            if self._away:
                await closing.wait()
                break
            greeting = packets.connect(f"{self.name}-{self._chip[-6:]}",
                                       f"beckon/{self.name}/status", b"offline", 60,
                                       *self._login)  # fmt: skip
            try:
                self._link = await self._open_link(
                    lambda greeting=greeting: Link(greeting, self._is_up, self._acked, self._down,
                                                   self._command))  # fmt: skip
            except OSError as fault:
                self._fault(fault.strerror or str(fault))
            else:
                await self._over.wait()
                if self._seen_up:
                    wait_s = _RETRY_S[0]
            self._seen_up = False
            if not closing.is_set():
                await asyncio.sleep(wait_s * (0.5 + self._random.random()))
                wait_s = min(2 * wait_s, _RETRY_S[1])

    _seen_up = False

    @property
    def waiting(self) -> int:
        return len(self._events) + len(self._control)

    def ping(self) -> None:
        if self._up and self._link is not None:
            self._link.send(packets.PINGREQ)

    def close(self) -> None:
        """Say goodbye; what waits is not sent any more."""
        if self._link is not None:
            self._ours = True
            if self._up:
                self._packet_id = self._packet_id % 65535 + 1
                self._link.send(packets.publish(self._topics["status"], b"offline",
                                                self._packet_id, retain=True))  # fmt: skip
            self._link.close()

    # -- the link -----------------------------------------------------------------------

    def _is_up(self) -> None:
        self._up = self._seen_up = True
        self._totals.connects += 1
        self._totals.online += 1
        self._control.clear()
        self._control.append((self._topics["status"], b"online", True))
        self._control.append((self._topics["state"], self._state(), True))
        self._due_id = 0
        if self._update and self._link is not None:
            self._link.send(packets.subscribe(f"beckon/{self.name}/cmd/#", 65535))
        self._work()

    def _down(self, reason: str) -> None:
        if self._up:
            self._totals.online -= 1
        if not self._ours:
            self._fault(reason)
        if self._due_id and self._sent_event:
            self._sent_before = True
        self._up = False
        self._link = None
        self._due_id = 0
        self._over.set()

    def _fault(self, reason: str) -> None:
        self._totals.faults[reason] = self._totals.faults.get(reason, 0) + 1

    def _acked(self, packet_id: int) -> None:
        if packet_id != self._due_id:
            return
        self._due_id = 0
        if self._sent_event:
            boot = self._events.popleft()[0]
            self._sent_before = False
            key = (self.name, boot)
            self._totals.acked[key] = self._totals.acked.get(key, 0) + 1
        else:
            self._control.popleft()
        self._work()

    def _work(self) -> None:
        """Send the next message, if none is under way."""
        if not self._up or self._due_id or self._link is None:
            return
        if self._control:
            topic, payload, retain = self._control[0]
            self._sent_event = False
        elif self._events:
            topic, payload, retain = self._topics["event"], self._payload(), False
            self._sent_event = True
            self._totals.repeats += self._sent_before
        else:
            return
        self._packet_id = self._due_id = self._packet_id % 65535 + 1
        self._totals.messages += 1
        self._link.send(packets.publish(topic, payload, self._due_id, retain=retain,
                                        dup=self._sent_event and self._sent_before))  # fmt: skip

    # -- a new model --------------------------------------------------------------------

    def _command(self, topic: str, payload: bytes) -> None:
        if self._update is None:
            return
        verb = topic.rpartition("/")[2]
        answer, model = self._update.answer(verb, payload)
        self._control.append((f"beckon/{self.name}/rsp/{verb}".encode(),
                              json.dumps(answer).encode(), False))  # fmt: skip
        self._work()
        if model:
            asyncio.get_running_loop().call_later(0.05, self._use, model_id(model))

    def _use(self, model: str) -> None:
        """Restart with the new model, and do with it what it does to this device."""
        assert self._update
        way, old = self._update.way, self.model
        self.model, self._taken_back, self._crash = model, False, ""
        self._away = way == "vanish"
        self.restart()
        later = asyncio.get_running_loop().call_later
        if way == "roll_back":
            for i in range(_TRIAL_RESTARTS):
                later(_RESTART_S * (i + 1), self._crashed, old, i + 1 == _TRIAL_RESTARTS)
        elif way == "restart":
            later(_RESTART_S, self._restart_again)
        elif way == "lose":
            self._lossy_from_ms = self._now_ms()

    def _crashed(self, old: str, last: bool) -> None:
        self._crash = "MemoryError: memory allocation failed"
        if last:
            self.model, self._taken_back = old, True
        self.restart()

    def _restart_again(self) -> None:
        self.restart()
        asyncio.get_running_loop().call_later(_RESTART_S, self._restart_again)

    # -- payloads -----------------------------------------------------------------------

    def _payload(self) -> bytes:
        event = _firmware_event()
        at_ms: int
        (event.boot, event.seq, at_ms, event.label, event.confidence, event.t_ms) = self._events[0]
        event.label_confidence = min(100, event.confidence + 3)
        event.model = self.model
        unix_ms = _NEVER_SET_MS if self._clock_ms is None else at_ms + self._clock_ms
        return event.payload(self._now_ms() - at_ms + 4, unix_ms)

    def _state(self) -> bytes:
        return json.dumps({
            "firmware": version(), "micropython": "1.27.0", "boot": self._boot,
            "chip": self._chip, "reset_cause": 1, "crash": self._crash, "safe_mode": "",
            "model_taken_back": self._taken_back, "settings_taken_back": False, "sensor": "ok",
            "calibration": "none", "model": self.model, "labels": LABELS, "rate_hz": 100,
            "accel_g": 4, "gyro_dps": 500, "window": 64, "hop": 8, "debounce": [3, 40],
            "threshold_percent": 60,
        }).encode()  # fmt: skip

    def _diag(self) -> bytes:
        uptime_ms = self._now_ms() - self._started_ms
        samples = uptime_ms // 10
        lost = samples // 2 if self._lossy_from_ms else 0
        return json.dumps({
            "boot": self._boot, "uptime_ms": uptime_ms, "heap_free": 60_000,
            "heap_used": 51_000, "events_posted": self._seq, "events_delivered": self._seq,
            "events_dropped": 0, "events_queued": len(self._events),
            "link_connects": 1, "link_drops": 0, "samples": samples - lost, "samples_lost": lost,
            "ring_overwritten": 0, "lag_ms_p99": 1, "rssi_dbm": -60 - self._random.randrange(20),
        }).encode()  # fmt: skip
