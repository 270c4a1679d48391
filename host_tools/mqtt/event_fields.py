"""The fields of an event, once: what the board writes, what the tools read, what docs/mqtt.md says.

A test holds firmware/events/event.py and the table in docs/mqtt.md against EVENT_FIELDS.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EventField:
    """One key of the JSON object. type: of its value. nullable: whether it can be null."""

    name: str
    type: type
    unit: str
    nullable: bool
    meaning: str


EVENT_FIELDS = (
    EventField("event_type", str, "", False, "the gesture's label"),
    EventField("confidence", int, "%", False, "how sure the model is that it was a gesture"),
    EventField("label_confidence", int, "%", True, "how sure it is which one; null if an earlier "
               "firmware recorded it"),
    EventField("seq", int, "", False, "number of the event since the board started, from 0"),
    EventField("boot", int, "", False, "names this start of the board; with `seq`, the event"),
    EventField("t_ms", int, "ms", False, "when the gesture's last sample was taken, on the sample "
               "clock: since the board's first sample"),
    EventField("time", str, "ISO 8601, UTC", True, "the same as time of day; null without a time "
               "server"),
    EventField("latency_ms", int, "ms", True, "from that sample until the event was given to the "
               "socket; null if an earlier start without a clock recorded it"),
    EventField("model", str, "", False, "id of the model that recognised it"),
)


def event_fields(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Every field of EVENT_FIELDS; None for what the payload lacks or has in another type.

    Payloads come from strangers: nothing else in them is handed on.
    """
    found = {}
    for field in EVENT_FIELDS:
        value = payload.get(field.name)
        fits = isinstance(value, field.type) and not isinstance(value, bool)
        found[field.name] = value if fits else None
    return found


def markdown_table() -> str:
    """The table of docs/mqtt.md."""
    rows = ["| field | type | unit | meaning |", "|---|---|---|---|"]
    for field in EVENT_FIELDS:
        kind = ("text" if field.type is str else "integer") + (" or null" if field.nullable else "")
        rows.append(f"| `{field.name}` | {kind} | {field.unit} | {field.meaning} |")
    return "\n".join(rows)
