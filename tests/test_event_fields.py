"""One list of an event's fields: the firmware writes it, the tools read it, the docs show it."""

import json
import sys
from datetime import datetime
from itertools import product

import pytest

from host_tools.mqtt.event_fields import EVENT_FIELDS, event_fields, markdown_table
from host_tools.paths import FIRMWARE, REPOSITORY


@pytest.fixture
def event(monkeypatch):
    """The firmware's own class; it is pure."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FIRMWARE))
    from events.event import Event

    yield Event()
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("events", "ops"):
            del sys.modules[name]


@pytest.mark.parametrize("latency_ms, unix_ms", list(product((None, 7), (0, 1763634353063))))
def test_the_firmware_writes_these_fields_in_this_order(event, latency_ms, unix_ms):
    event.label, event.model, event.confidence, event.seq = 'a "wave"', "709cb702", 93, 412
    event.label_confidence = 98
    payload = json.loads(event.payload(latency_ms, unix_ms))
    assert list(payload) == [field.name for field in EVENT_FIELDS]
    for field in EVENT_FIELDS:
        value = payload[field.name]
        assert field.nullable if value is None else type(value) is field.type, field.name
    assert event_fields(payload) == payload  # so nothing gets lost on the way to the tools
    assert not unix_ms or datetime.fromisoformat(payload["time"]).timestamp() == unix_ms / 1000


def test_the_docs_show_the_same_table():
    assert markdown_table() in (REPOSITORY / "docs" / "mqtt.md").read_text()


def test_of_a_strangers_payload_only_what_fits_is_handed_on():
    found = event_fields({"event_type": 7, "confidence": True, "seq": 3, "time": [], "x": "y"})
    assert found == {**dict.fromkeys(field.name for field in EVENT_FIELDS), "seq": 3}
