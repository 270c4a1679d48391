"""Measures of movement: rest in any attitude, a gesture's ends, gaps, the stillest blocks."""

import numpy as np
import pytest

from host_tools.dataset.movement import (
    activity,
    find_movement,
    motion_energy,
    moving,
    moving_mean,
    stillest,
)
from host_tools.units import GRAVITY

HZ = 100.0


def trace(axes=6, at=(150, 250), size=6.0):
    """4 s held obliquely with a tremor; between `at` a push of `size` m/s^2 along x."""
    rng = np.random.default_rng(1)
    x = rng.normal(0, 0.1, (400, axes)).astype(np.float32)
    x[:, :3] += GRAVITY / np.sqrt(3)
    n = at[1] - at[0]
    x[at[0] : at[1], 0] += size * np.sin(np.linspace(0, 2 * np.pi, n))
    return x


@pytest.mark.parametrize("axes", [3, 6])
@pytest.mark.parametrize("rate_hz", [50.0, 100.0])
def test_only_the_push_moves(axes, rate_hz):
    level = activity(trace(axes), rate_hz)
    assert level.dtype == np.float32 and len(level) == 400
    assert level[:130].max() < 1 < level[170:190].min()
    first, last = find_movement(trace(axes), rate_hz, 20, 380)
    assert abs(first - 150) < 12 and abs(last - 250) < 12


def test_where_nothing_moves_the_whole_span_stays():
    still = trace(size=0.0)
    assert len(moving(activity(still, HZ))) == 0
    assert find_movement(still, HZ, 20, 380) == (20, 380)
    assert find_movement(still, HZ, 50, 50) == (50, 50)


def test_a_gentle_end_counts_by_the_strongest_moment():
    level = np.array([0.5, 1.1, 20, 3, 2, 0.5], np.float32)
    assert moving(level).tolist() == [2, 3]  # above 12 % of 20
    assert moving(level / 10).tolist() == [2]  # above what a resting hand may


def test_energy_is_0_in_gaps_and_about_1_in_a_slow_gesture():
    x = trace(size=0.0)
    x[:, 0] += 2.5 * np.sqrt(2) * np.sin(2 * np.pi * 2 * np.arange(400) / HZ)
    energy = motion_energy(x, HZ)
    assert np.mean(energy[100:300]) == pytest.approx(1, abs=0.2)
    assert motion_energy(x, HZ, [(100, 300)])[110:290].max() == 0
    assert motion_energy(trace(size=0.0), HZ).max() < 0.2


def test_the_stillest_blocks_are_those_at_rest():
    moving_all_along = trace(size=0.0) + 5 * np.random.default_rng(2).normal(size=(400, 6))
    still = stillest([(moving_all_along, HZ), (trace(), HZ)])
    assert len(still) == 4  # a tenth of 32 blocks, and the one at the limit
    assert np.linalg.norm(still, axis=1) == pytest.approx(GRAVITY, abs=0.1)
    assert len(stillest([])) == 0 and len(stillest([(np.zeros((3, 6)), HZ)])) == 0


def test_moving_mean_is_centred_and_holds_the_edges():
    x = np.arange(10.0)[:, None]
    assert moving_mean(x, 3)[1:-1, 0].tolist() == x[1:-1, 0].tolist()
    assert moving_mean(x, 3)[0, 0] == pytest.approx(1 / 3)
