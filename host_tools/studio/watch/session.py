"""Watching for a page: what devices publish on a broker, kept for this run, bounded.

    watcher = WatchSession()
    watcher.open(known_broker("mqtts://homeassistant.local"))
    watcher.events()      # newest last
    watcher.devices()     # name -> Device
    watcher.close()

Payloads come from strangers. A value of an unexpected type counts as absent. Text is cut, and
unprintable characters are removed.
"""
from __future__ import annotations

import csv
import io
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.files import write_atomically
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.event_fields import event_fields
from host_tools.mqtt.events import Arrivals, printable
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.mqtt.subscriber import Message, Subscriber

_KEPT = 2000  # events
_DEVICES = 64
_LABELS = 200
_POLL_S = 0.2


@dataclass(frozen=True)
class SeenEvent:
    """received: UTC of arrival. The numbers are None if the event has none."""

    received: datetime
    device: str
    label: str
    confidence: int | None
    label_confidence: int | None
    latency_ms: int | None
    seq: int | None
    model: str


@dataclass(frozen=True)
class Change:
    """A device came or went."""

    received: datetime
    device: str
    online: bool


@dataclass
class Device:
    """What is known about a device. diag_at: when diag arrived. missing: events that did not
    arrive, by their numbers."""

    name: str
    online: bool | None = None
    state: dict[str, Any] = field(default_factory=dict)
    diag: dict[str, Any] = field(default_factory=dict)
    diag_at: datetime | None = None
    events: int = 0
    missing: int = 0
    boots: int = 0
    _boot: Any = None

    def text(self, name: str) -> str:
        value = self.state.get(name)
        return printable(value) if isinstance(value, str) else ""

    def count(self, name: str) -> int | None:
        value = self.diag.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def labels(self) -> list[str]:
        value = self.state.get("labels")
        return [printable(v) for v in value[:_LABELS]] if isinstance(value, list) else []


class WatchSession:
    """One broker at a time. state: off, connecting, on, lost (and trying again) or failed."""

    def __init__(self) -> None:
        self.state = "off"
        self.fault = ""
        self.broker: BrokerAddress | None = None
        self.began: datetime | None = None
        self.version = 0
        """Grows with each change."""
        self.total = 0
        self.counts: Counter[str] = Counter()
        self._events: deque[SeenEvent] = deque(maxlen=_KEPT)
        self._changes: deque[Change] = deque(maxlen=_KEPT)
        self._devices: dict[str, Device] = {}
        self._arrivals = Arrivals()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def open(self, broker: BrokerAddress) -> None:
        """Connect, in a thread. Raises BeckonError if one is open."""
        if self.running:
            raise BeckonError("a broker is being watched already: stop that first")
        if self.broker != broker:
            self.forget()
        self.broker = broker
        self.began = self.began or datetime.now(UTC)
        self.state, self.fault = "connecting", ""
        self._closing.clear()
        self._thread = threading.Thread(target=self._run, args=(broker,), name="watcher",
                                        daemon=True)
        self._thread.start()

    def close(self, timeout_s: float = 8.0) -> None:
        """Stop watching; what was seen stays."""
        self._closing.set()
        if self._thread:
            self._thread.join(timeout_s)

    def forget(self) -> None:
        """Begin a new history."""
        with self._lock:
            self._events.clear()
            self._changes.clear()
            self._devices.clear()
            self._arrivals = Arrivals()
            self.counts.clear()
            self.total = 0
            self.began = datetime.now(UTC) if self.running else None
            self.version += 1

    def events(self, most: int = _KEPT) -> list[SeenEvent]:
        with self._lock:
            return list(self._events)[-most:]

    def changes(self) -> list[Change]:
        with self._lock:
            return list(self._changes)

    def devices(self) -> dict[str, Device]:
        with self._lock:
            return dict(self._devices)

    def ask(self, name: str) -> None:
        """Ask a device for its counters now. Waits; raises BeckonError without an answer."""
        if self.broker is None:
            raise BeckonError("watch a broker first")
        with RemoteDevice(self.broker, name) as remote:
            diag = remote.request("diag")
        with self._lock:
            if name in self._devices:
                self._devices[name].diag = diag
                self._devices[name].diag_at = datetime.now(UTC)
                self.version += 1

    def save(self, path: Path) -> int:
        """The history as CSV; returns the number of events. Raises BeckonError."""
        events = self.events()
        if not events:
            raise BeckonError("no event has arrived yet, so there is nothing to save")
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("received", "device", "event_type", "confidence", "label_confidence",
                         "latency_ms", "seq", "model"))
        for e in events:
            writer.writerow((stamp(e.received), plain_cell(e.device), plain_cell(e.label),
                             _cell(e.confidence), _cell(e.label_confidence), _cell(e.latency_ms),
                             _cell(e.seq), plain_cell(e.model)))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, out.getvalue().encode())
        return len(events)

    # in the thread

    def _run(self, broker: BrokerAddress) -> None:
        try:
            with Subscriber(broker) as subscriber:
                while not self._closing.is_set():
                    self._set_state("on" if subscriber.is_up else "lost")
                    message = subscriber.receive(_POLL_S)
                    if message:
                        with self._lock:
                            self._apply(message)
                            self.version += 1
            self._set_state("off")
        except BeckonError as error:
            self.fault = str(error)
            self._set_state("failed")

    def _set_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.version += 1

    def _apply(self, message: Message) -> None:
        name = printable(message.device)
        device = self._devices.get(name)
        if device is None:
            if len(self._devices) >= _DEVICES or message.kind not in ("status", "state", "diag",
                                                                     "event"):
                return
            device = self._devices[name] = Device(name)
        payload = message.payload
        if message.kind == "status":
            online = payload in ("online", "asleep")
            if payload == "" and message.payload is not None:  # its retained status was removed
                online = False
            if online != device.online and not (device.online is None and message.retained):
                self._changes.append(Change(datetime.now(UTC), name, online))
            device.online = online
        elif not isinstance(payload, dict):
            return
        elif message.kind == "state":
            device.state = payload
        elif message.kind == "diag":
            device.diag, device.diag_at = payload, datetime.now(UTC)
        elif message.kind == "event":
            arrival = self._arrivals.take(message)
            device.missing += arrival.missing
            if not arrival.repeat:
                self._event(name, device, payload)

    def _event(self, name: str, device: Device, payload: dict[str, Any]) -> None:
        known = event_fields(payload)
        label = printable(known["event_type"])
        event = SeenEvent(datetime.now(UTC), name, label, known["confidence"],
                          known["label_confidence"], known["latency_ms"], known["seq"],
                          printable(known["model"]))
        self._events.append(event)
        self.total += 1
        device.events += 1
        if label in self.counts or len(self.counts) < _LABELS:
            self.counts[label] += 1
        if repr(payload.get("boot")) != device._boot:
            device._boot = repr(payload.get("boot"))
            device.boots += 1


def plain_cell(text: str) -> str:
    """text as a spreadsheet shows it: one that begins so would be run as a formula there."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _cell(value: int | None) -> str:
    return "" if value is None else str(value)


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
