"""A device on a broker whose gestures this computer recognises: the topics, payloads, numbers and
will of a board (docs/mqtt.md).

    with HostDevice(broker, "phone-1a2b3c", model, "phone") as device:
        device.heard(samples, lost)
        device.post("circle", 93, 98, t_ms, time.monotonic())
    device.unsent

Events wait in a bounded queue and go out one at a time, in order, each until the broker has
acknowledged it. So an outage of the broker costs none that fits into the queue, and one that came
twice bears the same number.
"""
from __future__ import annotations

import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from host_tools.errors import Sentence
from host_tools.hosted.naming import check_free, check_name
from host_tools.hosted.state import announcement, state_of
from host_tools.model.format import Model
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.connection import Connection, Topic
from host_tools.toolchain import on_cpython

QUEUE = 1000  # events that wait for the broker
_DIAG_S = 60.0
_SILENT_S = 3.0  # without samples, `state` says so
_GOODBYE_S = 5.0
_LOOK_S = 0.5


@dataclass(frozen=True)
class HostView:
    """What a page or a command shows. fault: what is wrong now, or ""."""

    name: str
    up: bool
    posted: int
    delivered: int
    queued: int
    dropped: int
    refused: int
    drops: int
    fault: str


@dataclass
class _Waiting:
    """An event in the queue. captured_s: time.monotonic() when its last sample was taken;
    unix_ms: the same as time of day."""

    seq: int
    label: str
    confidence: int
    label_confidence: int
    t_ms: int
    captured_s: float
    unix_ms: int
    model: str


