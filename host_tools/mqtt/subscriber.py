"""What the devices say on a broker, as Python values."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress

ROOT = "beckon"


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
    """Receives `beckon/<device>/#`; use as a context manager.

    device: "+" for all. Raises BeckonError if the broker cannot be reached or
    refuses, within timeout_s.
    """

    def __init__(self, address: BrokerAddress, device: str = "+", timeout_s: float = 5.0):
        from paho.mqtt import client as mqtt

        self._address = address
        self._filter = f"{ROOT}/{device}/#"
        self._timeout_s = timeout_s
        self._queue: queue.Queue[Message | BeckonError] = queue.Queue()
        self._subscribed = threading.Event()
        self._refusal = ""
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if address.user:
            self._client.username_pw_set(address.user, address.password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def __enter__(self) -> "Subscriber":
        address = self._address
        self._client.connect_timeout = self._timeout_s
        try:
            self._client.connect(address.host, address.port, keepalive=30)
        except OSError as error:
            raise BeckonError(
                f"no broker answers at {address} ({error.strerror or error}); "
                "start one there or name another with --broker"
            ) from None
        self._client.loop_start()
        if not self._subscribed.wait(self._timeout_s) or self._refusal:
            self.__exit__()
            reason = self._refusal or f"no answer within {self._timeout_s:g} s"
            raise BeckonError(f"the broker at {address} refused the connection: {reason}")
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def receive(self, timeout_s: float) -> Message | None:
        """The next message, or None when none came within timeout_s."""
        try:
            message = self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(message, BeckonError):
            raise message
        return message

    def forget(self, device: str, kinds: tuple[str, ...]) -> None:
        """Remove what the broker keeps (retains) of a device that will not come back."""
        for kind in kinds:
            topic = f"{ROOT}/{device}/{kind}"
            if self._client.is_connected():  # else the broker has gone, and all it kept
                sent = self._client.publish(topic, b"", qos=1, retain=True)
                try:
                    sent.wait_for_publish(self._timeout_s)
                except RuntimeError:  # it went in this moment
                    return

    def messages(self) -> Iterator[Message]:
        """All messages as they come, forever."""
        while True:
            message = self.receive(3600)
            if message:
                yield message

    def _on_connect(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            self._refusal = str(reason)
            self._subscribed.set()
        else:  # also after each reconnect
            client.subscribe(self._filter, qos=1)

    def _on_subscribe(self, client, userdata, mid, reasons, properties):
        if any(reason.is_failure for reason in reasons):
            self._refusal = f"subscription to {self._filter} refused"
        self._subscribed.set()

    def _on_message(self, client, userdata, message):
        levels = message.topic.split("/")
        if len(levels) < 3 or levels[0] != ROOT:
            return
        self._queue.put(
            Message(
                device=levels[1],
                kind="/".join(levels[2:]),
                payload=_decode(message.payload),
                retained=bool(message.retain),
                received_s=time.monotonic(),
            )
        )


def _decode(payload: bytes) -> Any:
    text = payload.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
