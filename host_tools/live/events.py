"""Events as a person reads them, and as they are told apart from repeats."""

import time
from collections import deque

from host_tools.live.subscriber import Message

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
    """One line: when it came, who says it, what it is, how sure, how old it was when sent."""
    payload = message.payload
    clock = time.strftime("%H:%M:%S")
    gesture = printable(payload.get("event_type"))
    confidence = f"{number(payload.get('confidence'))} %"
    latency = f"{number(payload.get('latency_ms'))} ms"
    device = printable(message.device)
    return f"{clock:>10}  {device:<24} {gesture:<16} {confidence:>10} {latency:>9}"


def printable(text: object) -> str:
    """Text from a stranger, without what could steer a terminal."""
    if not isinstance(text, str):
        return "?"
    return "".join(c if c.isprintable() else "?" for c in text)[:60]


def number(value: object) -> str:
    return str(value) if isinstance(value, int) else "?"
