"""Settings that do not go together: the computer and the board refuse them in the same words."""

import asyncio
import json

import pytest

from host_tools.device.settings import check_together, defaults
from host_tools.errors import BeckonError
from host_tools.model.golden import read_model
from host_tools.paths import DEFAULT_MODEL
from host_tools.toolchain import on_cpython

on_cpython.install()

from commands.settings_store import SettingsStore  # noqa: E402
from ops import config  # noqa: E402

PEER = "24:0a:c4:00:00:02"
SECRET = "0f" * 16
WIFI = {"wifi_ssid": "home"}
MODEL = read_model(DEFAULT_MODEL)

# What the board has, what is set beside it, and what both say.
REFUSED = [
    ({"radio": "gatt", "imu_int_pin": 34}, {"power": "wake_on_motion"},
     "power=wake_on_motion and radio do not go together"),
    ({"power": "wake_on_motion", "imu_int_pin": 34}, {"radio": "bthome"},
     "power=wake_on_motion and radio do not go together"),
    ({}, {"power": "wake_on_motion"}, "power=wake_on_motion needs imu_int_pin"),
    ({"power": "wake_on_motion", "imu_int_pin": 34}, {"imu_int_pin": -1}, "needs imu_int_pin"),
    ({**WIFI, "tls_ca": "ca.crt"}, {"radio": "gatt"},
     "Bluetooth (19,096 bytes, documented) and TLS (35,840, documented) want 54,936 bytes beside "
     "Wi-Fi, and an ESP32 has 30,080 left; clear radio or tls_ca"),
    ({**WIFI, "radio": "bthome"}, {"tls_ca": "ca.crt"}, "an ESP32 has 30,080 left"),
    ({"radio": "gatt", "tls_ca": "ca.crt"}, WIFI, "an ESP32 has 30,080 left"),
    ({}, {"radio": "ble"}, "radio 'ble' is unknown; there are bthome"),
    ({}, {"radio": "hid"}, "hid needs radio_keys"),
    ({"radio": "hid", "radio_keys": "x=a"}, {"radio_keys": ""}, "hid needs radio_keys"),
    ({}, {"radio": "hid", "radio_keys": "x=rihgt"}, "no key is called 'rihgt'"),
    ({}, {"radio": "hid", "radio_keys": "wave=a"}, "'wave', which the model does not know"),
    ({}, {"radio": "bthome", "radio_buttons": "x=click"}, "x=click is not an event of a button"),
    ({"radio_key": SECRET}, {"radio": "bthome", "radio_buttons": "x=7:press"}, "buttons 1 to 6"),
    ({"radio_key": SECRET, **WIFI}, {"radio": "gateway", "radio_peers": PEER,
                                     "power": "modem_sleep"}, "a gateway listens all the time"),
    ({"radio_key": SECRET, **WIFI}, {"radio": "gateway"}, "the addresses of its senders"),
    ({"radio_key": SECRET}, {"radio": "gateway", "radio_peers": PEER}, "a gateway needs Wi-Fi"),
    ({"radio_key": SECRET}, {"radio": "gateway bthome"}, "leave one out"),
    ({"radio_key": SECRET}, {"radio": "espnow"}, "espnow needs one address"),
    ({"radio_key": SECRET, "radio": "espnow", "radio_peers": PEER}, WIFI, "clear wifi_ssid"),
    ({}, {"radio": "espnow", "radio_peers": PEER}, "ESP-NOW needs radio_key"),
    ({}, {"feedback_pin": 21}, "feedback_pin 21 is i2c_sda already; name a free pin"),
    ({"take_button_pin": 34}, {"imu_int_pin": 34}, "take_button_pin 34 is imu_int_pin already"),
    ({}, {"i2c_scl": 21}, "i2c_sda 21 is i2c_scl already"),
    ({}, {"rules": "tip"}, "rules: no rule is called 'tip'"),
    ({}, {"feedback_pin": 4, "feedback": "horn"}, "feedback must begin with led"),
]  # fmt: skip

TAKEN = [
    ({"imu_int_pin": 34}, {"power": "wake_on_motion"}),
    (WIFI, {"radio": "bthome gatt", "power": "modem_sleep"}),
    ({"rules": "tap"}, {"radio": "hid", "radio_keys": "x=a, tap=enter"}),
    ({"radio_key": SECRET, **WIFI, "tls_ca": "ca.crt"}, {"radio": "gateway", "radio_peers": PEER}),
    ({}, {"feedback_pin": 4, "imu_int_pin": 34, "rules": "tap, shake=2000"}),
]


class Signature:
    """Takes all: what is signed is tested in tests/on_board/link_commands.py."""

    def check(self, verb, payload, hmac):
        assert (verb, hmac) == ("set", "mac")


class Rollback:
    path = "config.json"

    def replace(self, path, needs):
        pass


def board_says(folder, monkeypatch, has, change):
    """What the firmware refuses a signed `set` with; "" if it takes it."""
    monkeypatch.chdir(folder)
    (folder / "config.json").write_text(json.dumps({"device": "wand", **has}))
    made = config.load(("config.json",))
    store = SettingsStore(made, Rollback(), Signature(), None, lambda: "s", None, MODEL)
    try:
        asyncio.run(store.set({"settings": json.dumps(change), "hmac": "mac"}))
    except ValueError as error:
        assert json.loads((folder / "config.json").read_text()) == {"device": "wand", **has}
        return str(error)
    return ""


def computer_says(has, change):
    try:
        check_together({**defaults(), **has, **change}, MODEL)
    except BeckonError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("has, change, words", REFUSED)
def test_both_refuse_in_the_same_line(tmp_path, monkeypatch, has, change, words):
    said = board_says(tmp_path, monkeypatch, has, change)
    assert words in said and "\n" not in said
    assert computer_says(has, change) == said


@pytest.mark.parametrize("has, change", TAKEN)
def test_both_take_what_goes_together(tmp_path, monkeypatch, has, change):
    assert board_says(tmp_path, monkeypatch, has, change) == computer_says(has, change) == ""
