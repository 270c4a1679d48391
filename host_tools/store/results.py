"""What became of actions."""

from typing import NamedTuple

from sqlalchemy import Engine

from host_tools.store.bulk import insert
from host_tools.store.names import Names
from host_tools.store.tables import ACTION, DEVICE


class Result(NamedTuple):
    """outcome: done or failed. detail: in a line."""

    at_ms: int
    rule: str
    device: str
    boot: int
    seq: int
    outcome: str
    detail: str
    took_ms: int


def keep_result(engine: Engine, result: Result) -> None:
    with engine.begin() as connection:
        number = Names().numbers(connection, DEVICE, [result.device])[result.device]
        detail = result.detail.replace("\0", " ")[:300]
        row = (result.at_ms, result.rule, number, result.boot, result.seq, result.outcome, detail,
               result.took_ms)  # fmt: skip
        insert(connection, ACTION, ("at_ms", "rule", "device_id", "boot", "seq", "outcome",
                                    "detail", "took_ms"), [row])  # fmt: skip
