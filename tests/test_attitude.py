"""Levelling as physics: turning the sensor in the hand must change nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.augment import streams
from host_tools.augment.movements import rotation_between
from host_tools.dataset import Dataset, Recording, Span
from host_tools.model.attitude import ONE, Attitude, level
from host_tools.training.features import describe
from host_tools.training.recipe import choose

FRAME_S = 0.04
ACCEL, GYRO = 600.0, 20.0  # counts a m/s^2 and a deg/s
MUL = round(np.radians(1 / GYRO) * FRAME_S / 4 * ONE * 2**17)
UP = np.array([0.0, 0.6, 0.8])


def attitude(up=UP):
    return Attitude(tuple(int(u) for u in np.rint(up * ONE)), MUL, 17)


def counts(accel, gyro):
    """int (6, n, frames) of m/s^2 and deg/s, (3, frames) each."""
    return np.rint(np.concatenate([accel * ACCEL, gyro * GYRO]))[:, None].astype(int)


def held(turns, still):
    """What the sensor reads of `still` (frames, 3) in the world while its attitude is turns."""
    return np.einsum("tji,tj->it", turns, still)


def turned(rate_dps):
    """Attitudes (frames, 3, 3) of a body that turns at rate_dps (3, frames), and at 50 times the
    frames: each frame is what the sensor averages over it."""
    fine = np.repeat(rate_dps, 50, axis=1)
    at = np.eye(3)
    out = []
    for w in np.radians(fine.T) * FRAME_S / 50:
        angle = np.linalg.norm(w)
        if angle:
            x, y, z = w / angle
            k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
            at = at @ (np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k)
        out.append(at)
    return np.array(out)


@pytest.mark.parametrize("most_dps", [50, 400])
def test_a_rest_that_is_turned_is_a_rest(most_dps):
    rng = np.random.default_rng(most_dps)
    t = np.arange(40) * FRAME_S
    rate = np.stack([most_dps * np.sin(2 * np.pi * f * t + rng.random()) for f in (0.5, 0.8, 1.1)])
    turns = turned(rate)
    fine = held(turns, np.tile(9.81 * UP, (len(turns), 1)))
    accel = fine.reshape(3, -1, 50).mean(axis=2)
    assert np.ptp(accel, axis=1).max() > 1.2  # gravity wanders through the axes
    found = level(attitude(), counts(accel, rate))[:3, 0] / ACCEL
    assert np.abs(found - 9.81 * UP[:, None]).max() < 0.03 * 9.81


def test_a_stroke_is_the_same_however_the_hand_turns():
    """Up, then back, while the hand turns by 60 degrees or not at all."""
    t = np.arange(40) * FRAME_S
    stroke = 6 * np.sin(2 * np.pi * np.clip((t - 0.4) / 0.8, 0, 1))
    found = []
    for size in (0.0, 200.0):
        rate = np.zeros((3, 40))
        rate[0, 12:20] = size  # over by the end, so that both end in another attitude
        rate[0, 24:32] = -size
        turns = turned(rate)
        world = np.tile(9.81 * UP, (len(turns), 1)) + np.repeat(stroke, 50)[:, None] * UP
        accel = held(turns, world).reshape(3, -1, 50).mean(axis=2)
        found.append(level(attitude(), counts(accel, rate))[:3, 0] / ACCEL)
    assert np.abs(found[0] - found[1]).max() < 0.4


@given(st.integers(0, 10**6), st.floats(0, 2.5))
@settings(max_examples=50, deadline=None)
def test_how_it_is_worn_does_not_matter(seed, angle):
    """Tilted by up to 140 degrees about any level axis."""
    rng = np.random.default_rng(seed)
    accel = 9.81 * UP[:, None] + rng.normal(0, 3, (3, 30))
    accel += 9.81 * UP[:, None] - accel.mean(axis=1, keepdims=True)
    gyro = rng.normal(0, 150, (3, 30))
    axis = np.cross(UP, rng.normal(size=3))
    aim = np.cos(angle) * UP + np.sin(angle) * np.cross(axis / np.linalg.norm(axis), UP)
    turn = np.eye(3)
    for part in (0.5, 1.0):  # in two steps, as neither is near to half a turn
        half = np.cos(angle * part) * UP + np.sin(angle * part) * np.cross(
            axis / np.linalg.norm(axis), UP)
        turn = rotation_between(turn @ UP, half) @ turn
    assert np.allclose(turn @ UP, aim, atol=1e-3)
    still = Attitude(attitude().up)  # gravity alone: the mean is exactly known
    plain = level(still, counts(accel, gyro))
    other = level(still, counts(turn @ accel, turn @ gyro))
    assert np.abs(plain - other).max() < 0.02 * np.abs(plain).max() + 5


def test_without_gravity_windows_end_as_they_end():
    rng = np.random.default_rng(1)
    window = counts(rng.normal(0, 4, (3, 30)), rng.normal(0, 100, (3, 30)))
    found = level(attitude(np.zeros(3)), window)
    assert np.array_equal(found[:, :, -1], window[:, :, -1])
    assert not np.array_equal(found, window)
    sizes = [np.linalg.norm(x[3:].astype(float), axis=0) for x in (found, window)]
    assert np.allclose(*sizes, atol=5)  # turned, no more


def test_weightless_windows_stay_as_they_are():
    window = counts(np.zeros((3, 20)), np.zeros((3, 20)))
    assert np.array_equal(level(attitude(), window), window)


@given(st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_shortest_rotations(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 3))
    unit = [x / np.linalg.norm(x) for x in (a, b)]
    m = rotation_between(a, b)
    assert np.allclose(m @ m.T, np.eye(3), atol=1e-4)
    assert np.allclose(m @ unit[0], unit[1], atol=1e-4)
    assert np.trace(m) == pytest.approx(1 + 2 * unit[0] @ unit[1], abs=1e-4)


def test_between_opposite_directions_there_is_no_shortest_rotation():
    assert np.array_equal(rotation_between(UP, -UP), np.eye(3))


def test_the_way_between_two_rests_is_a_turn():
    """Joined recordings that are held differently: gravity must not look like a stroke."""
    start = np.array([0.0, 0.0, 9.8, 1, 2, 3])
    target = np.array([9.8, 0.0, 0.5, -1, 0, 2])
    way = 0.5 - 0.5 * np.cos(np.pi * np.linspace(0, 1, 40))
    x = start[:, None] + streams._turning(start, target, way, 1 / FRAME_S)
    assert np.allclose(x[:3, -1], target[:3], atol=0.1)
    accel, gyro = x[:3], x[3:] - 1.5
    found = level(attitude(), counts(accel, gyro))[:3, 0] / ACCEL
    assert np.abs(found - found.mean(axis=1, keepdims=True)).max() < 0.5
    assert np.abs(accel - accel.mean(axis=1, keepdims=True)).max() > 4


def data(*rests, axes=6):
    """One short push on each of the rests (m/s^2), 50 Hz."""
    out = []
    for k, rest in enumerate(rests):
        x = np.zeros((100, 6), np.float32)
        x[:, :3] = rest
        x[40:60, 0] += 4 * np.sin(np.linspace(0, 2 * np.pi, 20))
        x[40:60, 5] = 50
        out.append(Recording(f"r{k}", x[:, :axes], 50.0, (Span(800, 1200, "push", "a"),)))
    return Dataset("d", out)


@pytest.mark.parametrize("rests, axes, by_hand, up, turns", [
    ([[0, 0, 9.8], [0, 9.8, 0]], 6, {}, (0, 0.707, 0.707), True),
    ([[0, 0, 9.8], [0, 9.8, 0]], 3, {}, (0, 0.707, 0.707), False),
    ([[0, 0, 0], [0.1, 0, 0]], 6, {}, (0, 0, 0), True),  # a phone's linear acceleration
    ([[0, 0, 0], [0.1, 0, 0]], 3, {}, None, False),
    ([[0, 0, 9.8], [0, 0, 9.8]], 6, {"levelled": False}, None, False),
    ([[0, 0, 9.8], [0, 0, -9.8]], 6, {}, (0, 0, 1), True),
])
def test_what_training_chooses(rests, axes, by_hand, up, turns):
    found = describe(choose(data(*rests, axes=axes), 50, **by_hand)).attitude
    if up is None:
        assert found is None
    else:
        assert np.allclose(np.array(found.up) / ONE, up, atol=0.02)
        assert bool(found.mul) == turns
