"""Events as a person reads them, and which of them are repeats."""

import time
from collections import deque
from datetime import datetime

from host_tools.mqtt.event_fields import event_fields
from host_tools.mqtt.subscriber import Message

_REMEMBERED = 1000


class Repeats:
    """MQTT delivers at least once: knows the last events by device, boot and number."""

    def __init__(self) -> None:
        self._order: deque[tuple] = deque(maxlen=_REMEMBERED)

    def seen(self, message: Message) -> bool:
        """True if this event came before; remembers it."""
        payload = message.payload
        key = (message.device, repr(payload.get("boot")), repr(payload.get("seq")))
        if key in self._order:
            return True
        self._order.append(key)
        return False


def event_title() -> str:
    return f"{'time':>10}  {'device':<24} {'gesture':<16} {'confidence':>10} {'latency':>9}"


def event_line(message: Message) -> str:
    """One line: when it was, who says it, what it is, how sure, how old it was when sent.

    When it was is local time; that of arrival if the device did not know it.
    """
    event = event_fields(message.payload)
    clock = time.strftime("%H:%M:%S", time.localtime(event_time_s(event["time"])))
    gesture = printable(event["event_type"])
    confidence = f"{number(event['confidence'])} %"
    latency = duration(event["latency_ms"])
    device = printable(message.device)
    return f"{clock:>10}  {device:<24} {gesture:<16} {confidence:>10} {latency:>9}"


def event_time_s(text: object) -> float | None:
    """An event's `time` as seconds since 1970; None if it is null or nonsense."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return moment.timestamp() if moment and 2000 <= moment.year < 2100 else None
    except (ValueError, OverflowError, OSError):
        return None


def printable(text: object) -> str:
    """Text from a stranger, without what could steer a terminal."""
    if not isinstance(text, str):
        return "?"
    return "".join(c if c.isprintable() else "?" for c in text)[:60]


def duration(ms: object) -> str:
    """Milliseconds; those of an event that waited long as seconds."""
    if isinstance(ms, int) and ms >= 100_000:
        return f"{ms // 1000} s"
    return f"{number(ms)} ms"


def number(value: object) -> str:
    return str(value) if isinstance(value, int) else "?"
