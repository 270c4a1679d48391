"""What Home Assistant is to know of this board: MQTT discovery, one message an entity. Pure.

An `event` entity for the gestures, a device trigger for each of them, diagnostics as
sensors, the threshold as `number`, `restart` and `calibrate` as buttons. All lie under
homeassistant/ and are retained; an empty one removes its entity. Keys are Home
Assistant's abbreviations; `~` is the base topic.
"""

import json

from micropython import const

_MOST_LABELS = const(32)

# counter in `diag`: (name, device class, unit, state class)
_SENSORS = (
    ("rssi_dbm", "Signal", "signal_strength", "dBm", "measurement"),
    ("uptime_ms", "Uptime", "duration", "ms", "measurement"),
    ("heap_free", "Free memory", "data_size", "B", "measurement"),
    ("lag_ms_p99", "Loop lag", "duration", "ms", "measurement"),
    ("samples_lost", "Samples lost", None, None, "total_increasing"),
    ("events_dropped", "Events dropped", None, None, "total_increasing"),
    ("link_drops", "Link drops", None, None, "total_increasing"),
)
# A command needs a transaction that no other one has had.
_TRANSACTION = '{"transaction":"{{ now().timestamp() }}"'


def messages(device, firmware, labels, idle, commands=()):
    """Yield (topic, payload), both bytes, for a device.

    labels: all of the model. idle: index of the label for no gesture. commands:
    the buttons, verbs that need nothing but a transaction.
    """
    about = {
        "ids": [device],
        "name": device,
        "mf": "Beckon",
        "mdl": "Gesture sensor",
        "sw": firmware,
    }
    gestures = [labels[i] for i in range(len(labels)) if i != idle]
    entity = _Entity(device, about)
    yield entity.message("event", "gesture", "Gesture", stat_t="~/event", event_types=gestures)
    for i in range(len(gestures)):
        yield trigger(device, i, about, gestures[i])
    for counter, name, device_class, unit, state_class in _SENSORS:
        more = {"ent_cat": "diagnostic", "stat_t": "~/diag", "stat_cla": state_class}
        more["val_tpl"] = "{{ value_json.%s }}" % counter
        if unit:
            more["dev_cla"] = device_class
            more["unit_of_meas"] = unit
        yield entity.message("sensor", counter, name, **more)
    yield entity.message(
        "number",
        "threshold",
        "Threshold",
        ent_cat="config",
        stat_t="~/state",
        val_tpl="{{ value_json.threshold_percent }}",
        cmd_t="~/cmd/set",
        cmd_tpl=_TRANSACTION + ',"settings":{"threshold_percent":{{ value | int }}}}',
        min=0,
        max=100,
        unit_of_meas="%",
    )
    for verb in commands:
        yield entity.message(
            "button",
            verb,
            verb[0].upper() + verb[1:],
            ent_cat="config",
            cmd_t="~/cmd/" + verb,
            cmd_tpl=_TRANSACTION + "}",
        )


def removals(device, commands=()):
    """Yield (topic, empty payload) for all that messages() may ever have announced."""
    yield _topic("event", device, "gesture"), b""
    for i in range(_MOST_LABELS):
        yield trigger_topic(device, i), b""
    for sensor in _SENSORS:
        yield _topic("sensor", device, sensor[0]), b""
    yield _topic("number", device, "threshold"), b""
    for verb in commands:
        yield _topic("button", device, verb), b""


def trigger(device, number, about, gesture):
    """A device trigger: what automations can begin with."""
    return trigger_topic(device, number), json.dumps(
        {
            "atype": "trigger",
            "t": "beckon/%s/event" % device,
            "val_tpl": "{{ value_json.event_type }}",
            "pl": gesture,
            "type": "gesture",
            "stype": gesture,
            "qos": 1,
            "dev": about,
        }
    ).encode()


def trigger_topic(device, number):
    """Labels may hold what a topic must not, so triggers are numbered."""
    return _topic("device_automation", device, "gesture_%d" % number)


class _Entity:
    def __init__(self, device, about):
        self._device = device
        self._about = about

    def message(self, component, name, shown, **more):
        device = self._device
        more["~"] = "beckon/" + device
        more["name"] = shown
        more["uniq_id"] = "%s_%s" % (device, name)
        more["avty_t"] = "~/status"
        more["qos"] = 1
        more["dev"] = self._about
        return _topic(component, device, name), json.dumps(more).encode()


def _topic(component, device, name):
    return ("homeassistant/%s/%s/%s/config" % (component, device, name)).encode()
