"""Augmentation in time: where in the recording each value of a window is taken from.

Every function takes and gives positions: float (n, length), for n windows the
(fractional) sample indices in the recording, counted from the window's end,
so that an unchanged window is -length+1 ... -1, 0. They are cheap, and the
recording is interpolated only once, whatever was combined.
"""
from __future__ import annotations

import numpy as np


def straight(n: int, length: int) -> np.ndarray:
    """Positions of n unchanged windows."""
    return np.broadcast_to(np.arange(1.0 - length, 1.0), (n, length)).copy()


def speed(positions: np.ndarray, rng, spread: float):
    """The whole movement slower or faster by exp(N(0, spread)); returns factors (n,) too.

    A movement that is f times as fast turns f times as fast and accelerates
    f^2 times as hard; augment.signal.tempo applies that to the values.
    """
    factor = np.exp(np.clip(rng.normal(0, spread, len(positions)), -2.5 * spread, 2.5 * spread))
    return positions * factor[:, None], factor


def warp(positions: np.ndarray, rng, strength: float) -> np.ndarray:
    """Parts of the movement earlier or later than usual, its end unmoved.

    Two slow sine waves are added to the clock; strength is their size as a
    part of the window, 0.03 for 3 %. The clock never runs backwards while
    strength is below 0.08.
    """
    n, length = positions.shape
    phase = np.linspace(0, 1, length)[None]
    delta = np.zeros((n, length))
    for wave in (1, 2):
        size = rng.normal(0, strength * length / wave, (n, 1))
        size = np.clip(size, -2 * strength * length / wave, 2 * strength * length / wave)
        delta += size * np.sin(2 * np.pi * (wave * phase + rng.random((n, 1)))) / np.pi
    return positions + delta - delta[:, -1:]
