"""Judge one message: a value for the store, or a Reject with the reason.

Payloads come from strangers. Nothing here raises for what they hold.
"""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from host_tools.mqtt.schemas import fault_of
from host_tools.store.messages import Diag, Event, Reject, State, Status
from host_tools.store.tables import DIAG_COUNTERS

_TOPIC = re.compile(r"beckon/([A-Za-z0-9_-]{1,32})/(event|status|state|diag)")
_MOST_BYTES = {"event": 2048, "status": 16, "state": 16_384, "diag": 8192}
_AHEAD_MS = 10 * 60_000  # so far may a device's clock be wrong
_OLDEST_MS = 1_577_836_800_000  # 2020: older times are those of a clock that was never set
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Judged = Event | Status | State | Diag | Reject


def judge(topic: str, payload: bytes, retained: bool, received_ms: int,
          keep_ms: int = 0) -> Judged | None:  # fmt: skip
    """None: nothing to store, as when a retained message is taken back.

    keep_ms: how long events are kept; an older one would be forgotten at once. 0: forever.
    """
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return _reject("topic", "not a topic of a device", topic, payload, received_ms)
    device, kind = match.groups()
    if not payload and kind in ("status", "state"):
        return None
    if len(payload) > _MOST_BYTES[kind]:
        return _reject("oversized", f"more than {_MOST_BYTES[kind]} bytes", topic, payload,
                       received_ms)  # fmt: skip
    if kind == "event" and retained:
        return _reject("replayed", "a retained event", topic, payload, received_ms)
    try:
        value: Any = payload.decode() if kind == "status" else _decode(payload)
    except (ValueError, RecursionError) as fault:
        return _reject("malformed", str(fault), topic, payload, received_ms)
    fault_text = fault_of(kind, value)
    if fault_text:
        return _reject("schema", fault_text, topic, payload, received_ms)
    if kind == "status":
        return Status(device, received_ms, value != "offline")
    if kind == "state":
        return _state(device, value, received_ms)
    if kind == "diag":
        return _diag(device, value, received_ms)
    made = _event(device, value, received_ms)
    if made is None:
        return _reject("schema", "time is not a time", topic, payload, received_ms)
    if made.at_ms > received_ms + _AHEAD_MS:
        return _reject("future", f"{(made.at_ms - received_ms) // 1000} s ahead", topic, payload,
                       received_ms)  # fmt: skip
    if made.at_ms < max(_OLDEST_MS, received_ms - keep_ms if keep_ms else 0):
        return _reject("stale", "older than what is kept", topic, payload, received_ms)
    return made


def _decode(payload: bytes) -> Any:
    value = _DECODER.decode(payload.decode())
    if b"\\u" in payload:  # then a text can hold what is not a character, or ends one
        text = json.dumps(value, ensure_ascii=False)
        if "\\u0000" in text:
            raise ValueError("a text with a NUL")
        text.encode()
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)  # json.loads() makes one each time


def _event(device: str, value: dict[str, Any], received_ms: int) -> Event | None:
    latency_ms = value["latency_ms"]
    time = value["time"]
    if time is not None:
        try:
            since = datetime.fromisoformat(time) - _EPOCH
        except ValueError:
            return None
        at_ms = since // timedelta(milliseconds=1)
    else:
        at_ms = received_ms - max(0, latency_ms or 0)
    label_confidence = value["label_confidence"]
    return Event(
        device, int(value["boot"]), int(value["seq"]), at_ms, received_ms, int(value["t_ms"]),
        None if latency_ms is None else int(latency_ms), value["event_type"], value["model"],
        int(value["confidence"]), None if label_confidence is None else int(label_confidence),
        time is not None,
    )  # fmt: skip


def _state(device: str, value: dict[str, Any], received_ms: int) -> State:
    content = json.dumps(value, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    return State(device, received_ms, int(value["boot"]), digest, content)


def _diag(device: str, value: dict[str, Any], received_ms: int) -> Diag:
    counters = tuple(None if value.get(name) is None else int(value[name])
                     for name in DIAG_COUNTERS)  # fmt: skip
    content = json.dumps(value, sort_keys=True)
    return Diag(device, received_ms, int(value["boot"]), counters, content)


def _reject(reason: str, detail: str, topic: str, payload: bytes, received_ms: int) -> Reject:
    return Reject(received_ms, reason, detail, topic, len(payload), payload)
