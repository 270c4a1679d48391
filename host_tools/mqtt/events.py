"""Events as a person reads them; which of them are repeats, and which never came."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from host_tools.mqtt.event_fields import event_fields
from host_tools.mqtt.subscriber import Message

_STARTS = 4096  # starts of boards
_NUMBERS = 1000  # of events that did not come, of each start


@dataclass(frozen=True)
class Arrival:
    """repeat: the event came before. missing: how many before it did not come."""

    repeat: bool = False
    missing: int = 0


@dataclass
class _Start:
    """One start of a board. lowest, highest: numbers that came; absent: those between that did
    not."""

    lowest: int
    highest: int
    absent: set[int] = field(default_factory=set)


class Arrivals:
    """Knows by device, `boot` and `seq` which events came. MQTT delivers at least once, so some
    come twice; what a broker or a board had no room for does not come at all."""

    def __init__(self) -> None:
        self._starts: OrderedDict[tuple[str, str], _Start] = OrderedDict()
        self._current: dict[str, tuple[str, str]] = {}

    def take(self, message: Message) -> Arrival:
        """Judge an event and remember it. One without a number is never a repeat."""
        payload: dict[str, Any] = message.payload
        seq = payload.get("seq")
        if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
            return Arrival()
        key = (message.device, repr(payload.get("boot")))
        start = self._starts.get(key)
        if start is None:
            # Seen since before this start: it began with number 0.
            begun = message.device in self._current
            start = self._starts[key] = _Start(0 if begun else seq, -1 if begun else seq - 1)
            self._current[message.device] = key
            if len(self._starts) > _STARTS:
                old, _ = self._starts.popitem(last=False)
                if self._current.get(old[0]) == old:
                    del self._current[old[0]]
        self._starts.move_to_end(key)
        return _placed(start, seq)


def _placed(start: _Start, seq: int) -> Arrival:
    if seq > start.highest:
        skipped = range(start.highest + 1, seq)
        start.highest = seq
        start.absent.update(skipped[-_NUMBERS:])
        while len(start.absent) > _NUMBERS:
            start.absent.remove(min(start.absent))
        return Arrival(missing=len(skipped))
    if seq < start.lowest:  # from before this program began
        start.absent.update(range(seq + 1, start.lowest)[-_NUMBERS:])
        start.lowest = seq
        return Arrival()
    if seq in start.absent:  # late
        start.absent.remove(seq)
        return Arrival()
    return Arrival(repeat=True)


def gap_line(message: Message, missing: int) -> str:
    """What to say of events that did not come."""
    last = message.payload["seq"] - 1
    numbers = f"no. {last}" if missing == 1 else f"no. {last - missing + 1} to {last}"
    return (f"{printable(message.device)}: {missing} event{'s' * (missing != 1)} did not arrive "
            f"({numbers}): the broker or the board lost {'it' if missing == 1 else 'them'}")


def event_title() -> str:
    return (f"{'time':>10}  {'device':<24} {'gesture':<16} {'confidence':>10} "
            f"{'label_confidence':>16} {'latency':>9}")


def event_line(message: Message) -> str:
    """One line: when it was, who says it, what it is, how sure it is that this was a gesture and
    that it was this one, how old it was when sent.

    When it was is local time; that of arrival if the device did not know it.
    """
    event = event_fields(message.payload)
    clock = time.strftime("%H:%M:%S", time.localtime(event_time_s(event["time"])))
    gesture = printable(event["event_type"])
    confidence = f"{number(event['confidence'])} %"
    label_confidence = f"{number(event['label_confidence'])} %"
    latency = duration(event["latency_ms"])
    device = printable(message.device)
    return (f"{clock:>10}  {device:<24} {gesture:<16} {confidence:>10} {label_confidence:>16} "
            f"{latency:>9}")


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
