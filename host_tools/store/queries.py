"""What the dashboard asks. Each answer comes from roll-ups or through an index.

Sums over a long time and many devices come from fleet_hour and device_day; what one device did
lately from its events. docs/operations.md has the times at ten million events.
"""

import json
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, case, func, select

from host_tools.mqtt.power_state import is_overdue, next_contact_s
from host_tools.store.rollup import DAY_MS, HOUR_MS
from host_tools.store.tables import (
    BOOT,
    COLLECTOR,
    CONFIDENCE_COLUMNS,
    DEVICE,
    DEVICE_DAY,
    EVENT,
    FLEET_HOUR,
    GESTURE,
    LATENCY_CLASSES_MS,
    LATENCY_COLUMNS,
    MODEL,
    QUARANTINE,
    QUARANTINE_COUNT,
    VERDICT,
)

RECENT = 5000  # events of one device that are looked at for its figures
_FINE_MS = 3 * DAY_MS  # shorter periods are shown by the hour


@dataclass(frozen=True)
class Filter:
    """since_ms <= at_ms < until_ms. device, gesture: "" for all."""

    since_ms: int
    until_ms: int
    device: str = ""
    gesture: str = ""


class Row(NamedTuple):
    """An event as the pages show it. verdict: whether a person called it a false alarm, or None."""

    device: str
    boot: int
    seq: int
    at_ms: int
    gesture: str
    model: str
    confidence: int
    label_confidence: int | None
    latency_ms: int | None
    delay_ms: int
    verdict: bool | None


class DeviceRow(NamedTuple):
    """events, false_alarms: in the period. lost: events that never arrived, of all starts that are
    kept. samples_lost: since its last start. last_ms: when something last came. overdue: it is
    asleep, and should have reported."""

    name: str
    online: bool | None
    last_ms: int
    events: int
    false_alarms: int
    lost: int
    samples: int
    samples_lost: int
    model: str
    firmware: str
    sensor: str
    asleep: bool = False
    overdue: bool = False


class Totals(NamedTuple):
    events: int
    false_alarms: int
    confidence_percent: float
    devices: int
    offline: int


def latest(connection: Connection, wanted: Filter, limit: int = 50) -> list[Row]:
    """The last events, newest first."""
    e = EVENT.c
    # First those that are shown, in the order of an index; then what belongs to them.
    query = select(e.device_id, e.boot, e.seq).order_by(e.at_ms.desc()).limit(limit)
    since_ms, until_ms = wanted.since_ms, wanted.until_ms
    if wanted.gesture:
        number = _number(connection, GESTURE, wanted.gesture)
        query = query.where(e.gesture_id == number)
        if not wanted.device:
            since_ms, until_ms = _where_it_is(connection, wanted, number, limit)
    if wanted.device:
        query = query.where(e.device_id == _number(connection, DEVICE, wanted.device))
    last = query.where(e.at_ms >= since_ms, e.at_ms < until_ms).subquery()
    whole = (
        select(DEVICE.c.name, e.boot, e.seq, e.at_ms, GESTURE.c.name, MODEL.c.name, e.confidence,
               e.label_confidence, e.latency_ms, e.delay_ms, VERDICT.c.false_alarm)
        .select_from(last)
        .join(EVENT, and_(e.device_id == last.c.device_id, e.boot == last.c.boot,
                          e.seq == last.c.seq))
        .join(DEVICE, DEVICE.c.id == e.device_id)
        .join(GESTURE, GESTURE.c.id == e.gesture_id)
        .join(MODEL, MODEL.c.id == e.model_id)
        .outerjoin(VERDICT, and_(VERDICT.c.device_id == e.device_id, VERDICT.c.boot == e.boot,
                                 VERDICT.c.seq == e.seq))
        .order_by(e.at_ms.desc(), DEVICE.c.name, e.boot.desc(), e.seq.desc())
    )  # fmt: skip
    return [Row._make(row) for row in connection.execute(whole)]


def _where_it_is(connection: Connection, wanted: Filter, gesture: int,
                 limit: int) -> tuple[int, int]:  # fmt: skip
    """The part of the period with the last `limit` events of a gesture, by the hours' sums: a
    rare one is not looked for among all others."""
    h = FLEET_HOUR.c
    hours = connection.execute(
        select(h.hour_ms, func.sum(h.events)).where(h.gesture_id == gesture, *_hours(wanted))
        .group_by(h.hour_ms).order_by(h.hour_ms.desc()))  # fmt: skip
    found, last = 0, None
    for hour_ms, events in hours:
        last = hour_ms if last is None else last
        found += int(events)
        # The first and the last hour belong to the period in part.
        if found - int(events) >= limit:
            return max(wanted.since_ms, hour_ms), min(wanted.until_ms, last + HOUR_MS)
    return wanted.since_ms, wanted.until_ms if last is None else min(wanted.until_ms,
                                                                     last + HOUR_MS)  # fmt: skip


