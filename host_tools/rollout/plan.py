"""Make a roll-out: which model, which devices, in which stages.

    number = start(engine, Wanted(Path("new.mlp").read_bytes(), share="20%"))
"""

import math
import random
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, Engine, select

from host_tools.errors import BeckonError
from host_tools.model.format import ModelError
from host_tools.model.golden import checked_model
from host_tools.mqtt.remote_device import MODEL_BYTES_MAX
from host_tools.rollout.rules import Rules
from host_tools.store import rollouts
from host_tools.store.database import reading
from host_tools.store.tables import DEVICE

STAGES = "1, 10%, 100%"


@dataclass(frozen=True)
class Wanted:
    """devices: names, in their order; empty: all that have reported, in random order. running: only
    those of them that run this model now. share: so many of these, "20%" or a number. stages: so
    many are tried by the end of each."""

    content: bytes
    devices: Sequence[str] = ()
    share: str = "100%"
    running: str = ""
    stages: str = STAGES
    rules: Rules = field(default_factory=Rules)
    person: str = "local"


def start(engine: Engine, wanted: Wanted, seed: int | None = None) -> int:
    """Keep the roll-out; its number. A runner carries it out. Raises BeckonError."""
    try:
        name = checked_model(wanted.content).model_id
    except ModelError as fault:
        raise BeckonError(str(fault)) from None
    if len(wanted.content) > MODEL_BYTES_MAX:
        raise BeckonError("this model has {size} bytes; a board takes {most} over MQTT: train a "
                          "smaller one, see beckon train --size", size=len(wanted.content),
                          most=MODEL_BYTES_MAX)  # fmt: skip
    with reading(engine).connect() as connection:
        names = _chosen(connection, wanted, random.Random(seed))
    stages = numbers_of(wanted.stages, len(names))
    now_ms = time.time_ns() // 10**6
    rollouts.keep_model(engine, name, wanted.content, now_ms)
    return rollouts.create(engine, name, names, stages, asdict(wanted.rules), wanted.person,
                           now_ms)  # fmt: skip


def _chosen(connection: Connection, wanted: Wanted, lot: random.Random) -> list[str]:
    if wanted.devices:
        names = list(dict.fromkeys(wanted.devices))
        known = set(names)
    else:
        rows = connection.execute(select(DEVICE.c.name).where(DEVICE.c.state.isnot(None))
                                  .order_by(DEVICE.c.name))  # fmt: skip
        names = [name for (name,) in rows]
        known = set(names)
    if wanted.running:
        rows = connection.execute(select(DEVICE.c.name, DEVICE.c.state)
                                  .where(DEVICE.c.state.isnot(None)))  # fmt: skip
        known &= {name for name, state in rows if f'"model": "{wanted.running}"' in state}
        names = [name for name in names if name in known]
    if not names:
        raise BeckonError("not one device is meant: name one that has reported to the store")
    if not wanted.devices:
        lot.shuffle(names)  # so that the first ones are not all from one room
    return names[: numbers_of(wanted.share, len(names))[-1]]


def numbers_of(text: str, devices: int) -> list[int]:
    """ "1, 10%, 100%" as numbers of devices, growing. Raises BeckonError."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,6}(?:\.\d{1,3})?)\s*(%?)\s*", part)
        value = float(match[1]) if match else 0.0
        percent = bool(match and match[2])
        if not match or value <= 0 or (percent and value > 100) or (
            not percent and value != int(value)
        ):
            raise BeckonError("{text!r} is not a number of devices: write 3 or 10%", status=2,
                              text=part.strip())  # fmt: skip
        # Rounding errors must not add a device: 10 % of 30 are three.
        count = math.ceil(devices * value / 100 - 1e-9) if percent else int(value)
        count = min(devices, max(1, count))
        if not found or count > found[-1]:
            found.append(count)
    return found
