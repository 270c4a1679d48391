"""Augmentations obey the physics that they claim, and the seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.augment import negatives, signal, timeline
from host_tools.augment.kinds import KINDS
from host_tools.augment.smote import smote
from host_tools.plots import augment_page
from host_tools.units import GRAVITY


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.fixture
def windows():
    w = rng(5).normal(0, 3, (6, 20, 60)).astype(np.float32)
    w[2] += GRAVITY
    return w


@given(st.integers(0, 1000), st.floats(0, 90))
def test_rotations_are_rotations(seed, spread):
    r = signal.rotations(rng(seed), 5, spread)
    assert np.allclose(r @ r.transpose(0, 2, 1), np.eye(3), atol=1e-5)
    assert np.allclose(np.linalg.det(r), 1, atol=1e-5)


def test_rotating_keeps_sizes_and_turns_both_sensors_alike(windows):
    r = signal.rotations(rng(), 20, 30)
    out = signal.rotate(windows, r)
    for s in (0, 3):
        assert np.allclose(np.linalg.norm(out[s : s + 3], axis=0),
                           np.linalg.norm(windows[s : s + 3], axis=0), atol=1e-4)
    assert np.allclose(out[3:, 7, 9], r[7] @ windows[3:, 7, 9], atol=1e-4)


def test_amplifying_leaves_gravity(windows):
    out = signal.amplify(windows, np.full((20, 1), 2.0), np.full((20, 1), 3.0))
    assert np.allclose(out[:3].mean(axis=2), windows[:3].mean(axis=2), atol=1e-4)
    assert np.allclose(out[:3].std(axis=2), 2 * windows[:3].std(axis=2), rtol=1e-4)
    assert np.allclose(out[3:], 3 * windows[3:])


def test_tempo_is_the_law_of_motion():
    """x(f t): velocity grows by f, acceleration by f^2, shown on a sine."""
    t = np.linspace(0, 2, 400)
    f = 1.3
    x, dt = np.sin(2 * t), t[1] - t[0]
    fast = np.gradient(np.gradient(np.sin(2 * f * t), dt), dt)
    slow = np.gradient(np.gradient(x, dt), dt)
    accel, gyro = signal.tempo_gains(np.array([f]))
    predicted = accel[0, 0] * np.interp(f * t, t, slow)
    inside = (f * t < 1.9) & (t > 0.05)
    assert np.allclose(predicted[inside], fast[inside], atol=0.05)
    assert gyro[0, 0] == pytest.approx(f)


def test_clip_is_the_range(windows):
    out = signal.clip(windows * 100, 2, 250)
    assert np.abs(out[:3]).max() == pytest.approx(2 * GRAVITY, rel=1e-5)
    assert np.abs(out[3:]).max() == pytest.approx(250)


@given(st.integers(0, 500), st.floats(0, 0.07), st.integers(10, 120))
def test_the_warped_clock_never_runs_backwards(seed, strength, length):
    p = timeline.warp(timeline.straight(8, length), rng(seed), strength)
    assert (np.diff(p, axis=1) > -1e-9).all()
    assert np.allclose(p[:, -1], 0)


def test_tilting_agrees_between_sensors():
    """Gravity turns by what the gyroscope says: dg/dt = -w x g."""
    rest = np.repeat(np.float32([[0, 0, GRAVITY, 0, 0, 0]]).T, 30, axis=1)
    out = negatives.tilt(rng(3), rest, 200, 100.0, 150.0).astype(float)
    g, w = out[:3].transpose(1, 2, 0), np.radians(out[3:].transpose(1, 2, 0))
    predicted = np.cumsum(-np.cross(w, g), axis=1) / 100
    moved = g[:, -1] - g[:, 0]
    expected = predicted[:, -1] - predicted[:, 0]
    assert np.linalg.norm(moved, axis=1).max() > 3
    assert np.corrcoef(moved.ravel(), expected.ravel())[0, 1] > 0.97


def test_still_is_still():
    rest = np.repeat(np.float32([[0, 0, GRAVITY, 0, 0, 0]]).T, 200, axis=1)
    out = negatives.still(rng(), rest, 50)
    assert np.median(np.linalg.norm(out[:3], axis=0)) == pytest.approx(GRAVITY, rel=0.02)
    assert np.median(np.abs(out[3:])) < 5


def test_backwards_twice_is_forwards(windows):
    assert np.array_equal(negatives.reverse(negatives.reverse(windows)), windows)
    assert np.array_equal(negatives.reverse(windows)[3:, :, 0], -windows[3:, :, -1])


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_every_kind_is_seeded_and_changes_nothing_given(kind, windows):
    kept = windows.copy()
    one, two = (kind.apply(windows, rng(7), 100.0) for _ in range(2))
    assert np.array_equal(one, two) and np.isfinite(one).all()
    assert one.shape == windows.shape and np.array_equal(windows, kept)
    assert not np.array_equal(one, windows)


def test_the_page_shows_every_kind():
    page = augment_page.html_page(rng().normal(size=(6, 80)), 100.0, "x < y")
    assert page.count("<svg") == 2 * len(KINDS) and "x &lt; y" in page


def test_smote_fills_up_inside_the_class():
    pytest.importorskip("imblearn")
    x = np.concatenate([rng(1).normal(0, 1, (40, 5)), rng(2).normal(9, 1, (6, 5))])
    y = np.repeat([0, 1], [40, 6])
    more, labels = smote(x, y)
    assert np.bincount(labels).tolist() == [40, 40]
    made = more[labels == 1]
    assert (made >= x[y == 1].min(axis=0) - 1e-9).all()
    assert (made <= x[y == 1].max(axis=0) + 1e-9).all()
