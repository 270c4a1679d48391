"""docs/schemas: what the firmware builds fits, what does not fit is refused."""

import ast
import copy
import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.fleet.device import _firmware_event
from host_tools.mqtt.event_fields import EVENT_FIELDS
from host_tools.mqtt.schemas import NAMES, fault_of, schema
from host_tools.paths import FIRMWARE

LABELS = st.text(min_size=1, max_size=40).filter(lambda s: s.isprintable())
SMALL = st.integers(0, 100)


def refused(name, value):
    """By both validators, or by neither."""
    ours = bool(fault_of(name, value))
    theirs = not jsonschema.Draft7Validator(schema(name)).is_valid(value)
    assert ours == theirs, (name, value)
    return ours


@given(label=LABELS, model=st.text("0123456789abcdef", max_size=8), confidence=SMALL,
       second=SMALL, seq=st.integers(0, 2**31 - 1), boot=st.integers(0, 0x7FFFFFFF * 65536 + 65535),
       t_ms=st.integers(0, 2**50), latency_ms=st.none() | st.integers(-(2**40), 2**50),
       unix_ms=st.just(0) | st.integers(1_735_689_600_000, 3_092_601_600_000))  # fmt: skip
def test_whatever_event_the_firmware_builds_fits(label, model, confidence, second, seq, boot, t_ms,
                                                 latency_ms, unix_ms):  # fmt: skip
    event = _firmware_event()
    event.label, event.model, event.confidence = label, model, confidence
    event.label_confidence, event.seq, event.boot, event.t_ms = second, seq, boot, t_ms
    payload = event.payload(latency_ms, unix_ms)
    assert fault_of("event", json.loads(payload)) == ""


@given(st.dictionaries(st.sampled_from([f.name for f in EVENT_FIELDS]),
                       st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
                       | st.text(max_size=5) | st.lists(st.integers(), max_size=2)))  # fmt: skip
def test_both_validators_judge_alike(changes):
    good = {"event_type": "circle", "confidence": 93, "label_confidence": 98, "seq": 4, "boot": 1,
            "t_ms": 25750, "time": "2025-11-20T10:25:53.063Z", "latency_ms": 4, "model": "70"}
    refused("event", {**good, **changes})


def test_the_schema_has_the_fields_of_an_event():
    event = schema("event")
    assert list(event["properties"]) == event["required"] == [f.name for f in EVENT_FIELDS]
    for field in EVENT_FIELDS:
        nullable = "null" in event["properties"][field.name]["type"]
        assert nullable == field.nullable, field.name


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_are_schemas(name):
    jsonschema.Draft7Validator.check_schema(schema(name))


def test_state_has_the_keys_that_the_firmware_describes():
    """app.py and what adds to it cannot be imported here: they are read."""
    keys = set()
    for path, function in (("app.py", "_describe"), ("power/saver.py", "_state"),
                           ("radio/start.py", "with_radio")):  # fmt: skip
        tree = ast.parse((FIRMWARE / path).read_text())
        describe = next(node for node in ast.walk(tree)
                        if isinstance(node, ast.FunctionDef) and node.name == function)
        keys |= {key.value for node in ast.walk(describe) if isinstance(node, ast.Dict)
                 for key in node.keys if isinstance(key, ast.Constant)}
        keys |= {node.slice.value for node in ast.walk(describe)
                 if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
                 and isinstance(node.slice.value, str)}
    keys.add("source")  # of a computer that recognises, see host_tools/hosted
    assert keys == set(schema("state")["properties"])


@pytest.mark.parametrize("change", [
    {"boot": -1}, {"boot": "1"}, {"safe_mode": False}, {"labels": [1]}, {"accel_g": 3},
    {"model": "x"}, {"crash": None},
])  # fmt: skip
def test_a_wrong_state_is_refused(change):
    safe = {"firmware": "0.1.0", "micropython": "1.27.0", "boot": 65536, "chip": "aa",
            "reset_cause": 1, "crash": "", "safe_mode": "3 crashes in a row",
            "model_taken_back": False, "settings_taken_back": False}  # fmt: skip
    assert not refused("state", safe)
    wrong = {**copy.deepcopy(safe), **change}
    assert refused("state", wrong)
