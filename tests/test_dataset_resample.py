"""Resampling keeps what fits and removes what would fold back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.dataset.recording import Recording
from host_tools.dataset.resample import resample, resample_recording


def tone(hz, rate_hz, seconds=4.0):
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    return np.sin(2 * np.pi * hz * t)[:, None]


@pytest.mark.parametrize("to_hz", [50, 25, 20, 10])
def test_slow_movement_is_kept(to_hz):
    hz = to_hz / 8
    out = resample(tone(hz, 100), 100, to_hz)
    assert np.abs(out - tone(hz, to_hz)[: len(out)])[to_hz // 2 : -to_hz // 2].max() < 0.01


@pytest.mark.parametrize("from_hz", [100, 200])
@pytest.mark.parametrize("to_hz", [50, 25, 20, 10])
def test_what_would_fold_back_is_gone(to_hz, from_hz):
    """A tone at 0.9 of the new rate would look like one at 0.1 of it."""
    out = resample(tone(0.9 * to_hz, from_hz), from_hz, to_hz)
    assert np.abs(out)[to_hz // 2 : -to_hz // 2].max() < 0.02


def test_upsampling_goes_through_the_samples():
    x = np.random.default_rng(1).normal(size=(60, 3))
    assert np.allclose(resample(x, 20, 100)[::5], x, atol=1e-5)


@given(st.floats(5, 200), st.floats(5, 200), st.floats(-1e3, 1e3), st.integers(2, 300))
def test_a_constant_stays(from_hz, to_hz, value, n):
    out = resample(np.full((n, 2), value), from_hz, to_hz)
    assert np.allclose(out, value, rtol=1e-5, atol=1e-4)
    assert abs((len(out) - 1) / to_hz - (n - 1) / from_hz) <= 1 / to_hz + 1e-6


def test_a_long_signal_is_the_same_in_pieces(monkeypatch):
    x = np.random.default_rng(1).normal(size=(900, 3)).astype(np.float32)
    whole = resample(x, 49.7, 100)
    monkeypatch.setattr("host_tools.dataset.resample._BLOCK", 7)
    assert np.array_equal(whole, resample(x, 49.7, 100))


def test_gaps_move_along():
    r = Recording("a", np.zeros((100, 6), np.float32), 100.0, gaps=((40, 60),))
    assert resample_recording(r, 50.0).gaps == ((20, 30),)
