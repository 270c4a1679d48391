"""beckon setup: asks, tests from the host, writes settings that the board takes."""

import json
import socket
import stat
import threading

import pytest

from host_tools.cli import setup
from host_tools.cli.app import main
from host_tools.device.settings import default_folder, read_settings, settings_files
from host_tools.doctor import network_check
from host_tools.doctor.network_check import check_broker, check_wifi, is_only_here, own_address
from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.broker import embedded_broker, free_port


@pytest.fixture(autouse=True)
def no_wifi(monkeypatch):
    monkeypatch.setattr(network_check.shutil, "which", lambda name: None)


def assign(folder, *settings, more=()):
    sets = [part for setting in settings for part in ("--set", setting)]
    return main(["setup", "--folder", str(folder), *sets, *more])


def test_settings_are_tested_and_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(network_check, "is_only_here", lambda host: False)
    with embedded_broker() as broker:
        assert assign(tmp_path, "wifi_ssid=home", "wifi_key=s3cret", f"broker_host={broker.host}",
                      f"broker_port={broker.port}", "imu_address=0x69") == 0  # fmt: skip
    said = capsys.readouterr().out
    assert "accepts the connection" in said and "beckon deploy --settings" in said
    assert "s3cret" not in said
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["imu_address"] == 0x69 and "wifi_key" not in config
    secret = json.loads((tmp_path / "secrets.json").read_text())
    assert secret["wifi_key"] == "s3cret" and len(secret["update_key"]) == 32
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert set(settings_files(tmp_path)) == {"config.json", "secrets.json"}
    # A second time only what is named changes; the key stays.
    assert assign(tmp_path, "device=kitchen", more=["--no-test"]) == 0
    again = read_settings(tmp_path)
    assert again["update_key"] == secret["update_key"] and again["wifi_key"] == "s3cret"
    assert again["device"] == "kitchen" and again["wifi_ssid"] == "home"
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "secrets.json"}


def test_what_does_not_work_is_told_and_yet_written(tmp_path, capsys):
    port = free_port()
    assert assign(tmp_path, "wifi_ssid=home", "broker_host=localhost", f"broker_port={port}",
                  more=["--json"]) == 1  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert "means this computer itself" in told["faults"][0]
    assert "Connection refused" in told["faults"][1]
    assert read_settings(tmp_path)["broker_port"] == port


@pytest.mark.parametrize(
    "setting, told",
    [
        ("wifi_ssid", "--set wifi_ssid: write NAME=VALUE"),
        ("wifi_sid=x", "no setting is called 'wifi_sid'"),
        ("broker_port=high", "broker_port must be a whole number"),
        ("broker_port=70000", "broker_port must be 1 to 65535"),
        ("wifi_ssid=" + "x" * 33, "wifi_ssid must be 0 to 32 bytes of text"),
        ("power=off", "power must be always_on or modem_sleep or wake_on_motion, not 'off'"),
        ("power=wake_on_motion", "needs imu_int_pin"),
    ],
)
def test_settings_that_cannot_be(tmp_path, setting, told, capsys):
    assert assign(tmp_path, setting) in (1, 2)
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert assign(tmp_path / "file" / "x", "device=a", more=["--no-test"]) == 1
    assert "name another folder with --folder" in capsys.readouterr().err


def test_without_a_terminal_there_is_nobody_to_ask(tmp_path, capsys):
    assert main(["setup", "--folder", str(tmp_path)]) == 2
    assert "use --set NAME=VALUE" in capsys.readouterr().err


def test_it_asks_until_the_answers_can_be(tmp_path, capsys, monkeypatch):
    typed = iter(["", "home", "192.0.2.7", "", "port", "1884", "ann", "kitchen", ""])
    unseen = iter(["key of home", "word"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    monkeypatch.setattr(setup.getpass, "getpass", lambda prompt: next(unseen))
    monkeypatch.setattr(setup.sys.stdin, "isatty", lambda: True, raising=False)
    assert main(["setup", "--folder", str(tmp_path), "--no-test"]) == 0
    said = capsys.readouterr().err
    assert "network (2.4 GHz) is needed" in said and "must be a whole number, not 'port'" in said
    found = read_settings(tmp_path)
    assert (found["wifi_ssid"], found["wifi_key"]) == ("home", "key of home")
    assert (found["broker_host"], found["broker_port"]) == ("192.0.2.7", 1884)
    assert (found["user"], found["password"], found["device"]) == ("ann", "word", "kitchen")
    # Enter keeps everything.
    monkeypatch.setattr("builtins.input", lambda prompt: "")
    monkeypatch.setattr(setup.getpass, "getpass", lambda prompt: "")
    assert main(["setup", "--folder", str(tmp_path), "--no-test"]) == 0
    assert vars_without(read_settings(tmp_path)) == vars_without(found)


def vars_without(settings):
    return {name: value for name, value in settings.items() if name not in ("client_id", "chip")}


def test_answers_can_be_changed_when_they_do_not_work(tmp_path, capsys, monkeypatch):
    outcomes = iter([(["the broker refuses"], []), ([], ["fine"])])
    monkeypatch.setattr(setup, "_test", lambda *arguments: next(outcomes))
    known = []

    def ask(before, folder):
        known.append(before["update_key"])
        return {"wifi_ssid": "a", "broker_host": "b"}

    monkeypatch.setattr(setup, "_ask", ask)
    monkeypatch.setattr("builtins.input", lambda prompt: "y")
    monkeypatch.setattr(setup.sys.stdin, "isatty", lambda: True, raising=False)
    assert main(["setup", "--folder", str(tmp_path)]) == 0
    assert "the broker refuses" in capsys.readouterr().err
    assert known[0] == known[1] == read_settings(tmp_path)["update_key"] != ""


def test_brokers_that_are_none(monkeypatch):
    monkeypatch.setattr(network_check, "_TIMEOUT_S", 1.0)
    with pytest.raises(BeckonError, match="there is no host beckon.invalid"):
        check_broker(BrokerAddress("beckon.invalid"))
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        stop = threading.Thread(target=lambda: [server.accept() for _ in range(2)], daemon=True)
        stop.start()
        with pytest.raises(BeckonError, match="is not an MQTT broker"):
            check_broker(BrokerAddress("127.0.0.1", server.getsockname()[1]))


def test_addresses():
    assert is_only_here("localhost") and is_only_here("127.0.1.1") and is_only_here("::1")
    assert not is_only_here("192.168.1.10") and not is_only_here("broker.local")
    assert not own_address() or not is_only_here(own_address())


def test_wifi_is_looked_for_where_there_is_nmcli(tmp_path, monkeypatch):
    nmcli = tmp_path / "nmcli"
    nmcli.write_text("#!/bin/sh\nprintf '2412 MHz:home\\n5180 MHz:home\\n5200 MHz:up:stairs\\n'\n")
    nmcli.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(network_check.shutil, "which", lambda name: str(nmcli))
    assert check_wifi("home") is True
    with pytest.raises(BeckonError, match="5 GHz only"):
        check_wifi("up:stairs")
    with pytest.raises(BeckonError, match="no network is called 'Home'"):
        check_wifi("Home")
    nmcli.write_text("#!/bin/sh\nprintf '2412 MHz:home\\n2437 MHz:\\n'\n")
    assert check_wifi("home") is True and check_wifi("Hidden") is False
    nmcli.write_text("#!/bin/sh\nexit 8\n")
    assert check_wifi("home") is False


def test_the_default_folder_is_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "beckon"
