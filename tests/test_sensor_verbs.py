"""Calibration as the command does it, on the simulated sensor; over MQTT: test_link_verbs.py."""

import asyncio
import json
import types

import pytest

from commands import sensor
from drivers.mpu6500 import MPU6500
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Rest, Sines
from host_tools.simulator.sensor.signal_chain import PartErrors
from sensing.calibration import Calibration
from tests.sensor_rig import Bus

ERRORS = PartErrors(
    accel_bias_g=(0.05, -0.03, 0.02),
    accel_scale=(1.02, 0.98, 1.0),
    gyro_bias_dps=(3.0, -2.0, 0.5),
    noise=1.0,
)
SIDES = {
    "+x": (1, 0, 0), "-x": (-1, 0, 0), "+y": (0, 1, 0),
    "-y": (0, -1, 0), "+z": (0, 0, 1), "-z": (0, 0, -1),
}  # fmt: skip


@pytest.fixture
def calibrate(monkeypatch, tmp_path):
    """calibrate(movement): the command's answer from a board that feels it."""
    monkeypatch.chdir(tmp_path)

    def command(movement, seed=5):
        bus = Bus(SimulatedMPU6500(movement, errors=ERRORS, temperature_c=31, seed=seed))
        imu = MPU6500(bus)
        bus.run(imu.bring_up())

        async def follow(steps):
            bus.run(steps)

        monkeypatch.setattr(sensor, "_follow", follow)
        paused = []
        sampling = types.SimpleNamespace(
            pause=lambda: paused.append(True), resume=lambda: paused.append(False)
        )
        try:
            answer = asyncio.run(sensor.calibrate(imu, sampling))
        finally:
            assert paused == [True, False]
        command.imu = imu
        return answer

    return command


def kept(calibrate):
    return Calibration.load(sensor.CALIBRATION, calibrate.imu.fingerprint())


def test_six_sides_in_any_order_with_restarts_between(calibrate):
    order = ["-z", "+x", "+y", "+z", "-y", "-x"]
    for number, side in enumerate(order):
        answer = calibrate(Rest(SIDES[side]))
        assert answer["side"] == side
        assert sorted(answer["missing"]) == sorted(order[number + 1 :])
        assert answer["gyro_bias_mdps"] == pytest.approx([3000, -2000, 500], abs=30)
        found = kept(calibrate)
        assert found.centi_c == pytest.approx(3100, abs=1)
        if answer["missing"]:
            assert tuple(found.accel_scale_ppm) == (0, 0, 0)
    assert found.accel_offset_ug == pytest.approx([50_000, -30_000, 20_000], abs=1000)
    assert found.accel_scale_ppm == pytest.approx([20_000, -20_000, 0], abs=1000)
    assert answer["accel_offset_ug"] == list(found.accel_offset_ug)
    # The next one is the first of another round, and what was found stays.
    answer = calibrate(Rest(SIDES["+z"]))
    assert len(answer["missing"]) == 5
    assert kept(calibrate).accel_offset_ug == found.accel_offset_ug


def test_a_tilted_board_gives_the_gyroscopes_bias_alone(calibrate):
    answer = calibrate(Rest((0.6, 0, 0.8)))
    assert answer["side"] == "" and len(answer["missing"]) == 6
    assert kept(calibrate).gyro_bias_mdps == pytest.approx((3000, -2000, 500), abs=30)


def test_a_moving_board_is_refused(calibrate):
    with pytest.raises(ValueError, match="keep the board still"):
        calibrate(Sines(accel_g=0.1, gyro_dps=60))


@pytest.mark.parametrize("text", ("", '{"sensor": ', "[]", '{"sensor": "0"}', "null"))
def test_sides_that_were_kept_badly_are_measured_again(calibrate, tmp_path, text):
    calibrate(Rest(SIDES["+x"]))
    (tmp_path / "positions.json").write_text(text)
    assert len(calibrate(Rest(SIDES["-x"]))["missing"]) == 5


def test_sides_of_another_sensor_do_not_count(calibrate, tmp_path):
    calibrate(Rest(SIDES["+x"]))
    assert len(calibrate(Rest(SIDES["-x"]), seed=6)["missing"]) == 5
    assert set(json.loads((tmp_path / "positions.json").read_text())["seen"]) == {"-x"}
