"""Roll-outs as rows: who gets a model, how far each device is, who carries it out.

host_tools/rollout decides; this file only keeps, so that a roll-out outlives whoever runs it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, and_, func, or_, select, update

from host_tools.errors import BeckonError
from host_tools.store.bulk import insert
from host_tools.store.database import reading
from host_tools.store.tables import DEVICE, MODEL_FILE, ROLLOUT, ROLLOUT_DEVICE

UNFINISHED = ("running", "paused", "stopped")
LEASE_MS = 20_000  # after so long without a sign of life another runner takes over
_DEVICE_COLUMNS = ("rollout_id", "device_id", "place", "step", "since_ms", "at_ms", "tries",
                   "excused", "old_model", "old_boot", "boot", "detail")  # fmt: skip


class Rollout(NamedTuple):
    """stages: so many devices have been tried by the end of each. condition: running, paused (by
    a person), stopped (by a rule, see reason), done or aborted."""

    id: int
    at_ms: int
    person: str
    model: str
    condition: str
    reason: str
    stages: list[int]
    stage: int
    rules: dict[str, Any]
    runner: str
    runner_ms: int


@dataclass
class Target:
    """A device of a roll-out. step: see host_tools/rollout/steps.py. state: what the device last
    said of itself; online, online_ms, state_ms: as the collector stored them."""

    device_id: int
    device: str
    step: str
    since_ms: int
    at_ms: int
    tries: int
    excused: bool
    old_model: str
    old_boot: int
    boot: int
    detail: str
    online: bool | None
    online_ms: int
    state: dict[str, Any]
    state_ms: int


def keep_model(engine: Engine, name: str, content: bytes, now_ms: int) -> None:
    with engine.begin() as connection:
        insert(connection, MODEL_FILE, ("name", "at_ms", "content"), [(name, now_ms, content)],
               "(name) DO NOTHING")  # fmt: skip


def model_file(engine: Engine, name: str) -> bytes | None:
    with reading(engine).connect() as connection:
        content = connection.execute(
            select(MODEL_FILE.c.content).where(MODEL_FILE.c.name == name)).scalar()
    return None if content is None else bytes(content)


def model_files(connection: Connection) -> list[str]:
    """The models that could be rolled out again, newest first."""
    rows = connection.execute(select(MODEL_FILE.c.name).order_by(MODEL_FILE.c.at_ms.desc()))
    return [name for (name,) in rows]


def create(engine: Engine, model: str, devices: Sequence[str], stages: Sequence[int],
           rules: dict[str, Any], person: str, now_ms: int) -> int:  # fmt: skip
    """Keep a new roll-out to devices, in this order; its number. Raises BeckonError if a device
    is not known, or another roll-out is not finished with it."""
    with engine.begin() as connection:
        numbers = {name: number for number, name in connection.execute(
            select(DEVICE.c.id, DEVICE.c.name))}  # fmt: skip
        unknown = sorted(set(devices) - set(numbers))
        if unknown:
            raise BeckonError("{device}: no device of this name has reported to the store",
                              device=unknown[0])  # fmt: skip
        busy = connection.execute(
            select(DEVICE.c.name, ROLLOUT.c.id)
            .join(ROLLOUT_DEVICE, ROLLOUT_DEVICE.c.device_id == DEVICE.c.id)
            .join(ROLLOUT, ROLLOUT.c.id == ROLLOUT_DEVICE.c.rollout_id)
            .where(ROLLOUT.c.condition.in_(UNFINISHED))).all()  # fmt: skip
        wanted = set(devices)
        for name, other in busy:
            if name in wanted:
                raise BeckonError("{device} is part of roll-out {number}, which is not finished: "
                                  "continue or abort that one first", device=name,
                                  number=other)  # fmt: skip
        number = connection.execute(ROLLOUT.insert().returning(ROLLOUT.c.id), {
            "at_ms": now_ms, "person": person, "model": model, "condition": "running",
            "reason": "", "stages": json.dumps(list(stages)), "stage": 0,
            "rules": json.dumps(rules), "runner": "", "runner_ms": 0,
        }).scalar_one()  # fmt: skip
        insert(connection, ROLLOUT_DEVICE, _DEVICE_COLUMNS,
               [(number, numbers[name], place, "waiting", 0, now_ms, 0, False, "", 0, 0, "")
                for place, name in enumerate(devices)])  # fmt: skip
    return int(number)


def rollouts(connection: Connection, limit: int = 50) -> list[Rollout]:
    """Newest first."""
    rows = connection.execute(select(ROLLOUT).order_by(ROLLOUT.c.id.desc()).limit(limit))
    return [_rollout(row) for row in rows]


def rollout(connection: Connection, number: int) -> Rollout | None:
    row = connection.execute(select(ROLLOUT).where(ROLLOUT.c.id == number)).one_or_none()
    return None if row is None else _rollout(row)


def unfinished(connection: Connection) -> list[Rollout]:
    rows = connection.execute(
        select(ROLLOUT).where(ROLLOUT.c.condition.in_(UNFINISHED)).order_by(ROLLOUT.c.id))
    return [_rollout(row) for row in rows]


def _rollout(row: Any) -> Rollout:
    values = row._asdict()
    values["stages"] = json.loads(values["stages"])
    values["rules"] = json.loads(values["rules"])
    return Rollout(**values)


def change(engine: Engine, number: int, before: Iterable[str], condition: str,
           reason: str = "") -> bool:  # fmt: skip
    """Set the condition if it is one of `before`; whether it was."""
    with engine.begin() as connection:
        done = connection.execute(
            update(ROLLOUT).where(ROLLOUT.c.id == number, ROLLOUT.c.condition.in_(list(before)))
            .values(condition=condition, reason=reason))  # fmt: skip
        return done.rowcount == 1


def excuse(engine: Engine, number: int) -> None:
    """What has happened so far does not stop the roll-out again."""
    with engine.begin() as connection:
        connection.execute(
            update(ROLLOUT_DEVICE)
            .where(ROLLOUT_DEVICE.c.rollout_id == number, ROLLOUT_DEVICE.c.step != "waiting")
            .values(excused=True))  # fmt: skip


def claim(engine: Engine, number: int, runner: str, now_ms: int) -> bool:
    """Whether `runner` carries it out: nobody else does, or that one has gone silent."""
    r = ROLLOUT.c
    with engine.begin() as connection:
        done = connection.execute(
            update(ROLLOUT)
            .where(r.id == number, r.condition.in_(UNFINISHED),
                   or_(r.runner == runner, r.runner_ms < now_ms - LEASE_MS))
            .values(runner=runner, runner_ms=now_ms))  # fmt: skip
        return done.rowcount == 1


def release(engine: Engine, runner: str) -> None:
    """Another runner need not wait."""
    with engine.begin() as connection:
        connection.execute(update(ROLLOUT).where(ROLLOUT.c.runner == runner).values(runner_ms=0))


def set_stage(engine: Engine, number: int, stage: int) -> None:
    with engine.begin() as connection:
        connection.execute(update(ROLLOUT).where(ROLLOUT.c.id == number).values(stage=stage))


def set_target(engine: Engine, number: int, device_id: int, **values: Any) -> None:
    """Change columns of one device's row."""
    if "detail" in values:
        values["detail"] = values["detail"].replace("\0", " ")[:300]
    with engine.begin() as connection:
        connection.execute(
            update(ROLLOUT_DEVICE)
            .where(ROLLOUT_DEVICE.c.rollout_id == number, ROLLOUT_DEVICE.c.device_id == device_id)
            .values(**values))  # fmt: skip


