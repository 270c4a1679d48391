import os

from ops import config

CHIP = b"\x24\x0a\xc4\x12\x34\x56"


def load(text, name="config-under-test.json"):
    with open(name, "w") as file:
        file.write(text)
    try:
        return config.load((name,), CHIP)
    finally:
        os.remove(name) if hasattr(os, "remove") else os.unlink(name)


def refusal(text):
    try:
        load(text)
    except ValueError as error:
        return str(error)
    raise AssertionError("accepted: " + text)


def test_defaults_without_files():
    settings = config.load(("no-such-file.json",), CHIP)
    assert settings.device == settings.client_id == "beckon-123456"
    assert settings.broker_port == 1883 and settings.model == "model.mlp"


def test_file_goes_over_defaults():
    settings = load('{"device": "kitchen", "broker_port": 2883}')
    assert settings.device == "kitchen" and settings.broker_port == 2883
    assert settings.i2c_hz == 400000


def test_hosts_ports_and_names_of_networks_are_taken():
    settings = load('{"time_server": "10.0.0.1:123", "wifi_ssid": "My Café 5", "user": "a b"}')
    assert settings.time_server == "10.0.0.1:123" and settings.wifi_ssid == "My Café 5"


def test_boards_of_one_name_have_client_ids_of_their_own():
    assert load('{"device": "kitchen"}').client_id == "kitchen-123456"
    assert load('{"device": "my-123456"}').client_id == "my-123456"  # it has the chip's id already
    assert load("{}").chip == "240ac4123456"


def test_refusals_name_file_setting_and_value():
    for text, words in (
        ('{"brocker": 1}', ("brocker", "broker_host")),
        ('{"broker_port": 0}', ("broker_port", "1 to 65535")),
        ('{"i2c_hz": 1000000}', ("i2c_hz", "10000 to 400000", "1000000")),
        ('{"imu_address": 103}', ("imu_address", "104 to 105", "103")),
        ('{"broker_port": "1883"}', ("broker_port", "int", "'1883'")),
        ('{"power": "off"}', ("power", "always_on or modem_sleep or wake_on_motion", "'off'")),
        ('{"broker_port": true}', ("broker_port", "True")),
        ('{"wifi_ssid": "%s"}' % ("x" * 33), ("wifi_ssid", "32")),
        ('{"device": "a/b"}', ("a/b", "letters", "_ - only")),
        ('{"broker_host": "mqtt://house"}', ("mqtt://house", "letters", "_ - . only")),
        ('{"broker_host": "my house"}', ("my house", "letters")),
        ('{"time_server": "pool.ntp.org/x"}', ("pool.ntp.org/x", "_ - . : only")),
        ('{"wifi_ssid": "home\\n"}', ("wifi_ssid", "control character")),
        ("[1]", ("JSON object",)),
        ("[{}", ("JSON object",)),
        ("{", ("not a JSON object",)),
        ('{"device": "kitchen", "broker_', ("not a JSON object",)),
    ):
        said = refusal(text)
        for word in words:
            assert word in said, (text, said)
        assert "\n" not in said
