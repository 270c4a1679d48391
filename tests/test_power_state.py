"""What the host says of a board that sleeps."""

import json

import pytest

from host_tools.cli.app import main
from host_tools.device.console import Console
from host_tools.device.settings import write_settings
from host_tools.doctor import asleep
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.broker import embedded_broker
from host_tools.mqtt.connection import Connection
from host_tools.mqtt.power_state import is_overdue, next_contact_s, power_trouble
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.studio.watch.device_health import signs
from host_tools.studio.watch.session import Device
from host_tools.testing.pty_board import PtyBoard, TalkingProcess

ASLEEP = {"power": "wake_on_motion", "asleep": True, "next_contact_s": 3900, "power_problem": ""}


@pytest.mark.parametrize("change", [
    {"asleep": False}, {"asleep": "yes"}, {"next_contact_s": None}, {"next_contact_s": "3"},
    {"next_contact_s": -1},
])  # fmt: skip
def test_a_board_is_asleep_only_if_it_says_until_when(change):
    assert next_contact_s(ASLEEP) == 3900
    assert next_contact_s({**ASLEEP, **change}) == 0 and not is_overdue({**ASLEEP, **change}, 1e9)


def test_a_sleeping_board_is_overdue_some_time_after_it_should_have_reported():
    assert not is_overdue(ASLEEP, 3900) and is_overdue(ASLEEP, 5000)
    assert next_contact_s({}) == 0 and not is_overdue({}, 1e9)


def test_studio_shows_it_as_asleep_and_why_one_does_not_sleep():
    link = signs(Device("wand", True, ASLEEP))[0]
    assert (link.value, link.level) == ("asleep", "good") and "1 h 5 min" in link.advice
    assert signs(Device("wand", False, ASLEEP))[0].value == "offline"
    awake = {**ASLEEP, "asleep": False, "power_problem": "imu_int_pin names no pin"}
    assert "names no pin" in power_trouble(awake) and power_trouble({"power_problem": 3}) == ""
    battery = next(s for s in signs(Device("wand", True, awake)) if s.name == "Battery")
    assert "names no pin" in battery.value and battery.level == "warn"


def test_a_sleeping_board_that_does_not_answer_is_not_looked_for_in_vain():
    device = RemoteDevice(BrokerAddress("127.0.0.1", 1), "wand")
    assert "spelt" in str(device._no_answer())
    device.state = ASLEEP
    assert "asleep" in str(device._no_answer()) and "3900 s" in str(device._no_answer())


def test_doctor_says_that_a_silent_board_sleeps(tmp_path, monkeypatch, capsys):
    """By the `state` that the broker keeps, also of a board whose USB has gone with it."""
    monkeypatch.setattr(Console.catch, "__defaults__", (0.6,))
    with embedded_broker() as broker, PtyBoard(TalkingProcess(b"")) as board:
        write_settings(tmp_path, {"device": "wand", "broker_host": broker.host,
                                  "broker_port": broker.port, "wifi_ssid": "home"})  # fmt: skip

        def examined(port, state):
            with Connection(broker, "test") as connection:
                connection.publish("beckon/wand/state", json.dumps(state), retain=True)
            assert main(["doctor", port, "--folder", str(tmp_path), "--json"]) == 1
            return json.loads(capsys.readouterr().out)["findings"][-1]

        for port, part in ((board.port, "REPL"), (str(tmp_path / "gone"), "port")):
            found = examined(port, ASLEEP)
            assert (found["part"], found["state"]) == (part, "fault")
            assert found["text"] == (
                "wand sleeps to save its battery; it reports within 3900 s")
            assert found["cure"].startswith("move the board and ask again at once")
            awake = examined(port, {**ASLEEP, "asleep": False})
            assert awake["part"] == part and "sleeps" not in awake["text"]
        write_settings(tmp_path, {"device": ""})  # made of its chip: nobody knows which it is
        assert "wand sleeps" in examined(board.port, ASLEEP)["text"]
        monkeypatch.setattr(asleep, "_CONNECT_S", 0.3)
    write_settings(tmp_path, {"broker_port": 1})
    assert asleep.sleeping_boards(tmp_path) == {}
