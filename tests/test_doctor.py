"""beckon doctor on boards behind pseudo-terminals: healthy, and with one thing wrong each."""

import json
import shutil

import pytest

from host_tools.cli.app import main
from host_tools.device import doctor as doctoring
from host_tools.device.deploy import Survey
from host_tools.device.doctor import examine, explain
from host_tools.device.image import unix_arch, write_image
from host_tools.live.broker import embedded_broker, free_port
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.mpu6500 import SimulatedMPU6500
from host_tools.simulator.pty_board import PtyBoard, SensorProcess, TalkingProcess
from host_tools.simulator.sensor.movement import Rest
from tests.boards import node_board, sensor_board


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    flash = tmp_path_factory.mktemp("image") / "flash"
    write_image(flash, unix_arch())
    shutil.copyfile(DEFAULT_MODEL, flash / "model.mlp")
    return flash


@pytest.fixture
def flash(image, tmp_path, monkeypatch):
    monkeypatch.setattr(doctoring, "_SAMPLING_S", 1.5)
    return shutil.copytree(image, tmp_path / "flash")


def configure(flash, **settings):
    (flash / "config.json").write_text(json.dumps({"wifi_ssid": "home", **settings}))


def examined(board):
    """part -> Finding"""
    findings = list(examine(board.port))
    assert all("\n" not in str(finding) for finding in findings)
    return {finding.part: finding for finding in findings}


def test_a_healthy_board(flash, capsys):
    with embedded_broker() as broker, sensor_board(flash) as board:
        configure(flash, broker_host=broker.host, broker_port=broker.port)
        board.plug()
        assert main(["doctor", board.port, "--json"]) == 0
        found = {f["part"]: f for f in map(json.loads, capsys.readouterr().out.splitlines())}
        assert list(found) == ["port", "REPL", "MicroPython", "memory", "flash", "firmware",
                               "settings", "model", "I2C", "sensor", "self-test", "sampling",
                               "Wi-Fi", "broker", "clock"]  # fmt: skip
        assert {f["state"] for f in found.values()} == {"ok"}, found
        assert "WHO_AM_I 0x70" in found["sensor"]["text"]
        assert "Hz of 100, 0 lost" in found["sampling"]["text"]
        assert not any(f["cure"] for f in found.values())
        boots = board.boots
        from host_tools.device.console import Console

        with Console(board.port) as console:  # it was restarted and works again
            assert any(line.startswith("linked to ") for line in console.lines(20))
        assert boots > 2


def test_a_board_without_a_sensor_and_with_a_dead_broker(flash):
    configure(flash, broker_host="127.0.0.1", broker_port=free_port())
    with PtyBoard(SensorProcess(flash, {})) as board:
        found = examined(board)
    assert found["I2C"].state == "fault" and "nothing answers" in found["I2C"].text
    assert "VCC to 3V3" in found["I2C"].cure
    assert found["sensor"].state == "skipped" and "sampling" not in found
    assert found["broker"].state == "fault"
    assert "nothing listens at the broker's address" in found["broker"].text
    assert found["clock"].state == "ok"


def test_a_sensor_at_the_other_address(flash):
    devices = {(0, 0x69): SimulatedMPU6500(Rest())}
    (flash / "main.py").write_text("print('mine')\n")
    (flash / "sampler.mpy").unlink()
    with PtyBoard(SensorProcess(flash, devices)) as board:
        found = examined(board)
    assert found["I2C"].state == "fault" and "set imu_address to 105" in found["I2C"].cure
    assert found["settings"].state == "warning" and "beckon setup" in found["settings"].cure
    assert found["Wi-Fi"].state == "skipped"
    assert found["firmware"].state == "fault" and "not Beckon's" in found["firmware"].text


def test_a_model_that_is_damaged_and_settings_that_cannot_be(flash):
    model = flash / "model.mlp"
    whole = model.read_bytes()
    model.write_bytes(whole[:-10])
    cut = f"{len(whole) - 10} of {len(whole)} bytes"
    with sensor_board(flash) as board:
        found = examined(board)
        assert found["model"].state == "fault" and cut in found["model"].text
        (flash / "config.json").write_text('{"wifi_sid": "x"}')
        found = examined(board)
        assert found["settings"].state == "fault" and "wifi_sid" in found["settings"].text
        assert "beckon setup" in found["settings"].cure


def test_a_board_that_is_not_beckons(tmp_path):
    (tmp_path / "main.py").write_text("print('blink')\n")
    with node_board(tmp_path) as board:
        found = examined(board)
    assert found["MicroPython"].state == "ok" and "1.29.0" in found["MicroPython"].text
    assert found["firmware"].state == "fault" and f"beckon deploy {board.port}" == (
        found["firmware"].cure
    )
    assert found["sensor"].state == "skipped"


