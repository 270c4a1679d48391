"""The check-up of a sensor, on the simulated board, with good and bad sensors."""

import json

import pytest

from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.faults import Fault
from host_tools.simulator.sensor.movement import Rest, Sines
from host_tools.simulator.sensor.signal_chain import PartErrors
from host_tools.testing.script_board import ScriptBoard
from tests.waiting import TIMEOUT_S

SCRIPT = """
from drivers.i2c_bus import I2CBus
from sensing import checkup
print(json.dumps(checkup.main(I2CBus(0, scl=22, sda=21))))
"""
NAMES = (
    "identity",
    "bus speed",
    "temperature",
    "rate",
    "jitter",
    "gravity",
    "zero rate",
    "noise",
    "FIFO",
    "self-test",
)


def check_up(tmp_path, sensor, address=0x68, speed=12):
    """What it says, by name, and the verdict."""
    script = tmp_path / "main.py"
    script.write_text("import json\n" + SCRIPT)
    with ScriptBoard(script, {(0, address): sensor}, files={}, speed=speed) as board:
        assert board.wait(TIMEOUT_S) == 0, board.output
        lines = [json.loads(line) for line in board.output]
    return {line["check"]: line for line in lines[:-1]}, lines[-1]


def bad(found):
    """Names of the complaints; that this computer was busy, twelve times as fast, is none."""
    return {
        name for name, line in found.items() if not line["ok"] and "too busy" not in line["text"]
    }


@pytest.mark.parametrize("part", ("MPU6500", "MPU9250"))
def test_a_good_sensor(tmp_path, part):
    errors = PartErrors(gyro_bias_dps=(1, -2, 0.5), accel_bias_g=(0.03, 0, 0.02), noise=1)
    sensor = SimulatedMPU6500(Rest(), part=part, errors=errors, clock_error_ppm=7000)
    found, good = check_up(tmp_path, sensor, speed=1.01)
    assert not bad(found), found
    assert part in found["identity"]["text"]
    if "busy" not in found["rate"]["text"]:
        assert good and tuple(found) == NAMES
        assert 100.5 < float(found["rate"]["text"].split()[0]) < 100.9


def test_nothing_there(tmp_path):
    found, good = check_up(tmp_path, SimulatedMPU6500(Rest()), address=0x69)
    assert not good and bad(found) == {"identity"}
    assert "0x68" in found["identity"]["text"] and "SDA" in found["identity"]["text"]


@pytest.mark.parametrize(
    "options, complaints",
    [
        ({"part": "unknown"}, {"identity"}),
        ({"self_test_ratio": (0.2, 1)}, {"self-test"}),
        ({"errors": PartErrors(gyro_bias_dps=(30, 0, 0), noise=1)}, {"zero rate", "self-test"}),
        ({"errors": PartErrors(accel_bias_g=(0, 0, 0.12), noise=1)}, {"gravity"}),
        ({"errors": PartErrors(noise=5)}, {"noise"}),
        ({"errors": PartErrors(noise=0)}, {"noise"}),
        ({"temperature_c": 84}, {"temperature"}),
    ],
)
def test_what_is_wrong_is_named(tmp_path, options, complaints):
    found, good = check_up(tmp_path, SimulatedMPU6500(Rest(), **options))
    assert not good and bad(found) == complaints, found


def test_a_relative_whose_self_test_is_another_one(tmp_path):
    errors = PartErrors(noise=1)
    found, good = check_up(tmp_path, SimulatedMPU6500(Rest(), part="MPU6886", errors=errors))
    assert bad(found) == {"self-test"} and "another self-test" in found["self-test"]["text"]
    assert "MPU6886" in found["identity"]["text"] and found["FIFO"]["ok"]


def test_a_clock_beyond_its_data_sheet(tmp_path):
    sensor = SimulatedMPU6500(Rest(), clock_error_ppm=60_000)
    found, good = check_up(tmp_path, sensor, speed=1.01)
    assert not good and bad(found) <= {"rate"}
    if "busy" not in found["rate"]["text"]:
        assert 105.5 < float(found["rate"]["text"].split()[0]) < 106.5


def test_a_hand_that_does_not_hold_still(tmp_path):
    found, good = check_up(tmp_path, SimulatedMPU6500(Sines(accel_g=0.3, gyro_dps=60)))
    assert not good and {"noise", "self-test"} <= bad(found)
    assert "still" in found["noise"]["text"]


def test_a_wire_that_falls_off_on_the_way(tmp_path):
    sensor = SimulatedMPU6500(Rest())
    sensor.inject(Fault("no_answer", 1_500_000, 60_000_000))
    found, good = check_up(tmp_path, sensor)
    assert not good and bad(found) == {"bus"}