def targets(connection: Connection, number: int) -> list[Target]:
    """All devices of a roll-out, in their order."""
    t, d = ROLLOUT_DEVICE.c, DEVICE.c
    rows = connection.execute(
        select(t.device_id, d.name.label("device"), t.step, t.since_ms, t.at_ms, t.tries,
               t.excused, t.old_model, t.old_boot, t.boot, t.detail, d.online, d.online_ms,
               d.state, d.state_ms)
        .join(DEVICE, and_(d.id == t.device_id)).where(t.rollout_id == number)
        .order_by(t.place))  # fmt: skip
    found = []
    for row in rows:
        values = row._asdict()
        state = json.loads(values["state"]) if values["state"] else {}
        values["state"] = state if isinstance(state, dict) else {}
        values["online_ms"] = values["online_ms"] or 0
        values["state_ms"] = values["state_ms"] or 0
        found.append(Target(**values))
    return found


def step_counts(connection: Connection, number: int) -> dict[str, int]:
    """How many devices of a roll-out are at each step."""
    rows = connection.execute(
        select(ROLLOUT_DEVICE.c.step, func.count())
        .where(ROLLOUT_DEVICE.c.rollout_id == number).group_by(ROLLOUT_DEVICE.c.step))
    return {step: int(count) for step, count in rows}
