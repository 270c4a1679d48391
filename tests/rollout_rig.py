"""Simulated devices that take models, a mosquitto, a collector, a store: for tests of roll-outs."""

import contextlib
import threading
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Engine, text

from host_tools.collect.collector import Collector, Options
from host_tools.fleet.simulate import Plan, simulate
from host_tools.fleet.update import WAYS
from host_tools.model.codec import decode, encode
from host_tools.mqtt.address import BrokerAddress
from host_tools.paths import DEFAULT_MODEL
from host_tools.store.database import open_store
from host_tools.testing.servers import Mosquitto
from tests.waiting import until

KEY = "the key of all simulated devices"


class Rig(NamedTuple):
    store: str
    engine: Engine
    broker: BrokerAddress


def name(number):
    return f"roll-{number:05}"


def a_model(number):
    """The default model with another threshold: as good, with another id."""
    model = decode(DEFAULT_MODEL.read_bytes())
    return encode(replace(model, decision=replace(model.decision,
                                                  threshold_percent=20 + number)))  # fmt: skip


def value(engine, sql) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(sql)).scalar()


@contextlib.contextmanager
def rig(folder, good):
    """`good` devices that take a model, and behind them one of each other way."""
    store = str(folder / "store.db")
    engine = open_store(store)
    devices = good + len(WAYS) - 1
    over = threading.Event()
    with Mosquitto(folder) as broker:
        collector = Collector(broker.address, engine, Options("rollout"))
        fleet = Plan(devices, 5.0, 0.0, diag_s=1.0, settle_s=0.0, prefix="roll",
                     until=over.is_set, update_key=KEY,
                     ways=lambda i: "good" if i < good else WAYS[1 + i - good])  # fmt: skip
        threads = [threading.Thread(target=collector.run),
                   threading.Thread(target=simulate, args=(broker.address, fleet))]  # fmt: skip
        for thread in threads:
            thread.start()
        try:
            until(lambda: value(engine, "SELECT count(*) FROM device WHERE online "
                                        "AND state IS NOT NULL") == devices)  # fmt: skip
            yield Rig(store, engine, broker.address)
        finally:
            over.set()
            collector.stop()
            for thread in threads:
                thread.join()
    engine.dispose()
