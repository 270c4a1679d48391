"""The settings of Bluetooth and ESP-NOW: what setup asks, what it and deploy refuse, and why."""

from types import SimpleNamespace

import pytest

from host_tools.cli import setup
from host_tools.cli.app import main
from host_tools.device import deploy
from host_tools.device.radio_settings import is_alone
from host_tools.device.settings import (
    check_together,
    defaults,
    read_settings,
    settings_files,
    write_settings,
)
from host_tools.errors import BeckonError

PEER = "24:0a:c4:00:00:02"


def settings(**some):
    return {**defaults(), **some}


def test_gestures_that_the_model_lacks_or_that_are_too_many_are_named():
    def model(*labels):
        return SimpleNamespace(labels=["idle", *labels], idle=0)

    chosen = settings(radio="bthome hid", radio_keys="wave=a")
    check_together(chosen, model("wave", "shake"))
    with pytest.raises(BeckonError, match="'wave', which the model does not know; it has shake"):
        check_together(chosen, model("shake"))
    check_together({**chosen, "radio_keys": "tap=a", "rules": "tap"}, model("shake"))
    ten = model(*(f"g{i}" for i in range(10)))
    check_together(settings(radio="bthome"), ten)
    with pytest.raises(BeckonError, match="room for 10 buttons, and the model has 11"):
        check_together(settings(radio="bthome", rules="tap"), ten)


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