def over_time(connection: Connection, wanted: Filter) -> dict[str, list[tuple[int, int]]]:
    """gesture -> (begin of the hour or day, ms; events), in order."""
    period_ms = wanted.until_ms - wanted.since_ms
    query: Select[Any]
    if wanted.device and period_ms <= _FINE_MS:
        at = EVENT.c.at_ms - EVENT.c.at_ms % HOUR_MS
        query = (select(EVENT.c.gesture_id, at, func.count())
                 .where(EVENT.c.at_ms >= wanted.since_ms, EVENT.c.at_ms < wanted.until_ms,
                        EVENT.c.device_id == _number(connection, DEVICE, wanted.device))
                 .group_by(EVENT.c.gesture_id, at))  # fmt: skip
        gesture_id = EVENT.c.gesture_id
    elif wanted.device:
        d = DEVICE_DAY.c
        gesture_id = d.gesture_id
        query = (select(d.gesture_id, d.day_ms, func.sum(d.events))
                 .where(*_days(wanted), d.device_id == _number(connection, DEVICE, wanted.device))
                 .group_by(d.gesture_id, d.day_ms))  # fmt: skip
    else:
        h = FLEET_HOUR.c
        gesture_id = h.gesture_id
        at = h.hour_ms if period_ms <= _FINE_MS else h.hour_ms - h.hour_ms % DAY_MS
        query = (select(h.gesture_id, at, func.sum(h.events)).where(*_hours(wanted))
                 .group_by(h.gesture_id, at))  # fmt: skip
    if wanted.gesture:
        query = query.where(gesture_id == _number(connection, GESTURE, wanted.gesture))
    names = _names(connection, GESTURE)
    found: dict[str, list[tuple[int, int]]] = {}
    for number, at_ms, events in connection.execute(query):
        if int(events):
            found.setdefault(names.get(number, "?"), []).append((int(at_ms), int(events)))
    return {name: sorted(found[name]) for name in sorted(found)}


def step_ms(wanted: Filter) -> int:
    """The width of over_time()'s columns."""
    return HOUR_MS if wanted.until_ms - wanted.since_ms <= _FINE_MS else DAY_MS


def histograms(connection: Connection, wanted: Filter) -> tuple[list[int], list[int]]:
    """Events by latency (as in tables.LATENCY_CLASSES_MS) and by confidence (tens of percent).

    Of one device: of its last RECENT events in the period.
    """
    if wanted.device:
        return _histograms_of(connection, wanted)
    sums = [func.sum(FLEET_HOUR.c[name]) for name in (*LATENCY_COLUMNS, *CONFIDENCE_COLUMNS)]
    query = select(*sums).where(*_hours(wanted))
    if wanted.gesture:
        query = query.where(FLEET_HOUR.c.gesture_id == _number(connection, GESTURE,
                                                               wanted.gesture))  # fmt: skip
    values = [int(value or 0) for value in connection.execute(query).one()]
    return values[: len(LATENCY_COLUMNS)], values[len(LATENCY_COLUMNS) :]


