"""What Home Assistant is to know of this board: MQTT discovery, all of it in one message. Pure.

An `event` entity for the gestures, a device trigger for each of them, diagnostics as
sensors, the threshold as `number`, `restart` and `calibrate` as buttons. They are the
components of one device under homeassistant/device/, retained; an empty message removes them
all. Keys are Home Assistant's abbreviations.
"""

from micropython import const

_MOST_LABELS = const(32)  # earlier firmware announced these one by one

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


def topic(device):
    """Where announcement() is published."""
    return _topic("device", device)


def announcement(device, firmware, labels, idle, trigger_age_s, removed=0, expire_s=0):
    """The message as a value for ops.json_pieces.

    labels: all of the model. idle: index of the label for no gesture. trigger_age_s: how
    old an event may be that still triggers something. removed: how many gestures were announced
    before; those that are no longer there are taken back. expire_s: without a report for so long,
    the diagnostics are unknown; 0: the last will is enough, as the board does not sleep.
    """
    gestures = [labels[i] for i in range(len(labels)) if i != idle]
    base = "beckon/%s/" % device

    def components():
        yield from _entities(device, base, gestures, trigger_age_s, expire_s)
        for i in range(max(len(gestures), removed)):
            name = "gesture_%d" % i  # a label may hold what a name must not
            if i < len(gestures):
                yield name, _trigger(base, gestures[i], trigger_age_s)
            else:  # nothing but the platform: Home Assistant removes it
                yield name, {"p": "device_automation"}

    return {
        "dev": {
            "ids": [device],
            "name": device,
            "mf": "Beckon",
            "mdl": "Gesture sensor",
            "sw": firmware,
        },
        "o": {"name": "Beckon", "sw": firmware},
        "avty_t": base + "status",
        "avty_tpl": "{{ 'offline' if value == 'offline' else 'online' }}",  # or asleep
        "qos": 1,
        "cmps": components,
    }


def _entities(device, base, gestures, trigger_age_s, expire_s):
    """Yield (name, component)."""

    def entity(name, platform, shown, **more):
        more["p"] = platform
        more["name"] = shown
        more["uniq_id"] = "%s_%s" % (device, name)
        return name, more

    yield entity(
        "gesture",
        "event",
        "Gesture",
        stat_t=base + "event",
        evt_typ=gestures,
        # Home Assistant passes over an empty one.
        val_tpl="{{ value if %s }}" % _fresh(trigger_age_s),
    )
    yield entity(
        "sensor",
        "binary_sensor",
        "Sensor",
        dev_cla="problem",
        ent_cat="diagnostic",
        stat_t=base + "state",
        val_tpl="{{ 'OFF' if value_json.sensor == 'ok' else 'ON' }}",
        json_attr_t=base + "state",
        json_attr_tpl="{{ {'why': value_json.sensor} | tojson }}",
    )
    yield entity(
        "calibration",
        "sensor",
        "Calibration",
        ent_cat="diagnostic",
        stat_t=base + "state",
        val_tpl="{{ value_json.calibration }}",
    )
    for counter, shown, device_class, unit, state_class in _SENSORS:
        more = {"stat_cla": state_class}
        if expire_s:
            more["exp_aft"] = expire_s
        if unit:
            more["dev_cla"] = device_class
            more["unit_of_meas"] = unit
        yield entity(
            counter,
            "sensor",
            shown,
            ent_cat="diagnostic",
            stat_t=base + "diag",
            val_tpl="{{ value_json.%s }}" % counter,
            **more
        )
    yield entity(
        "threshold",
        "number",
        "Threshold",
        ent_cat="config",
        stat_t=base + "state",
        val_tpl="{{ value_json.threshold_percent }}",
        cmd_t=base + "cmd/set",
        cmd_tpl=_TRANSACTION + ',"settings":{"threshold_percent":{{ value | int }}}}',
        min=0,
        max=100,
        unit_of_meas="%",
    )
    for verb, more in (("calibrate", {}), ("restart", {"dev_cla": "restart"})):
        yield entity(
            verb,
            "button",
            verb[0].upper() + verb[1:],
            ent_cat="config",
            cmd_t=base + "cmd/" + verb,
            cmd_tpl=_TRANSACTION + "}",
            **more
        )


def _trigger(base, gesture, trigger_age_s):
    """A device trigger: what automations can begin with."""
    return {
        "p": "device_automation",
        "atype": "trigger",
        "t": base + "event",
        "val_tpl": "{{ value_json.event_type if %s }}" % _fresh(trigger_age_s),
        "pl": gesture,
        "type": "gesture",
        "stype": gesture,
    }


def _fresh(trigger_age_s):
    """Whether an event is young enough; one whose age is not known is not."""
    age = "value_json.latency_ms"
    return "%s is number and %s < %d" % (age, age, 1000 * trigger_age_s)


def earlier_topics(device):
    """Yield the topics under which earlier firmware announced a device, one per entity."""
    yield _topic("event/" + device, "gesture")
    for i in range(_MOST_LABELS):
        yield _topic("device_automation/" + device, "gesture_%d" % i)
    for sensor in _SENSORS:
        yield _topic("sensor/" + device, sensor[0])
    yield _topic("number/" + device, "threshold")
    for verb in ("calibrate", "restart"):
        yield _topic("button/" + device, verb)


def _topic(folder, name):
    return ("homeassistant/%s/%s/config" % (folder, name)).encode()