def test_a_line_that_is_damaged(tmp_path):
    def garble(data):
        return data.replace(b'"', b"^")

    with node_board(tmp_path, garble=garble) as board:
        found = examined(board)
    assert found["line"].state == "fault" and "another cable" in found["line"].text


def test_ports_and_boards_that_do_not_listen(tmp_path, capsys, monkeypatch):
    from host_tools.device.console import Console

    assert main(["doctor", str(tmp_path / "ttyUSB0")]) == 1
    assert "fault    port" in capsys.readouterr().out
    monkeypatch.setattr(Console.catch, "__defaults__", (0.6,))
    with PtyBoard(TalkingProcess(b"ets Jul 29\r\nrst:0x7 (TG0WDT)\r\n")) as board:
        assert main(["doctor", board.port]) == 1
    said = capsys.readouterr().out
    assert "REPL" in said and "keeps restarting before MicroPython listens" in said


@pytest.mark.parametrize(
    "last, cure",
    [
        ("OSError: [Errno 19] ENODEV", "AD0 to GND is 0x68"),
        ("OSError: [Errno 116] ETIMEDOUT", "the bus hangs"),
        ("OSError: (5, 'MPU6500 at 0x68: register 0x1a reads 0x00')", "shorten the wires"),
        ("OSError: [Errno 5] EIO", "shorten the wires"),
        ("MemoryError: memory allocation failed, allocating 1024 bytes", "the memory is full"),
        ("OSError: [Errno 12] ENOMEM", "the memory is full"),
        ("ImportError: no module named 'drivers'", "beckon deploy"),
        ("ZeroDivisionError: 5", ""),
    ],
)
def test_what_a_board_raises_is_explained(last, cure):
    text, found = explain(f'Traceback (most recent call last):\r\n  File "x"\r\n{last}\r\n')
    assert text == last and cure in found and bool(cure) == bool(found)


def test_judgements_that_no_simulated_board_needs():
    survey = Survey({}, [], (1, 25, 0), "ESP32", "esp32", 0, 4096, 40_000, 2 << 20, 30_000)
    findings = list(doctoring.micropython_findings(survey))
    assert [finding.state for finding in findings] == ["warning"] * 3
    old = Survey({}, [], (1, 22, 0), "ESP32", "esp32", 0, 4096, 1 << 20, 2 << 20, 90_000)
    assert next(doctoring.micropython_findings(old)).state == "fault"
    assert "password is wrong" in str(doctoring._wifi({"up": False, "status": 202, "ssid": "a"}))
    assert "2.4 GHz" in str(doctoring._wifi({"up": False, "status": 201, "ssid": "a"}))
    weak = {"up": True, "status": 1010, "ssid": "a", "address": "10.0.0.2", "rssi_dbm": -85}
    assert doctoring._wifi(weak).state == "warning"
    assert doctoring._clock({"server": "x", "utc": [2000, 1, 1, 0, 0, 0]}).state == "warning"
    assert doctoring._clock({"server": "x", "utc": [2000, 0, 1, 0, 0, 0]}).state == "fault"
    assert doctoring._clock({"server": ""}).state == "ok"
    scan = {"found": list(range(8, 120)), "freed": False, "scl": 22, "sda": 21, "address": 0x68}
    assert "SDA is held low" in doctoring._scan(scan).text
    assert doctoring._scan({**scan, "found": [0x68], "freed": True}).state == "warning"
    at_104 = {**scan, "found": [0x68], "address": 0x40}
    assert doctoring._scan(at_104).cure.startswith("set imu_address to 104")
    unknown = {"name": "unknown 0x33", "identity": 0x33, "warning": "0x33 is no known part"}
    assert doctoring._identity(unknown).state == "warning"
    assert doctoring._self_test({"passed": False, "ran": True, "text": "az"}).state == "fault"
    assert doctoring._self_test({"passed": False, "ran": False, "text": "-"}).state == "skipped"
    sampling = doctoring.sampling_finding
    assert sampling(0, "", 99.4, 100, {}).state == "ok"
    assert sampling(0, "", 92.0, 100, {}).state == "warning"
    assert sampling(3, "", 100, 100, {}).state == "warning"
    assert sampling(0, "", 100, 100, {"bus_faults": 2}).state == "warning"
    assert sampling(0, "no samples for 5 s", 100, 100, {}).state == "fault"
