"""beckon doctor on boards behind pseudo-terminals: healthy, and with one thing wrong each."""

import json
import shutil
import struct

import pytest

from host_tools.cli.app import main
from host_tools.device.deploy import Survey
from host_tools.device.image import unix_arch, write_image
from host_tools.doctor import diagnosis
from host_tools.doctor import doctor as doctoring
from host_tools.doctor.diagnosis import explain
from host_tools.doctor.doctor import examine
from host_tools.mqtt.broker import embedded_broker, free_port
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Rest
from host_tools.testing.pty_board import PtyBoard, SensorProcess, TalkingProcess
from tests.boards import node_board, sensor_board


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    flash = tmp_path_factory.mktemp("image") / "flash"
    write_image(flash, unix_arch())
    shutil.copyfile(DEFAULT_MODEL, flash / "model.mlp")
    return flash


@pytest.fixture
def flash(image, tmp_path, monkeypatch):
    monkeypatch.setattr(doctoring, "_RECORDING_S", 1.0)
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
        found = {f["part"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
        # A computer with other things to do cannot time samples, or lets the FIFO run over.
        busy = {part for part, f in found.items() if "too busy" in f["text"]}
        expected = ["port", "REPL", "MicroPython", "memory", "flash", "firmware", "settings",
                    "model", "I2C", "sensor", "bus speed", "temperature", "rate", "jitter",
                    "gravity", "zero rate", "noise", "FIFO", "self-test", "recording", "Wi-Fi",
                    "broker", "clock"]  # fmt: skip
        if busy:
            assert set(expected) - set(found) <= {"rate", "jitter", "gravity", "zero rate", "noise",
                                                  "FIFO", "self-test"}  # fmt: skip
        else:
            assert list(found) == expected
        for part in busy:
            assert found.pop(part)["state"] == "warning"
        assert {f["state"] for f in found.values()} == {"ok"}, found
        assert "genuine (WHO_AM_I 0x70" in found["sensor"]["text"]
        assert "Hz of 100, 0 samples lost" in found["recording"]["text"]
        assert not any(f["cure"] for f in found.values())
        boots = board.boots
        from host_tools.device.console import Console

        with Console(board.port) as console:  # it was restarted and works again
            console.catch()
            assert console.execute("import sys\nprint('app' in sys.modules)") == "True\n"
        assert boots > 2


def test_a_board_without_a_sensor_and_with_a_dead_broker(flash):
    configure(flash, broker_host="127.0.0.1", broker_port=free_port())
    with PtyBoard(SensorProcess(flash, {})) as board:
        found = examined(board)
    assert found["I2C"].state == "fault" and "nothing answers" in found["I2C"].text
    assert "VCC to 3V3" in found["I2C"].cure
    assert found["sensor"].state == "skipped" and "recording" not in found
    assert found["broker"].state == "fault"
    assert "nothing listens at the broker's address" in found["broker"].text
    assert found["clock"].state == "ok"


def test_a_sensor_at_the_other_address(flash):
    devices = {(0, 0x69): SimulatedMPU6500(Rest())}
    (flash / "main.py").write_text("print('mine')\n")
    (flash / "sensing" / "sampler.mpy").unlink()
    with PtyBoard(SensorProcess(flash, devices)) as board:
        found = examined(board)
    assert found["I2C"].state == "fault" and "set imu_address to 105" in found["I2C"].cure
    assert found["settings"].state == "warning" and "beckon setup" in found["settings"].cure
    assert found["Wi-Fi"].state == "skipped"
    assert found["firmware"].state == "fault" and "not Beckon's" in found["firmware"].text


def test_a_model_that_is_damaged_and_settings_that_cannot_be(flash):
    model = flash / "model.mlp"
    whole = model.read_bytes()
    (size,) = struct.unpack_from("<I", whole, 12)  # kept examples may follow
    model.write_bytes(whole[:size - 10])
    cut = f"{size - 10} of {size} bytes"
    with PtyBoard(SensorProcess(flash, {})) as board:
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


def test_a_file_that_is_missing():
    text, cure = explain("Traceback:\r\nOSError: [Errno 2] ENOENT\r\n")
    assert text == "a file is missing on the board (OSError: [Errno 2] ENOENT)"
    assert cure == "beckon deploy"


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
    assert [found.state for found in diagnosis.micropython(survey)] == ["warning"] * 3
    old = Survey({}, [], (1, 22, 0), "ESP32", "esp32", 0, 4096, 1 << 20, 2 << 20, 90_000)
    assert next(diagnosis.micropython(old)).state == "fault"
    assert "password is wrong" in str(diagnosis.wifi({"up": False, "status": 202, "ssid": "a"}))
    assert "2.4 GHz" in str(diagnosis.wifi({"up": False, "status": 201, "ssid": "a"}))
    weak = {"up": True, "status": 1010, "ssid": "a", "address": "10.0.0.2", "rssi_dbm": -85}
    assert diagnosis.wifi(weak).state == "warning"
    assert diagnosis.clock({"server": "x", "utc": [2000, 1, 1, 0, 0, 0]}).state == "warning"
    assert diagnosis.clock({"server": "x", "utc": [2000, 0, 1, 0, 0, 0]}).state == "fault"
    assert diagnosis.clock({"server": ""}).state == "ok"
    scan = {"found": list(range(8, 120)), "freed": False, "scl": 22, "sda": 21, "address": 0x68}
    assert "SDA is held low" in diagnosis.bus(scan).text
    assert diagnosis.bus({**scan, "found": [0x68], "freed": True}).state == "warning"
    at_104 = {**scan, "found": [0x68], "address": 0x40}
    assert diagnosis.bus(at_104).cure.startswith("set imu_address to 104")
    line = diagnosis.line
    assert line(0, "", 99.4, 100, {}).state == "ok"
    assert "this computer busy" in line(3, "", 100, 100, {}).cure
    assert "shorten the wires" in line(0, "", 100, 100, {"bus_faults": 2}).cure
    assert line(0, "no samples for 5 s", 100, 100, {}).state == "fault"


@pytest.mark.parametrize(
    "name, ok, text, state, cure",
    [
        ("identity", True, "MPU9250 at 0x68", "ok", ""),
        ("identity", False, "WHO_AM_I 0x33 is not a known part; ...", "warning", "self-test"),
        ("identity", False, "[Errno 19] ENODEV; check power, SDA, SCL", "fault", "AD0 to GND"),
        ("identity", False, "[Errno 5] EIO; check power", "fault", "i2c_hz 100000"),
        ("identity", False, "odd; check power", "fault", "check power"),
        ("bus", False, "failed on the way: x: the FIFO ran over", "warning", "try again"),
        ("bus", False, "failed on the way: [Errno 116] ETIMEDOUT", "fault", "the bus hangs"),
        ("bus speed", False, "40 kHz (96 bytes in 21.6 ms)", "warning", "i2c_hz to 400000"),
        ("rate", False, "106.00 Hz, +6.00 % off 100 Hz", "warning", "its clock is off"),
        ("rate", False, "the board was too busy to time the samples; try", "warning", "try again"),
        ("gravity", False, "1.12 g", "warning", "lay the board still"),
        ("noise", False, "90 mg: more than at rest; keep the board still", "warning", "fans"),
        ("noise", False, "0.0 mg: an axis does not move at all", "fault", "damaged"),
        ("FIFO", False, "0 of 512 bytes when full", "fault", "another sensor"),
        ("self-test", False, "az answers with 20 %", "fault", "damaged"),
        ("self-test", False, "x: another self-test than an MPU6500's", "skipped", ""),
        ("new check", False, "what is not known here", "warning", ""),
    ],
)
def test_what_the_sensors_check_up_says_is_judged(name, ok, text, state, cure):
    line = json.dumps({"check": name, "ok": ok, "text": text})
    (found,) = diagnosis.sensor(["noise on the line", line, '{"check": 1}'])
    assert (found.state, found.text) == (state, found.text) and cure in found.cure
    assert bool(cure) == bool(found.cure)
