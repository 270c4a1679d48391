"""The discovery message against Home Assistant's rules, on both interpreters."""

import json

from events.home_assistant import announcement, earlier_topics, topic
from ops.json_pieces import pieces

LABELS = ("none", "circle", 'say "hi"', "\u00e9toile/+#", "x")
NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

# What each platform must have, by the abbreviations of its integration's page.
REQUIRED = {
    "event": ("stat_t", "evt_typ"),
    "sensor": ("stat_t", "val_tpl"),
    "binary_sensor": ("stat_t",),
    "number": ("cmd_t", "stat_t", "min", "max"),
    "button": ("cmd_t",),
    "device_automation": ("atype", "t", "type", "stype"),
}


def message(labels=LABELS, idle=0, device="glove-1", trigger_age_s=5, removed=0):
    value = announcement(device, "0.1.0", labels, idle, trigger_age_s, removed)
    parts = list(pieces(value))
    assert list(pieces(value)) == parts  # its size is counted before it is sent
    assert max(len(part) for part in parts) <= 1024
    return json.loads(str(b"".join(parts), "utf-8"))


def of(platform, found):
    return {name: c for name, c in found["cmps"].items() if c["p"] == platform}


def test_the_topic_is_as_discovery_wants_it():
    assert topic("glove-1") == b"homeassistant/device/glove-1/config"
    for old in earlier_topics("glove-1"):
        parts = str(old, "utf-8").split("/")
        assert len(parts) == 5 and parts[0] == "homeassistant" and parts[4] == "config"
        assert parts[1] in REQUIRED
        for part in parts[2:4]:
            assert part and all(character in NAME for character in part)


def test_device_origin_and_components_have_what_they_must_have():
    found = message()
    assert found["dev"]["ids"] == ["glove-1"] and found["o"]["name"] == "Beckon"
    assert found["avty_t"] == "beckon/glove-1/status" and found["qos"] == 1
    for name, config in found["cmps"].items():
        assert name and all(character in NAME for character in name)
        for key in REQUIRED[config["p"]]:
            assert key in config, (name, key)
        if config["p"] != "device_automation":
            assert config["uniq_id"] == "glove-1_" + name


def test_a_board_that_sleeps_is_there_and_one_that_does_not_report_again_is_not():
    found = message()
    assert "'offline' if value == 'offline'" in found["avty_tpl"]
    assert not [c for c in found["cmps"].values() if "exp_aft" in c]
    found = json.loads(b"".join(pieces(announcement("g", "0.1.0", LABELS, 0, 5, 0, 7200))))
    sensors = [c for c in found["cmps"].values() if c.get("stat_t", "").endswith("/diag")]
    assert sensors and all(c["exp_aft"] == 7200 for c in sensors)


def test_gestures_are_all_labels_but_idle():
    for idle in (0, 2):
        found = message(idle=idle)
        wanted = [label for i, label in enumerate(LABELS) if i != idle]
        assert found["cmps"]["gesture"]["evt_typ"] == wanted
        triggers = of("device_automation", found).values()
        assert sorted(trigger["pl"] for trigger in triggers) == sorted(wanted)
        # Type and subtype together must be unique in a device.
        assert len({(t["type"], t["stype"]) for t in triggers}) == len(wanted)
        assert all(trigger["t"] == "beckon/glove-1/event" for trigger in triggers)


def test_gestures_that_are_gone_are_taken_back():
    found = of("device_automation", message(removed=6))
    assert [config for config in found.values() if len(config) == 1] == [
        {"p": "device_automation"}, {"p": "device_automation"}]
    assert len(found) == 6 and len(of("device_automation", message(removed=2))) == 4


def test_events_that_are_old_trigger_nothing():
    for config in message(trigger_age_s=7)["cmps"].values():
        if config.get("stat_t", config.get("t")) == "beckon/glove-1/event":
            age = "value_json.latency_ms"
            assert "if %s is number and %s < 7000 }}" % (age, age) in config["val_tpl"]


def test_restart_is_a_restart_and_the_sensor_a_problem():
    found = message()["cmps"]
    assert found["restart"]["dev_cla"] == "restart" and "dev_cla" not in found["calibrate"]
    assert found["sensor"]["dev_cla"] == "problem" and "'ok'" in found["sensor"]["val_tpl"]


def test_commands_are_json_with_a_transaction_once_rendered():
    for config in message()["cmps"].values():
        if "cmd_tpl" not in config:
            continue
        text = config["cmd_tpl"].replace("{{ now().timestamp() }}", "1700000000.123")
        text = text.replace("{{ value | int }}", "55")
        command = json.loads(text)
        assert command["transaction"] == "1700000000.123"
        if "settings" in command:
            assert command["settings"] == {"threshold_percent": 55}


def test_labels_and_names_of_any_size_are_no_hindrance():
    many = ["%02d" % i + "x" * 253 for i in range(32)]
    found = message(labels=many, device="d" * 32)
    assert len(of("device_automation", found)) == 31


def test_pieces_are_json():
    for value in ({}, [], (), {"a": []}, [{}], [1, [2, "\u00e9"]], {"a": None, "b": {"c": True}},
                  "text", 7):
        text = str(b"".join(pieces(value)), "utf-8")
        assert json.loads(text) == json.loads(json.dumps(value))
    assert b"".join(pieces(lambda: ())) == b"{}"
    assert b"".join(pieces({"o": lambda: (("k", [1]),)})) == b'{"o":{"k":[1]}}'
