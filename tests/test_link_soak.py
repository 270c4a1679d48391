"""All kinds of outages with each broker, on the whole firmware; `beckon bench link` has more.

The listener is that of `beckon watch`, and nobody waits for it.
"""

import argparse
import os

import pytest

from host_tools.bench import restarts
from host_tools.bench.outages import KINDS, run


@pytest.mark.soak
@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
def test_outages_of_every_kind_cost_no_event(broker):
    outcome = run(2 * len(KINDS), 150, 20250101, broker_name=broker)
    print(outcome.counters)
    # What a broker forgets it says to no one, but the gap in the numbers is named.
    assert outcome.delivered + outcome.named_missing == outcome.sent >= 150
    assert outcome.out_of_order == 0
    assert outcome.counters["events_dropped"] == outcome.counters["spool_dropped"] == 0
    assert {outage.kind for outage in outcome.outages} == set(KINDS)


@pytest.mark.soak
def test_no_event_is_lost_to_watch_while_the_broker_restarts_every_minute():
    """An hour; BECKON_SOAK_MINUTES shortens it."""
    minutes = int(os.environ.get("BECKON_SOAK_MINUTES", "60"))
    figures = restarts.measure(argparse.Namespace(minutes=minutes, every=60.0), print)
    print(figures)
    assert figures["restarts"] == minutes and figures["sent"] > 100 * minutes
    assert figures["missing"] == figures["shown_twice"] == figures["stale"] == 0
    assert figures["out_of_order"] == 0
