"""All kinds of outages with each broker, on the whole firmware; `beckon bench link` has more."""

import pytest

from host_tools.bench.outages import KINDS, run


@pytest.mark.soak
@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
def test_outages_of_every_kind_cost_no_event(broker):
    outcome = run(2 * len(KINDS), 150, 20250101, broker_name=broker)
    print(outcome.counters)
    assert outcome.delivered == outcome.sent >= 150
    assert outcome.out_of_order == 0
    assert outcome.counters["events_dropped"] == outcome.counters["spool_dropped"] == 0
    assert {outage.kind for outage in outcome.outages} == set(KINDS)
