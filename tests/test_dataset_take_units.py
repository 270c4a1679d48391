"""Units that the values betray: every unit of a hand's movement, and no false alarm."""

import numpy as np
import pytest

from host_tools.dataset.take_units import check_units
from host_tools.units import GRAVITY, accel_factor, gyro_factor

RATE_HZ = 50.0
UNITS = [("g", "dps"), ("mg", "dps"), ("m/s2", "rad/s"), ("m/s2", "mdps"), ("g", "rad/s"),
         ("mg", "mdps")]


def take(seed, gravity=1.0, seconds=4.0):
    """A hand that turns about a wandering axis and is shaken: (n, 6), m/s^2 and deg/s."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    rates = sum(rng.normal(0, 1.0, 3) * np.sin(2 * np.pi * f * t[:, None] + rng.uniform(0, 6, 3))
                for f in (0.4, 0.9, 1.7))  # rad/s
    down = np.empty((n, 3))
    u = rng.normal(0, 1, 3)
    for i, w in enumerate(rates):
        u = u - np.cross(w, u) / RATE_HZ
        u = u / np.linalg.norm(u)
        down[i] = u
    push = 3 * np.sin(2 * np.pi * 1.3 * t[:, None] + rng.uniform(0, 6, 3))
    return np.hstack([GRAVITY * gravity * down + push, np.degrees(rates)])


def takes(count, accel="m/s2", gyro="dps", gravity=1.0):
    out = []
    for seed in range(count):
        x = take(seed, gravity)
        x[:, :3] /= accel_factor(accel)
        x[:, 3:] /= gyro_factor(gyro)
        out.append((x, RATE_HZ))
    return out


@pytest.mark.parametrize("count", [1, 3, 30])
def test_right_units_raise_nothing(count):
    assert check_units(takes(count)) == []
    for accel, gyro in UNITS:
        assert check_units(takes(count, accel, gyro), accel, gyro) == []


@pytest.mark.parametrize("count", [3, 30])
@pytest.mark.parametrize("accel, gyro", UNITS)
def test_another_unit_is_named(count, accel, gyro):
    found = {f.quantity: f for f in check_units(takes(count, accel, gyro))}
    assert ("accel" in found) == (accel != "m/s2") and ("gyro" in found) == (gyro != "dps")
    for quantity, unit in (("accel", accel), ("gyro", gyro)):
        if quantity in found:
            assert found[quantity].unit == unit
            assert found[quantity].cure.endswith(f"--{quantity}-unit {unit}")


@pytest.mark.parametrize("accel, gyro", [
    ("counts:16384", "counts:131"), ("counts:2048", "counts:16.4")])
def test_raw_counts(accel, gyro):
    counts = [(np.rint(x), hz) for x, hz in takes(5, accel, gyro)]
    found = check_units(counts)
    assert [f.quantity for f in found] == ["accel", "gyro"]
    assert found[0].unit == accel and "raw counts" in found[0].text
    assert "raw counts" in found[1].text and "--gyro-unit counts:131" in found[1].cure
    assert check_units(counts, accel, gyro) == []


def test_a_unit_that_was_named_wrongly():
    assert [f.unit for f in check_units(takes(5), "g", "rad/s")] == ["m/s2", "dps"]


def test_gravity_is_missing():
    found = check_units(takes(30, gravity=0.0))
    assert [f.quantity for f in found] == ["accel"] and found[0].unit == ""
    assert "gravity is missing" in found[0].text


def test_zeros():
    found = check_units([(np.zeros((50, 6)), 50.0)])
    assert [f.text for f in found] == ["the acceleration is 0 in every sample",
                                       "the turn rate is 0 in every sample"]


def test_a_board_at_rest_says_nothing_of_its_gyroscope():
    rest = np.tile([0.1, 0.2, 9.7, 0.01, 0.02, -0.01], (100, 1))
    assert check_units([(rest, 50.0)]) == []
    assert check_units([]) == [] == check_units([(rest[:1], 50.0)])


def test_only_the_first_two_seconds_count():
    x = np.vstack([np.tile([0, 0, 9.8], (100, 1)), np.tile([0, 0, 1.0], (900, 1))])
    assert check_units([(x, 50.0)]) == []
