"""The board's settings: defaults here, secrets.json on top, config.json on top of that.

What is to be recognised and how lies in the model file; here is only what
belongs to this one board: pins, network, broker. The computer writes secrets to secrets.json.
The access point's page writes its own to config.json, so that one file is on trial.
"""

import json

# name: (default, type, least, most); for text, least and most are lengths in bytes. The default
# is always taken.
SETTINGS = {
    "device": ("", str, 0, 32),  # empty: made from the chip's id
    "wifi_ssid": ("", str, 0, 32),
    "wifi_key": ("", str, 0, 64),
    "broker_host": ("", str, 0, 253),
    "broker_port": (1883, int, 1, 65535),
    "user": ("", str, 0, 128),
    "password": ("", str, 0, 128),
    "tls_ca": ("", str, 0, 64),  # file that vouches for the broker; empty: no TLS
    "tls_cert": ("", str, 0, 64),  # file by which the board proves itself, if it is to
    "tls_key": ("", str, 0, 64),
    "tls_name": ("", str, 0, 253),  # the broker's name in its certificate; empty: broker_host
    "keepalive_s": (30, int, 5, 3600),
    "response_timeout_ms": (3000, int, 100, 60000),  # for each answer of the broker
    "name_server": ("", str, 0, 21),  # address or address:port; empty: what DHCP says
    "time_server": ("pool.ntp.org", str, 0, 253),  # host or host:port; empty: events have no time
    "threshold_percent": (-1, int, -1, 100),  # of confidence; -1: the model's own
    "ha_discovery": (0, int, 0, 1),  # 1: announce the board to Home Assistant
    "trigger_age_s": (5, int, 1, 86400),  # older events trigger nothing in Home Assistant
    "ap_key": ("", str, 8, 63),  # password of the access point; empty: there is none
    "update_key": ("", str, 0, 64),  # who knows it may sign commands; empty: nobody
    "model": ("model.mlp", str, 1, 64),
    "i2c_id": (0, int, 0, 1),
    "i2c_scl": (22, int, 0, 48),
    "i2c_sda": (21, int, 0, 48),
    "i2c_hz": (400000, int, 10000, 400000),  # as drivers/i2c_bus.py takes it; a test compares
    "imu_address": (0x68, int, 0x68, 0x69),  # as drivers/mpu6500.py takes it
    "power": ("always_on", str, 1, 14),
    "light_sleep_s": (20, int, 1, 3600),  # with wake_on_motion: still for so long
    "deep_sleep_s": (300, int, 1, 3600),  # asleep for so long
    "contact_s": (3600, int, 10, 86400),  # from deep sleep
    "wake_gesture": (1, int, 0, 1),  # 1: what ends a deep sleep is recognised; takes 0.43 mA more
    "imu_int_pin": (-1, int, -1, 48),  # -1: not wired, the FIFO is polled
    "keep_windows": (0, int, 0, 8),  # samples of so many events are kept for `window`
    "radio": ("", str, 0, 32),  # bthome, gatt, hid, espnow, gateway; docs/bluetooth.md
    "radio_buttons": ("", str, 0, 255),  # gesture=event of BTHome, ...
    "radio_keys": ("", str, 0, 255),  # gesture=key, ...
    "radio_peers": ("", str, 0, 128),  # addresses of the boards at the other end of ESP-NOW
    "radio_key": ("", str, 0, 32),  # of ESP-NOW and BTHome, 32 hexadecimal digits
    "take_button_pin": (-1, int, -1, 48),  # see ops/button.py; BOOT is 0, on a C3 or C6 9
    "learn_label": ("", str, 0, 32),  # what the board learns when its button is held; or nothing
    "feedback_pin": (-1, int, -1, 48),  # of an LED, buzzer or motor that answers events
    "feedback": ("led", str, 1, 200),  # what is there, and its patterns: feedback/patterns.py
    "rules": ("", str, 0, 100),  # rule gestures beside the network; empty: none
}

_ONE_OF = {"power": ("always_on", "modem_sleep", "wake_on_motion")}

_SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

# Texts that hold nothing but _SAFE and these. Other texts hold all but control characters.
_MORE = {
    "device": "",
    "ap_key": "",
    "broker_host": ".",
    "tls_name": ".",
    "name_server": ".:",
    "time_server": ".:",
}


class Config:
    """One attribute per setting, see SETTINGS; `client_id` is made from the device and the chip's
    id, which `chip` holds as hexadecimal digits."""


def load(paths=("secrets.json", "config.json"), chip_id=b""):
    """Settings from the files in `paths` that exist, later ones first in rank.

    Raises ValueError that names file, setting, value and what is allowed.
    """
    config = Config()
    for name in SETTINGS:
        setattr(config, name, SETTINGS[name][0])
    for path in paths:
        for name, value in _read(path).items():
            setattr(config, name, checked(path, name, value))
    config.chip = "".join("%02x" % byte for byte in chip_id)
    if not config.device:
        config.device = "beckon-" + config.chip[-6:]
    # With the chip's id: two boards of one name must not push each other off the broker.
    config.client_id = config.device
    if config.chip[-6:] not in config.device:
        config.client_id += "-" + config.chip[-6:]
    return config


def _read(path):
    try:
        with open(path) as file:
            text = file.read()
    except OSError:
        return {}  # a board without it runs on the defaults
    try:
        # MicroPython's json takes a text that breaks off for a whole one.
        values = json.loads(text if text.rstrip().endswith("}") else "?")
    except ValueError:
        raise ValueError("%s is not a JSON object; write it again" % path)
    if not isinstance(values, dict):
        raise ValueError("%s must hold one JSON object" % path)
    return values


def checked(path, name, value):
    """value, if setting `name` may have it. Raises ValueError that begins with path."""
    if name not in SETTINGS:
        raise ValueError(
            "%s: no setting is called %r; there are %s" % (path, name, ", ".join(sorted(SETTINGS)))
        )
    default, kind, least, most = SETTINGS[name]
    one_of = _ONE_OF.get(name, (value,))
    if not isinstance(value, kind) or isinstance(value, bool) or value not in one_of:
        kind = " or ".join(one_of) if name in _ONE_OF else kind.__name__
        raise ValueError("%s: %s must be %s, not %r" % (path, name, kind, value))
    size = len(value.encode()) if kind is str else value
    if value != default and not least <= size <= most:
        # A text may be secret.
        what = "bytes of text" if kind is str else "and not %d" % value
        raise ValueError("%s: %s must be %d to %d %s" % (path, name, least, most, what))
    if kind is str:
        more = _MORE.get(name)
        for character in value:
            if character < " ":
                raise ValueError("%s: %s holds a control character" % (path, name))
            if more is not None and character not in _SAFE and character not in more:
                raise ValueError(
                    "%s: %s %r may hold letters, digits and %s only"
                    % (path, name, value, " ".join("_-" + more))
                )
    return value
