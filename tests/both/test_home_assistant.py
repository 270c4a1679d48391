"""Discovery messages against Home Assistant's rules, on both interpreters."""

import json

from events.home_assistant import messages, removals

LABELS = ("none", "circle", 'say "hi"', "\u00e9toile/+#", "x")
COMMANDS = ("restart", "calibrate")
NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

# What each component must have, by the abbreviations of its integration's page.
REQUIRED = {
    "event": ("stat_t", "event_types"),
    "sensor": ("stat_t", "val_tpl"),
    "number": ("cmd_t", "stat_t", "min", "max"),
    "button": ("cmd_t",),
    "device_automation": ("atype", "t", "type", "stype", "dev"),
}


def told(labels=LABELS, idle=0, device="glove-1"):
    found = {}
    for topic, payload in messages(device, "0.1.0", labels, idle, COMMANDS):
        assert topic not in found
        found[topic] = json.loads(payload)
        assert len(payload) + len(topic) + 9 <= 1536, (topic, len(payload))
    return found


def test_topics_are_as_discovery_wants_them():
    for topic in told():
        parts = str(topic, "utf-8").split("/")
        assert len(parts) == 5 and parts[0] == "homeassistant" and parts[4] == "config"
        assert parts[1] in REQUIRED
        for part in parts[2:4]:
            assert part and all(character in NAME for character in part)


def test_each_component_has_what_it_must_have():
    for topic, config in told().items():
        component = str(topic, "utf-8").split("/")[1]
        for key in REQUIRED[component]:
            assert key in config, (topic, key)
        assert config["dev"]["ids"] == ["glove-1"] and config["qos"] == 1
        if component != "device_automation":
            assert config["uniq_id"] and config["avty_t"] == "~/status"
            assert config["~"] == "beckon/glove-1"


def test_ids_are_unique():
    ids = [config["uniq_id"] for config in told().values() if "uniq_id" in config]
    assert len(ids) == len(set(ids))


def test_gestures_are_all_labels_but_idle():
    for idle in (0, 2):
        found = told(idle=idle)
        wanted = [label for i, label in enumerate(LABELS) if i != idle]
        assert found[b"homeassistant/event/glove-1/gesture/config"]["event_types"] == wanted
        triggers = [c for t, c in found.items() if b"/device_automation/" in t]
        assert sorted(trigger["pl"] for trigger in triggers) == sorted(wanted)
        # Type and subtype together must be unique in a device.
        assert len({(t["type"], t["stype"]) for t in triggers}) == len(wanted)
        assert all(trigger["t"] == "beckon/glove-1/event" for trigger in triggers)


def test_commands_are_json_with_a_transaction_once_rendered():
    for config in told().values():
        if "cmd_tpl" not in config:
            continue
        text = config["cmd_tpl"].replace("{{ now().timestamp() }}", "1700000000.123")
        text = text.replace("{{ value | int }}", "55")
        command = json.loads(text)
        assert command["transaction"] == "1700000000.123"
        if "settings" in command:
            assert command["settings"] == {"threshold_percent": 55}


def test_all_that_is_announced_can_be_removed():
    removed = {topic for topic, payload in removals("glove-1", COMMANDS) if payload == b""}
    assert not set(told()) - removed
    many = ["label %d" % i for i in range(32)]
    assert not set(told(labels=many)) - removed


def test_long_labels_and_names_still_fit():
    many = ["%02d" % i + "x" * 14 for i in range(32)]
    told(labels=many, device="d" * 32)