class HostDevice:
    """model: what recognises. source: what the samples come from, one word.

    rules: labels of rule gestures. home_assistant: announce the device there. Entering raises
    BeckonError if the broker cannot be reached or refuses, or if the name is taken; `warning`
    says what else is wrong with it. Methods may be called from any thread.
    """

    def __init__(self, broker: BrokerAddress, name: str, model: Model, source: str, *,
                 rules: tuple[str, ...] = (), home_assistant: bool = False,
                 on_change: Callable[[], None] | None = None):  # fmt: skip
        self.name = check_name(name)
        self.broker = broker
        self.warning = ""
        self.boot = int(time.time()) % 0x7FFFFFFF * 65536 + random.getrandbits(16)
        self.unsent = 0
        """After closing: events that the broker did not get."""
        self._model, self._source, self._rules = model, source, rules
        self._home_assistant = home_assistant
        self._on_change = on_change or (lambda: None)
        self._began_s = time.monotonic()
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._sending = False  # whether the oldest event is under way
        self._answered: dict[int, bool] = {}  # messages since then; whether they were accepted
        self._seq = self._delivered = self._dropped = self._refused = 0
        self._samples = self._lost = self._connects = self._drops = 0
        self._heard_s = time.monotonic()
        self._sensor = "ok"
        self._clash = False
        self._up = self._closing = False
        topic = f"beckon/{name}/"
        self._topics = {kind: topic + kind for kind in ("event", "status", "state", "diag")}
        self._connection = Connection(
            broker, "host", [Topic(self._topics["status"]), Topic(self._topics["state"]),
                             Topic(topic + "cmd/#")],
            self._on_message, on_link=self._on_link, on_sent=self._on_sent,
            will=(self._topics["status"], b"offline"),
        )  # fmt: skip
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def __enter__(self) -> HostDevice:
        self.warning = check_free(self.broker, self.name)
        self._connection.__enter__()
        self._on_link(self._connection.is_up, False)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- for the one who recognises -----------------------------------------------------

    def use(self, model: Model, source: str, rules: tuple[str, ...] = ()) -> None:
        """Another model, source or rules from now on; `state` says so."""
        with self._changed:
            self._model, self._source, self._rules = model, source, rules
        self._publish_state()

    def heard(self, samples: int, lost: int = 0) -> None:
        """So many samples came, and so many were lost before them."""
        with self._changed:
            self._samples += samples
            self._lost += lost
            self._heard_s = time.monotonic()

    def post(self, label: str, confidence: int, label_confidence: int, t_ms: float,
             captured_s: float) -> int:
        """Queue an event and return its number; never waits.

        t_ms: of its last sample, since the first sample. captured_s: time.monotonic() then.
        A full queue drops its oldest event that is not under way, and counts it.
        """
        age_ms = round(1000 * (time.monotonic() - captured_s))
        with self._changed:
            if len(self._queue) >= QUEUE:
                del self._queue[1 if self._sending else 0]
                self._dropped += 1
            seq = self._seq
            self._seq += 1
            self._queue.append(_Waiting(seq, label, confidence, label_confidence, round(t_ms),
                                        captured_s, round(time.time() * 1000) - age_ms,
                                        self._model.model_id))  # fmt: skip
            self._changed.notify_all()
        return seq

    def view(self) -> HostView:
        with self._changed:
            fault = ""
            if self._clash:
                fault = Sentence("another device sends as {name}: choose another name",
                                 name=self.name)
            elif not self._up:
                fault = Sentence("the broker at {broker} is away: events wait here",
                                 broker=self.broker)
            elif self._refused:
                fault = Sentence("the broker refuses events of {name}: ask who looks after it",
                                 name=self.name)
            return HostView(self.name, self._up, self._seq, self._delivered, len(self._queue),
                            self._dropped, self._refused, self._drops, fault)

    def counters(self) -> dict[str, int]:
        """As in `diag`."""
        with self._changed:
            return {
                "boot": self.boot, "uptime_ms": round(1000 * (time.monotonic() - self._began_s)),
                "events_posted": self._seq, "events_delivered": self._delivered,
                "events_dropped": self._dropped, "events_queued": len(self._queue),
                "events_refused": self._refused, "link_connects": self._connects,
                "link_drops": self._drops, "samples": self._samples, "samples_lost": self._lost,
            }  # fmt: skip

    def close(self, timeout_s: float = _GOODBYE_S) -> int:
        """Send what waits, then say goodbye; returns how many events did not get through."""
        if self._closing:
            return self.unsent
        with self._changed:
            self._changed.wait_for(lambda: not self._queue or not self._up, timeout_s)
            self._closing = True
            self._changed.notify_all()
            up, self.unsent = self._up, len(self._queue)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if up:
            self._publish("diag", json.dumps(self.counters()).encode(), retain=False)
            self._publish("status", b"offline", wait_s=timeout_s)
        self._connection.__exit__()
        return self.unsent

    # -- in the connection's thread -------------------------------------------------------

    def _on_link(self, up: bool, kept: bool) -> None:
        with self._changed:
            self._up = up
            self._connects += up
            self._drops += not up and not self._closing
        if up:  # before whatever waits: paho sends again what was under way after this
            self._publish("status", b"online")
            self._publish_state()
            if self._home_assistant:
                labels = [*self._model.labels, *self._rules]
                topic, payload = announcement(self.name, labels, self._model.idle)
                self._connection.publish(topic, payload, retain=True)
        with self._changed:
            self._changed.notify_all()
        self._on_change()

    def _on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        kind = topic.partition(f"beckon/{self.name}/")[2]
        if kind.startswith("cmd/"):
            self._answer(kind.removeprefix("cmd/"), payload, retained)
        elif retained or self._closing:
            return  # of an earlier run, or our own goodbye
        elif kind == "status" and payload == b"offline" and self._up:
            self._publish("status", b"online")  # the will of a link that was lost
        elif kind == "state" and self._boot_in(payload) != self.boot:
            self._clash = True
            self._on_change()

    @staticmethod
    def _boot_in(payload: bytes) -> Any:
        try:
            return json.loads(payload)["boot"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def _answer(self, verb: str, payload: bytes, retained: bool) -> None:
        """`diag` is answered as by a board, so that others can see who is there."""
        try:
            transaction = json.loads(payload)["transaction"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        answer: dict[str, Any] = {"transaction": transaction}
        if retained:
            answer["error"] = "a retained command is not carried out; publish it without retain"
        elif verb == "diag":
            answer |= {"ok": True, "diag": self.counters()}
        else:
            answer["error"] = "no such command on a computer; there is diag"
        clean = "".join(c for c in verb[:32] if c.isascii() and (c.isalnum() or c == "_"))
        self._connection.publish(f"beckon/{self.name}/rsp/{clean or 'unknown'}",
                                 json.dumps(answer))  # fmt: skip

    def _on_sent(self, number: int, taken: bool) -> None:
        with self._changed:
            if self._sending:
                self._answered[number] = taken
                self._changed.notify_all()

    # -- in the sender's thread -----------------------------------------------------------

    def _run(self) -> None:
        next_diag_s = time.monotonic() + _DIAG_S
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, _LOOK_S)
                if self._closing:
                    return
                event = self._queue[0] if self._has_work() else None
            if event:
                self._send(event)
                continue
            self._look_for_samples()
            if time.monotonic() >= next_diag_s and self._up:
                next_diag_s = time.monotonic() + _DIAG_S
                self._publish("diag", json.dumps(self.counters()).encode(), retain=False)

    def _has_work(self) -> bool:
        return self._closing or bool(self._queue) and self._up

    def _send(self, event: _Waiting) -> None:
        """Until the broker has acknowledged it, over as many connections as that takes."""
        with self._changed:
            self._sending = True
        # Not under the lock: paho holds one of its own when it calls _on_sent
        number = self._connection.publish(self._topics["event"], _payload(event, self.boot))
        with self._changed:
            self._changed.wait_for(lambda: number in self._answered or self._closing)
            taken = self._answered.get(number)
            self._answered.clear()
            self._sending = False
            if taken is None:
                return  # closing
            self._queue.popleft()  # post() drops others only
            self._delivered += taken
            self._refused += not taken
            self._changed.notify_all()
        self._on_change()

    def _look_for_samples(self) -> None:
        silent = time.monotonic() - self._heard_s > _SILENT_S
        sensor = f"no samples from {self._source}" if silent else "ok"
        if sensor != self._sensor:
            self._sensor = sensor
            self._publish_state()

    # -- messages -----------------------------------------------------------------------

    def _publish(self, kind: str, payload: bytes, *, retain: bool = True,
                 wait_s: float = 0.0) -> None:  # fmt: skip
        self._connection.publish(self._topics[kind], payload, retain=retain, wait_s=wait_s)

    def _publish_state(self) -> None:
        state = state_of(self._model, self._source, self.boot, self._sensor, self._rules)
        self._publish("state", json.dumps(state).encode())


def _payload(waiting: _Waiting, boot: int) -> bytes:
    """The JSON that the firmware would make of it now."""
    on_cpython.install()
    from events.event import Event  # type: ignore[import-not-found]

    event = Event()
    for name in ("seq", "label", "confidence", "label_confidence", "t_ms", "model"):
        setattr(event, name, getattr(waiting, name))
    event.boot = boot
    latency_ms = round(1000 * (time.monotonic() - waiting.captured_s))
    return event.payload(latency_ms, waiting.unix_ms)
