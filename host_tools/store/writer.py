"""Write batches: each in one transaction, each event once, roll-ups with it.

    outcome = Writer(engine).write(batch)

When write() returns, all is on the disk. It raises what the database raises; nothing of the
batch is stored then, and it can be given again.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine

from host_tools.store import rollup
from host_tools.store.bulk import each, insert, matching
from host_tools.store.messages import Batch, Diag, Event, Outcome, Reject, State, Status
from host_tools.store.names import Names
from host_tools.store.quarantine import keep_aside
from host_tools.store.tables import (
    BOOT,
    DEVICE,
    DIAG,
    DIAG_COUNTERS,
    EVENT,
    GESTURE,
    MODEL,
    STATE,
)

_KEY = ("device_id", "boot", "seq")
_COLUMNS = (*_KEY, "at_ms", "delay_ms", "t_ms", "latency_ms", "gesture_id", "model_id",
            "confidence", "label_confidence", "timed")  # fmt: skip
# What is the same each time that an event arrives; a difference means that somebody invents.
_CONTENT = ("t_ms", "gesture_id", "model_id", "confidence", "label_confidence")
_CONTENT_AT = tuple(_COLUMNS.index(name) for name in _CONTENT)
_KEEP_EARLIER = (
    "(device_id, boot) DO UPDATE SET events = boot.events + excluded.events, "
    "seq_max = CASE WHEN excluded.seq_max > boot.seq_max THEN excluded.seq_max "
    "ELSE boot.seq_max END, "
    "first_ms = CASE WHEN excluded.first_ms < boot.first_ms THEN excluded.first_ms "
    "ELSE boot.first_ms END, "
    "last_ms = CASE WHEN excluded.last_ms > boot.last_ms THEN excluded.last_ms "
    "ELSE boot.last_ms END, "
    "received_ms = CASE WHEN excluded.received_ms > boot.received_ms "
    "THEN excluded.received_ms ELSE boot.received_ms END"
)


class Writer:
    """quarantine: how many messages are kept aside at most; the oldest give way."""

    def __init__(self, engine: Engine, quarantine: int = 10_000):
        self._engine = engine
        self._quarantine = quarantine
        self._names = Names()

    def write(self, batch: Batch) -> Outcome:
        """Store batch. Raises sqlalchemy.exc.DBAPIError."""
        try:
            with self._engine.begin() as connection:
                outcome = self._write(connection, batch)
        except BaseException:
            self._names.rolled_back()
            raise
        self._names.committed()
        return outcome

    def check(self, batch: Batch) -> None:
        """Raise what write() would raise; store nothing."""
        with self._engine.connect() as connection:
            try:
                self._write(connection, batch)
            finally:
                connection.rollback()
                self._names.rolled_back()

    def _write(self, connection: Connection, batch: Batch) -> Outcome:
        devices = {m.device for part in (batch.events, batch.statuses, batch.states, batch.diags)
                   for m in part}  # fmt: skip
        numbers = self._names.numbers(connection, DEVICE, devices) if devices else {}
        new, repeats, forged = self._events(connection, batch.events, numbers)
        _statuses(connection, batch.statuses, numbers)
        _states(connection, batch.states, numbers)
        _diags(connection, batch.diags, numbers)
        rejects = [*batch.rejects, *map(_forgery, forged)]
        keep_aside(connection, rejects, self._quarantine)
        return Outcome(new, repeats, len(rejects))

    def _events(self, connection: Connection, events: Sequence[Event],
                devices: dict[str, int]) -> tuple[list[Event], int, list[Event]]:  # fmt: skip
        """Store; (those that are new, how many were repeats, those that contradict others)."""
        if not events:
            return [], 0, []
        gestures = self._names.numbers(connection, GESTURE, {e.gesture for e in events})
        models = self._names.numbers(connection, MODEL, {e.model for e in events})
        waiting: dict[tuple, tuple[Event, tuple]] = {}
        repeats, forged = 0, []
        for e in events:
            row = (devices[e.device], e.boot, e.seq, e.at_ms, e.received_ms - e.at_ms, e.t_ms,
                   e.latency_ms, gestures[e.gesture], models[e.model], e.confidence,
                   e.label_confidence, e.timed)  # fmt: skip
            before = waiting.setdefault(row[:3], (e, row))
            if before[1] is row:
                continue
            if _content(before[1]) == _content(row):
                repeats += 1
            else:
                forged.append(e)
        while waiting:
            rows = [waiting[key][1] for key in sorted(waiting)]
            attempt = connection.begin_nested()
            inserted = insert(connection, EVENT, _COLUMNS, rows, "DO NOTHING")
            if inserted == len(rows):
                attempt.commit()
                rollup.add(connection, rows)
                _add_boots(connection, waiting.values())
                break
            attempt.rollback()  # some are there; which of them may change the roll-ups?
            stored = matching(connection, EVENT, (*_KEY, *_CONTENT), _KEY,
                              [row[:3] for row in rows])  # fmt: skip
            for found in stored:
                event, row = waiting.pop(tuple(found[:3]))
                if tuple(found[3:]) == _content(row):
                    repeats += 1
                else:
                    forged.append(event)
        return [event for event, _ in waiting.values()], repeats, forged


def _content(row: tuple) -> tuple:
    return tuple(row[i] for i in _CONTENT_AT)


def _forgery(event: Event) -> Reject:
    text = repr(event._asdict()).encode()
    return Reject(event.received_ms, "forged",
                  "another event with this device, boot and seq is stored",
                  f"beckon/{event.device}/event", len(text), text)  # fmt: skip


def _add_boots(connection: Connection, stored: Any) -> None:
    boots: dict[tuple, list[int]] = {}
    for event, row in stored:
        key, at = row[:2], event.at_ms
        b = boots.get(key)
        if b is None:
            boots[key] = [at, at, event.received_ms, event.seq, 1]
        else:
            b[0], b[1] = min(b[0], at), max(b[1], at)
            b[2], b[3] = max(b[2], event.received_ms), max(b[3], event.seq)
            b[4] += 1
    insert(connection, BOOT,
           ("device_id", "boot", "first_ms", "last_ms", "received_ms", "seq_max", "events"),
           [(*key, *boots[key]) for key in sorted(boots)], _KEEP_EARLIER)  # fmt: skip


def _statuses(connection: Connection, statuses: Sequence[Status], devices: dict[str, int]) -> None:
    changed = "(online IS NULL OR online <> ?) AND (online_ms IS NULL OR online_ms <= ?)"
    last = [(devices[s.device], s.received_ms, s.online) for s in _last_of_each(statuses)]
    each(connection, "INSERT INTO presence (device_id, at_ms, online) SELECT id, ?, ? FROM device "
         f"WHERE id = ? AND {changed} ON CONFLICT (device_id, at_ms) DO NOTHING",
         [(at, online, number, online, at) for number, at, online in last])  # fmt: skip
    each(connection, f"UPDATE device SET online = ?, online_ms = ? WHERE id = ? AND {changed}",
         [(online, at, number, online, at) for number, at, online in last])  # fmt: skip


def _states(connection: Connection, states: Sequence[State], devices: dict[str, int]) -> None:
    insert(connection, STATE, ("device_id", "boot", "digest", "at_ms", "content"),
           [(devices[s.device], s.boot, s.digest, s.received_ms, s.content) for s in states],
           "(device_id, boot, digest) DO NOTHING")  # fmt: skip
    each(connection, "UPDATE device SET state = ?, state_ms = ? "
         "WHERE id = ? AND (state_ms IS NULL OR state_ms <= ?)",
         [(s.content, s.received_ms, devices[s.device], s.received_ms)
          for s in _last_of_each(states)])  # fmt: skip


def _diags(connection: Connection, diags: Sequence[Diag], devices: dict[str, int]) -> None:
    insert(connection, DIAG, ("device_id", "boot", "at_ms", *DIAG_COUNTERS),
           [(devices[d.device], d.boot, d.received_ms, *d.counters) for d in diags],
           "(device_id, boot, uptime_ms) DO NOTHING")  # fmt: skip
    each(connection, "UPDATE device SET diag = ?, diag_ms = ? "
         "WHERE id = ? AND (diag_ms IS NULL OR diag_ms <= ?)",
         [(d.content, d.received_ms, devices[d.device], d.received_ms)
          for d in _last_of_each(diags)])  # fmt: skip


def _last_of_each(messages: Sequence[Any]) -> list[Any]:
    """The last message of each device, in the order of the names: two collectors that change the
    same rows in different orders would wait for each other."""
    last = {message.device: message for message in messages}
    return [last[name] for name in sorted(last)]
