"""The settings of Bluetooth and ESP-NOW: what setup asks, what it and deploy refuse, and why."""

from types import SimpleNamespace

import pytest

from host_tools.cli import setup
from host_tools.cli.app import main
from host_tools.device import deploy
from host_tools.device.radio_settings import check_radio, is_alone
from host_tools.device.settings import defaults, read_settings, settings_files, write_settings
from host_tools.errors import BeckonError

KEY = "0f" * 16
PEER = "24:0a:c4:00:00:02"


def settings(**some):
    return {**defaults(), **some}


@pytest.mark.parametrize("some", [
    {},
    {"radio": "bthome"},
    {"radio": "bthome gatt hid", "radio_keys": "wave=right, shake=ctrl+z", "wifi_ssid": "home"},
    {"radio": "bthome", "radio_buttons": "wave=press,shake=1:long_press", "radio_key": KEY},
    {"radio": "espnow bthome", "radio_peers": PEER, "radio_key": KEY},
    {"radio": "gateway", "radio_peers": PEER, "radio_key": KEY, "wifi_ssid": "home",
     "tls_ca": "ca.crt"},
])  # fmt: skip
def test_what_fits_is_taken(some):
    check_radio(settings(**some))


@pytest.mark.parametrize("some, told", [
    ({"radio": "ble"}, "radio 'ble' is unknown; there are bthome"),
    ({"radio": "hid"}, "hid needs radio_keys"),
    ({"radio": "gatt", "power": "wake_on_motion"}, "with radio set power to always_on"),
    ({"radio": "hid", "radio_keys": "wave=rihgt"}, "no key is called 'rihgt'; there are a to z"),
    ({"radio": "bthome", "radio_buttons": "wave=click"}, "wave=click is not an event of a button"),
    ({"radio": "bthome", "radio_buttons": "wave=11:press"}, "buttons 1 to 10"),
    ({"radio": "bthome", "radio_buttons": "wave=7:press", "radio_key": KEY}, "buttons 1 to 6"),
    ({"radio": "bthome", "radio_key": "secret"}, "radio_key must be 32 hexadecimal digits"),
    ({"radio": "espnow", "radio_key": KEY}, "espnow needs one address"),
    ({"radio": "espnow", "radio_peers": "24:0a", "radio_key": KEY}, "'24:0a' is not an address"),
    ({"radio": "espnow", "radio_peers": PEER}, "ESP-NOW needs radio_key"),
    ({"radio": "espnow", "radio_peers": PEER, "radio_key": KEY, "wifi_ssid": "home"},
     "clear wifi_ssid"),
    ({"radio": "gateway", "radio_peers": PEER, "radio_key": KEY}, "a gateway needs Wi-Fi"),
    ({"radio": "gateway", "radio_key": KEY, "wifi_ssid": "home"}, "addresses of its senders"),
    ({"radio": "gateway bthome", "wifi_ssid": "home"}, "listens all the time"),
    ({"radio": "gatt", "wifi_ssid": "home", "tls_ca": "ca.crt"},
     "Bluetooth (19,096 bytes, documented) and TLS (35,840, documented) want 54,936 bytes beside "
     "Wi-Fi, and an ESP32 has 30,080 left; clear radio or tls_ca"),
])  # fmt: skip
def test_what_does_not_is_refused_with_its_cure(some, told):
    with pytest.raises(BeckonError) as refused:
        check_radio(settings(**some))
    assert told in str(refused.value) and "\n" not in str(refused.value)


def test_gestures_that_the_model_lacks_or_that_are_too_many_are_named():
    chosen = settings(radio="bthome hid", radio_keys="wave=a")
    check_radio(chosen, ["wave", "shake"])
    with pytest.raises(BeckonError, match="'wave', which the model does not know; it has shake"):
        check_radio(chosen, ["shake"])
    with pytest.raises(BeckonError, match="room for 10 buttons, and the model has 11"):
        check_radio(settings(radio="bthome"), [f"g{i}" for i in range(11)])


def test_deploy_takes_a_board_without_wifi_for_a_healthy_one():
    report = SimpleNamespace(sign="", sensor="", warning="")
    deploy._note("no Wi-Fi: events go out by bthome", report, [])
    assert report.sign == "no Wi-Fi: events go out by bthome"
    with pytest.raises(BeckonError, match="the firmware reports: no radio: hid"):
        deploy._note("beckon: no radio: hid", report, [])


def test_setup_asks_for_a_board_without_wifi(tmp_path, capsys, monkeypatch):
    typed = iter(["", "-", "desk", "bthome gatt hid", "circle=click", "circle=press",
                  "circle=rihgt", "circle=right"])  # fmt: skip
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    monkeypatch.setattr(setup.getpass, "getpass", lambda prompt: "")
    monkeypatch.setattr(setup.sys.stdin, "isatty", lambda: True, raising=False)
    assert main(["setup", "--folder", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "- for a board without Wi-Fi" in said.err
    assert "'rihgt'" in said.err and "circle=click is not an event" in said.err
    assert "no Wi-Fi: events go out by bthome gatt hid alone" in said.out
    found = read_settings(tmp_path)
    assert is_alone(found) and found["radio_keys"] == "circle=right" and found["radio_key"] == ""
    assert "radio" in settings_files(tmp_path)["config.json"].decode()


def test_setup_makes_the_key_of_espnow_and_keeps_it_secret(tmp_path, capsys, monkeypatch):
    typed = iter(["-", "wrist", "espnow", "24:0a", PEER])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    monkeypatch.setattr(setup.getpass, "getpass", lambda prompt: "")
    monkeypatch.setattr(setup.sys.stdin, "isatty", lambda: True, raising=False)
    assert main(["setup", "--folder", str(tmp_path)]) == 0
    said = capsys.readouterr()
    key = read_settings(tmp_path)["radio_key"]
    assert len(bytes.fromhex(key)) == 16 and key not in said.out + said.err
    assert "a key was made" in said.err and key in (tmp_path / "secrets.json").read_text()
    assert key not in (tmp_path / "config.json").read_text()


def test_set_and_deploy_refuse_it_as_well(tmp_path, capsys):
    where = ["--folder", str(tmp_path), "--no-test"]
    assert main(["setup", *where, "--set", "radio=hid"]) == 1
    assert "hid needs radio_keys" in capsys.readouterr().err and not list(tmp_path.iterdir())
    assert main(["setup", *where, "--set", "radio=hid", "--set", "radio_keys=wave=a"]) == 0
    with pytest.raises(BeckonError, match="hid needs radio_keys"):
        write_settings(tmp_path, {"radio_keys": ""})
    assert read_settings(tmp_path)["radio_keys"] == "wave=a"
    (tmp_path / "config.json").write_text('{"radio": "hid"}')
    with pytest.raises(BeckonError, match="hid needs radio_keys"):
        settings_files(tmp_path)