def _histograms_of(connection: Connection, wanted: Filter) -> tuple[list[int], list[int]]:
    e = EVENT.c
    inner = (select(e.latency_ms, e.confidence)
             .where(e.device_id == _number(connection, DEVICE, wanted.device),
                    e.at_ms >= wanted.since_ms, e.at_ms < wanted.until_ms)
             .order_by(e.at_ms.desc()).limit(RECENT))  # fmt: skip
    if wanted.gesture:
        inner = inner.where(e.gesture_id == _number(connection, GESTURE, wanted.gesture))
    part = inner.subquery()
    latency = case(*((part.c.latency_ms <= bound, i) for i, bound in
                     enumerate(LATENCY_CLASSES_MS)), else_=len(LATENCY_CLASSES_MS))  # fmt: skip
    latencies, confidences = [0] * len(LATENCY_COLUMNS), [0] * len(CONFIDENCE_COLUMNS)
    for column, count in connection.execute(
            select(latency, func.count()).where(part.c.latency_ms.isnot(None)).group_by(latency)):
        latencies[column] = count
    tens = part.c.confidence - part.c.confidence % 10
    for ten, count in connection.execute(select(tens, func.count()).group_by(tens)):
        confidences[min(ten // 10, 9)] += count
    return latencies, confidences


def percentile_ms(latencies: list[int], share: float) -> int | None:
    """The upper bound of the class that holds this share; None if nothing is known. The last class
    has no bound: its lower one counts."""
    total, seen = sum(latencies), 0
    for i, count in enumerate(latencies):
        seen += count
        if total and seen >= share * total:
            return LATENCY_CLASSES_MS[min(i, len(LATENCY_CLASSES_MS) - 1)]
    return None


def totals(connection: Connection, wanted: Filter) -> Totals:
    """Whole hours and days are counted, as the roll-ups have them."""
    table = DEVICE_DAY if wanted.device else FLEET_HOUR
    query = select(func.sum(table.c.events), func.sum(table.c.false_alarms),
                   func.sum(table.c.confidence_sum))  # fmt: skip
    query = query.where(*(_days(wanted) if wanted.device else _hours(wanted)))
    devices = select(func.count(), func.count().filter(DEVICE.c.online.is_(False)))
    devices = devices.select_from(DEVICE)
    if wanted.device:
        query = query.where(DEVICE_DAY.c.device_id == _number(connection, DEVICE, wanted.device))
        devices = devices.where(DEVICE.c.name == wanted.device)
    if wanted.gesture:
        query = query.where(table.c.gesture_id == _number(connection, GESTURE, wanted.gesture))
    events, false_alarms, confidence = (int(v or 0) for v in connection.execute(query).one())
    every, offline = connection.execute(devices).one()
    return Totals(events, false_alarms, confidence / events if events else 0.0, every, offline)


def devices(connection: Connection, wanted: Filter, limit: int = 100,
            offset: int = 0) -> list[DeviceRow]:  # fmt: skip
    """Those that need a look first: offline, then by name."""
    d = DEVICE.c
    page = select(d.id, d.name, d.online, d.online_ms, d.state, d.state_ms, d.diag, d.diag_ms)
    if wanted.device:
        page = page.where(d.name == wanted.device)
    page = page.order_by(func.coalesce(d.online, True), d.name).limit(limit).offset(offset)
    rows = connection.execute(page).all()
    numbers = [row.id for row in rows]
    sums = {number: (int(events), int(alarms)) for number, events, alarms in connection.execute(
        select(DEVICE_DAY.c.device_id, func.sum(DEVICE_DAY.c.events),
               func.sum(DEVICE_DAY.c.false_alarms))
        .where(*_days(wanted), DEVICE_DAY.c.device_id.in_(numbers))
        .group_by(DEVICE_DAY.c.device_id))}  # fmt: skip
    starts = {number: (int(lost), int(last)) for number, lost, last in connection.execute(
        select(BOOT.c.device_id, func.sum(BOOT.c.seq_max + 1 - BOOT.c.events),
               func.max(BOOT.c.received_ms))
        .where(BOOT.c.device_id.in_(numbers)).group_by(BOOT.c.device_id))}  # fmt: skip
    found = []
    for row in rows:
        state, diag = _object(row.state), _object(row.diag)
        events, alarms = sums.get(row.id, (0, 0))
        lost, last_ms = starts.get(row.id, (0, 0))
        last_ms = max(last_ms, row.online_ms or 0, row.state_ms or 0, row.diag_ms or 0)
        found.append(DeviceRow(
            row.name, row.online, last_ms, events, alarms, lost, _whole(diag.get("samples")),
            _whole(diag.get("samples_lost")), str(state.get("model", "")),
            str(state.get("firmware", "")), str(state.get("sensor", "")),
            next_contact_s(state) > 0,
            is_overdue(state, time.time() - last_ms / 1000)))  # fmt: skip
    return found


def models(connection: Connection) -> list[tuple[str, int]]:
    """(model, devices that report it), most first."""
    counts: dict[str, int] = {}
    for (state,) in connection.execute(select(DEVICE.c.state).where(DEVICE.c.state.isnot(None))):
        model = str(_object(state).get("model", ""))
        counts[model] = counts.get(model, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def gestures(connection: Connection) -> list[str]:
    return sorted(_names(connection, GESTURE).values())


def device_names(connection: Connection, begin: str = "", limit: int = 50) -> list[str]:
    query = select(DEVICE.c.name).where(DEVICE.c.name.startswith(begin, autoescape=True))
    return [name for (name,) in connection.execute(query.order_by(DEVICE.c.name).limit(limit))]


def collectors(connection: Connection) -> list[Any]:
    return list(connection.execute(select(COLLECTOR).order_by(COLLECTOR.c.name)))


def quarantine_counts(connection: Connection) -> list[tuple[str, int, int]]:
    """(reason, messages, when the last one came)."""
    q = QUARANTINE_COUNT.c
    rows = connection.execute(select(q.reason, q.messages, q.last_ms).order_by(q.messages.desc()))
    return [(row.reason, row.messages, row.last_ms) for row in rows]


def quarantine_size(connection: Connection) -> int:
    """How many of the messages are still there for a look; the oldest give way."""
    return int(connection.scalar(select(func.count()).select_from(QUARANTINE)) or 0)


def quarantined(connection: Connection, limit: int = 50) -> list[Any]:
    return list(connection.execute(
        select(QUARANTINE).order_by(QUARANTINE.c.id.desc()).limit(limit)))  # fmt: skip


def _hours(wanted: Filter) -> tuple:
    return (FLEET_HOUR.c.hour_ms >= wanted.since_ms // HOUR_MS * HOUR_MS,
            FLEET_HOUR.c.hour_ms < wanted.until_ms)  # fmt: skip


def _days(wanted: Filter) -> tuple:
    return (DEVICE_DAY.c.day_ms >= wanted.since_ms // DAY_MS * DAY_MS,
            DEVICE_DAY.c.day_ms < wanted.until_ms)  # fmt: skip


def _number(connection: Connection, table: Any, name: str) -> int:
    """The number of a name, -1 if there is none such."""
    number = connection.execute(select(table.c.id).where(table.c.name == name)).scalar()
    return -1 if number is None else number


def _names(connection: Connection, table: Any) -> dict[int, str]:
    return {row.id: row.name for row in connection.execute(select(table.c.id, table.c.name))}


def _object(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
