"""Sums by hour and by day, so that the dashboard reads thousands of rows instead of millions."""

from bisect import bisect_left
from collections.abc import Sequence

from sqlalchemy import Connection

from host_tools.store.bulk import adding, insert
from host_tools.store.tables import (
    CONFIDENCE_COLUMNS,
    DEVICE_DAY,
    FLEET_HOUR,
    LATENCY_CLASSES_MS,
    LATENCY_COLUMNS,
)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_HOUR_KEY = ("hour_ms", "gesture_id", "model_id")
_HOUR_SUMS = ("events", "false_alarms", "confidence_sum", *CONFIDENCE_COLUMNS, *LATENCY_COLUMNS)
_DAY_KEY = ("day_ms", "device_id", "gesture_id")
_DAY_SUMS = ("events", "false_alarms", "confidence_sum")
_LATENCY_AT = 3 + len(CONFIDENCE_COLUMNS)


def latency_class(latency_ms: int) -> int:
    """Its place in LATENCY_COLUMNS."""
    return bisect_left(LATENCY_CLASSES_MS, latency_ms)


def add(connection: Connection, rows: Sequence[tuple], sign: int = 1) -> None:
    """Count events. rows: in the order of writer._COLUMNS. sign: -1 takes them away."""
    hours: dict[tuple, list[int]] = {}
    days: dict[tuple, list[int]] = {}
    for (device, _, _, at_ms, _, _, latency_ms, gesture, model, confidence, _, _) in rows:
        hour = hours.get(key := (at_ms // HOUR_MS * HOUR_MS, gesture, model))
        if hour is None:
            hour = hours[key] = [0] * len(_HOUR_SUMS)
        hour[0] += sign
        hour[2] += sign * confidence
        hour[3 + min(confidence // 10, 9)] += sign
        if latency_ms is not None:
            hour[_LATENCY_AT + bisect_left(LATENCY_CLASSES_MS, latency_ms)] += sign
        day = days.get(key := (at_ms // DAY_MS * DAY_MS, device, gesture))
        if day is None:
            day = days[key] = [0] * len(_DAY_SUMS)
        day[0] += sign
        day[2] += sign * confidence
    _write(connection, hours, days)


def add_false_alarms(connection: Connection, at_ms: int, device: int, gesture: int, model: int,
                     change: int) -> None:  # fmt: skip
    """A person has marked an event of these, or taken the mark back (change -1)."""
    hour = [0] * len(_HOUR_SUMS)
    day = [0] * len(_DAY_SUMS)
    hour[1] = day[1] = change
    _write(connection, {(at_ms // HOUR_MS * HOUR_MS, gesture, model): hour},
           {(at_ms // DAY_MS * DAY_MS, device, gesture): day})  # fmt: skip


def _write(connection: Connection, hours: dict[tuple, list[int]],
           days: dict[tuple, list[int]]) -> None:  # fmt: skip
    # The fleet's rows last: all collectors change them, and wait until the other's commit.
    insert(connection, DEVICE_DAY, (*_DAY_KEY, *_DAY_SUMS),
           [(*key, *days[key]) for key in sorted(days)],
           adding(DEVICE_DAY, _DAY_KEY, _DAY_SUMS))  # fmt: skip
    insert(connection, FLEET_HOUR, (*_HOUR_KEY, *_HOUR_SUMS),
           [(*key, *hours[key]) for key in sorted(hours)],
           adding(FLEET_HOUR, _HOUR_KEY, _HOUR_SUMS))  # fmt: skip
