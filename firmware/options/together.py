"""What settings may be together, beside the type and range of each. Pure.

The one place for it: the computer asks here in `beckon setup` and `deploy`, the board before
`set` stores settings. When it starts it asks check_parts() and check_radio(). Raises ValueError,
one line.
"""

# Bytes of an ESP32 without SPIRAM; docs/bluetooth.md has the sources. 19,096 and 35,840 want
# 54,936, and 30,080 are left beside Wi-Fi and MQTT in clear.
_NO_ROOM = (
    "Bluetooth (19,096 bytes, documented) and TLS (35,840, documented) want 54,936 bytes beside "
    "Wi-Fi, and an ESP32 has 30,080 left; clear radio or tls_ca, or use a second board over ESP-NOW"
)
_PINS = ("i2c_scl", "i2c_sda", "imu_int_pin", "take_button_pin", "feedback_pin")


def check(settings, values, model=None):
    """settings: an object with one attribute per setting. values: of those that change.

    model: what has `labels` and `idle`, if it is known: then tables may name its gestures only.
    """

    def value(name):
        return values[name] if name in values else getattr(settings, name)

    rules = check_parts(value)
    if value("power") == "wake_on_motion":
        if value("imu_int_pin") < 0:
            raise ValueError("power=wake_on_motion needs imu_int_pin, the GPIO at the sensor's INT")
        if value("radio"):
            raise ValueError(
                "power=wake_on_motion and radio do not go together: Bluetooth and ESP-NOW do not "
                "outlast a sleep; set power to always_on, or clear radio"
            )
    check_radio(value, gestures(model, rules))


def check_parts(value):
    """The names of the rules, if rules, feedback and pins can be. value: see check_radio()."""
    rules = ()
    if value("rules"):
        from feedback.rule_list import NAMES, parse

        found, _ = parse(value("rules"))
        rules = [name for name in NAMES if name in found]
    if value("feedback_pin") >= 0:
        from feedback import patterns

        patterns.parse(value("feedback"))
    at = {}
    for name in _PINS:
        pin = value(name)
        if pin in at:
            raise ValueError("%s %d is %s already; name a free pin" % (name, pin, at[pin]))
        if pin >= 0:
            at[pin] = name
    return rules


def gestures(model, rules=()):
    """The labels that events can have: the model's but idle, and the rules'. None: not known."""
    if not model:
        return None
    labels = [label for i, label in enumerate(model.labels) if i != model.idle]
    return labels + [rule for rule in rules if rule not in labels]


def check_radio(value, known=None):
    """value: returns the setting of a name. known: gestures, or None."""
    names = ("radio", "radio_buttons", "radio_keys", "radio_peers", "radio_key")
    if not any(value(name) for name in names):
        return
    from options import tables

    roles = tables.roles(value("radio"))
    key = value("radio_key")
    most = tables.most_buttons(key)
    named = list(tables.buttons(value("radio_buttons"), most))
    if value("radio_keys"):
        from options import hid_keys

        for label, name in tables.pairs("radio_keys", value("radio_keys")):
            hid_keys.key(name)
            named.append(label)
    peers = tables.peers(value("radio_peers"))
    if key:
        tables.key_of(key)
    wifi = value("wifi_ssid")
    if "hid" in roles and not value("radio_keys"):
        raise ValueError("hid needs radio_keys, such as wave=right")
    if "gateway" in roles:
        if not wifi:
            raise ValueError("a gateway needs Wi-Fi; set wifi_ssid")
        if value("power") != "always_on":
            raise ValueError("a gateway listens all the time; set power to always_on")
        if not peers:
            raise ValueError("a gateway needs the addresses of its senders in radio_peers")
    if "espnow" in roles:
        if wifi:
            raise ValueError(
                "espnow is for a board without Wi-Fi; clear wifi_ssid, or leave it out"
            )
        if len(peers) != 1:
            raise ValueError(
                "espnow needs one address in radio_peers, that of its gateway, which beckon doctor "
                "shows"
            )
    if ("espnow" in roles or "gateway" in roles) and not key:
        raise ValueError("ESP-NOW needs radio_key, the same on both boards: 32 hexadecimal digits")
    if wifi and value("tls_ca") and any(role in tables.BLUETOOTH for role in roles):
        raise ValueError(_NO_ROOM)
    if known is None:
        return
    for label in named:
        if label not in known:
            raise ValueError(
                "radio_buttons or radio_keys name %r, which the model does not know; it has %s"
                % (label, ", ".join(known))
            )
    if "bthome" in roles and not value("radio_buttons") and len(known) > most:
        raise ValueError(
            "a packet of BTHome has room for %d buttons, and the model has %d gestures; choose "
            "with radio_buttons" % (most, len(known))
        )
