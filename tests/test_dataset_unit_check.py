"""Units by the values alone: of made signals, and of real recordings in every unit."""

import numpy as np
import pytest

from host_tools.dataset import read_dataset
from host_tools.dataset.unit_check import judge_units
from host_tools.units import ACCEL_UNITS, GRAVITY, GYRO_UNITS

RATE = 100.0
REST = np.random.default_rng(1).normal(0, 0.03, (200, 6)) + [1.2, -3, 9.3, 0.4, -0.2, 0.1]


def turned(seconds=4.0):
    """A sensor that turns slowly about x and does nothing else."""
    t = np.arange(round(seconds * RATE)) / RATE
    angle = 1.2 * np.sin(1.6 * t)
    x = np.random.default_rng(2).normal(0, 0.02, (len(t), 6))
    x[:, 1] += GRAVITY * np.sin(angle)
    x[:, 2] += GRAVITY * np.cos(angle)
    x[:, 3] += np.degrees(np.gradient(angle, t))
    return x


def test_at_rest_only_acceleration_says_its_unit():
    found = judge_units([(REST, RATE)])
    assert (found.accel, found.gyro, found.still, found.fault) == ("m/s2", "", True, "")
    assert found.rest == pytest.approx(9.84, abs=0.1)


@pytest.mark.parametrize("unit, size", [("m/s2", GRAVITY), ("g", 1.0), ("mg", 1000.0),
                                        ("counts", 16384), ("counts", 8192), ("counts", 4096),
                                        ("counts", 2048)])  # fmt: skip
def test_gravity_says_the_unit(unit, size):
    found = judge_units([(REST[:, :3] * size / GRAVITY, RATE)])
    assert (found.accel, found.gyro) == (unit, "")
    assert found.rest * found.accel_factor == pytest.approx(9.84, abs=0.1)


@pytest.mark.parametrize("unit", GYRO_UNITS)
def test_turning_says_the_unit_of_turn_rates(unit):
    x = turned()
    x[:, 3:] /= GYRO_UNITS[unit]
    found = judge_units([(x / np.repeat([GRAVITY, 1], 3), RATE)])
    assert (found.accel, found.gyro) == ("g", unit)


def test_faults():
    assert judge_units([(np.zeros((200, 6)), RATE)]).fault == "zero"
    assert judge_units([(REST - [1.2, -3, 9.3, 0, 0, 0], RATE)]).fault == "no gravity"
    odd = judge_units([(0.5 * REST, RATE)])
    assert (odd.accel, odd.fault) == ("", "")


def test_thirty_real_takes_are_enough(shared_data):
    takes = read_dataset(shared_data / "tkeyo_mpu6500_100hz").recordings
    for accel, gyro in [("m/s2", "dps"), ("g", "rad/s"), ("mg", "dps"), ("g", "mdps")]:
        scale = np.repeat([1 / ACCEL_UNITS[accel], 1 / GYRO_UNITS[gyro]], 3)
        for seed in range(3):
            chosen = np.random.default_rng(seed).permutation(len(takes))[:30]
            found = judge_units([(takes[i].samples * scale, takes[i].rate_hz) for i in chosen])
            assert (found.accel, found.gyro) == (accel, gyro), seed
