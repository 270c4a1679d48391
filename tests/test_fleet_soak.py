"""Processes that are killed, stopped and starved under load; `beckon bench fleet` has more."""

import gc
import json
import os
import time

import pytest

from host_tools.bench.fleet_load import faults, idle
from host_tools.bench.fleet_load.rig import rss_bytes
from host_tools.collect.intake import judge
from host_tools.store.database import open_store
from host_tools.store.messages import Batch
from host_tools.store.writer import Writer
from host_tools.testing.servers import Postgres, postgres_folder


@pytest.mark.soak
def test_each_acknowledged_event_is_stored_once_whatever_fails(tmp_path):
    """Four minutes: collector killed, database stopped, broker restarted, disk full, 20 times."""
    found = faults.run(tmp_path, 20, print, postgres_folder() is not None)
    print(found)
    assert found["lost"] == found["repeated"] == 0
    for part in found["kinds"].values():
        assert part["count"] == 20 and part["acked"] > 1000
    for name in {"database", "disk"} & set(found["kinds"]):
        assert found["kinds"][name]["noticed"] >= 5  # the fault was there


@pytest.mark.soak
def test_ten_thousand_devices_lose_nothing(tmp_path):
    """Ten minutes; BECKON_SOAK_MINUTES shortens it."""
    minutes = float(os.environ.get("BECKON_SOAK_MINUTES", "10"))
    found = idle.run(tmp_path, 10_000, 60 * minutes)
    print(found)
    assert found["devices"] == 10_000 and found["acked"] > 9000 * minutes
    assert found["lost"] == found["repeated"] == found["links_lost"] == 0


@pytest.mark.soak
def test_judging_and_storing_hold_on_to_nothing():
    """300,000 events into PostgreSQL: as many objects at the end as after the first 12,000."""
    if postgres_folder() is None:
        pytest.skip("PostgreSQL is not installed")
    now_ms = time.time_ns() // 10**6
    good = {"event_type": "circle", "confidence": 93, "label_confidence": 98, "boot": 65540,
            "t_ms": 25750, "time": None, "latency_ms": 4, "model": "70"}  # fmt: skip
    objects, memory = [], []
    with Postgres() as server:
        engine = open_store(server.url)
        writer = Writer(engine)
        for batch in range(150):
            events = [judge(f"beckon/d{n % 1000}/event",
                            json.dumps({**good, "seq": n // 1000}).encode(), False, now_ms)
                      for n in range(2000 * batch, 2000 * batch + 2000)]  # fmt: skip
            assert len(writer.write(Batch(events=events)).new) == 2000
            if batch in (5, 149):
                objects.append(len(gc.get_objects()))
                memory.append(rss_bytes(os.getpid()))
        engine.dispose()
    assert objects[1] < objects[0] + 1000
    assert memory[1] < memory[0] + (4 << 20)
