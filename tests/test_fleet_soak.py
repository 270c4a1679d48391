"""Processes that are killed, stopped and starved under load; `beckon bench fleet` has more."""

import os

import pytest

from host_tools.bench.fleet_load import faults, idle, memory
from host_tools.testing.servers import postgres_folder


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
def test_a_collector_does_not_grow(tmp_path):
    found = memory.run(tmp_path, 300_000)
    print(found)
    assert found["lost"] == found["repeated"] == 0
    assert found["mib_late"] < 1.15 * found["mib_early"]
