"""What the page of the access point stores, and the way back, on both interpreters."""

import json
import os

from ops import config
from ops.rollback import Rollback
from portal.store import store

NAMES = ("config.json", "secrets.json")
VALUES = {"wifi_ssid": "home", "wifi_key": "12345678", "device": "desk"}


def clear():
    for name in os.listdir("."):
        if name.startswith(NAMES):
            os.remove(name) if hasattr(os, "remove") else os.unlink(name)


def in_a_folder(test):
    """Run test where nothing else lies."""
    before = os.getcwd()
    folder = "/tmp/beckon-portal-store-%d" % (id(test) % 1000000)
    os.mkdir(folder)
    os.chdir(folder)
    try:
        test()
    finally:
        clear()
        os.chdir(before)
        os.rmdir(folder)


def fails_twice():
    """Boot until the trial is over, as the board does that never reaches the broker."""
    for _ in range(3):
        rollback = Rollback("config.json")
        rollback.boot()
    assert rollback.reverted and not rollback.is_on()


def a_new_board():
    store(VALUES)
    settings = config.load()
    assert settings.wifi_ssid == "home" and settings.wifi_key == "12345678"
    fails_twice()
    assert config.load().wifi_ssid == ""


def a_board_with_settings():
    for name, text in (
        ("config.json", '{"wifi_ssid": "old", "imu_address": 105}'),
        ("secrets.json", '{"wifi_key": "old-secret", "ap_key": "label-key"}'),
    ):
        with open(name, "w") as file:
            file.write(text)
    store(VALUES)
    settings = config.load()
    # The page's secret outranks the one of secrets.json; what it does not ask for stays.
    assert settings.wifi_key == "12345678" and settings.imu_address == 105
    assert settings.ap_key == "label-key"
    store({"device": "lamp"})  # once more while it is on trial: the last good one stays the old one
    with open("config.json") as file:
        assert json.loads(file.read())["wifi_ssid"] == "home"
    fails_twice()
    settings = config.load()
    assert (settings.wifi_ssid, settings.wifi_key) == ("old", "old-secret")


def test_a_board_without_settings_is_without_them_again():
    in_a_folder(a_new_board)


def test_old_settings_come_back_with_their_secrets():
    in_a_folder(a_board_with_settings)
