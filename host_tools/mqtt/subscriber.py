"""What the devices say on a broker, as Python values."""

import json
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.connection import Connection, Topic

ROOT = "beckon"
KINDS = ("event", "status", "state", "diag")
_RETAINED = ("status", "state")


@dataclass(frozen=True)
class Message:
    """device and kind are the topic's levels, `beckon/<device>/<kind>`.

    payload: the decoded JSON, or text where it is none. retained: the broker
    had kept it. received_s: time.monotonic() at arrival.
    """

    device: str
    kind: str
    payload: Any
    retained: bool
    received_s: float


class Subscriber:
    """Receives `beckon/<device>/<kind>`, over restarts of the broker; use as a context manager.

    device: "+" for all. kinds: what is needed of it, since a broker's queue is bounded. The
    broker keeps events that come while the connection is down, if it keeps its sessions.
    on_link: called as (up, kept) from another thread, see Connection. Raises BeckonError if the
    broker cannot be reached or refuses, within timeout_s.
    """

    def __init__(self, address: BrokerAddress, device: str = "+",
                 kinds: Sequence[str] = KINDS, *, timeout_s: float = 5.0,
                 on_link: Callable[[bool, bool], None] | None = None):  # fmt: skip
        self._timeout_s = timeout_s
        self._queue: queue.Queue[Message] = queue.Queue()
        self._connection = Connection(
            address, "watch", _topics(device, kinds), self._on_message,
            keep_session=True, on_link=on_link, timeout_s=timeout_s,
        )  # fmt: skip

    def __enter__(self) -> "Subscriber":
        self._connection.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.__exit__()

    @property
    def is_up(self) -> bool:
        return self._connection.is_up

    def receive(self, timeout_s: float) -> Message | None:
        """The next message, or None when none came within timeout_s."""
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def forget(self, device: str, kinds: Sequence[str]) -> None:
        """Remove what the broker keeps (retains) of a device that will not come back."""
        for kind in kinds:
            if self.is_up:  # else the broker has gone, and all it kept
                self._connection.publish(f"{ROOT}/{device}/{kind}", b"", retain=True,
                                         wait_s=self._timeout_s)  # fmt: skip

    def messages(self) -> Iterator[Message]:
        """All messages as they come, forever."""
        while True:
            message = self.receive(3600)
            if message:
                yield message

    def _on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        levels = topic.split("/")
        if len(levels) == 3 and levels[0] == ROOT:
            self._queue.put(Message(levels[1], levels[2], decoded(payload), retained,
                                    time.monotonic()))  # fmt: skip


def _topics(device: str, kinds: Sequence[str]) -> list[Topic]:
    """All at QoS 1, so that they arrive in the order in which a device sent them."""
    return [Topic(f"{ROOT}/{device}/{kind}", crowded=device == "+" and kind in _RETAINED)
            for kind in kinds]  # fmt: skip


def decoded(payload: bytes) -> Any:
    """The JSON in payload, or its text where it is none."""
    text = payload.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
