"""A hand that taps, shakes, turns and drops a board: made up, through the simulated sensor.

The strengths and times are assumptions, drawn from the ranges below. The acceleration passes the
sensor's model (simulator/sensor/signal_chain.py): its low-pass filter at 100 Hz, noise, range.
"""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from host_tools.simulator.sensor.signal_chain import ChainSettings, PartErrors, SignalChain
from host_tools.simulator.sensor.tables import ACCEL_FILTERS, GYRO_FILTERS
from host_tools.units import GRAVITY

RATE_HZ, ACCEL_G = 100, 8
_FINE_HZ = 1000
_BEFORE_S, _AFTER_S = 2.0, 3.0
_FILTER = 3  # 41 Hz, as the driver sets it at 100 Hz


class Made(NamedTuple):
    """raw : int16 (n, 6), counts. end: frame in which the movement ends."""

    raw: np.ndarray
    end: int


def made(name: str, rng: np.random.Generator) -> Made:
    """One movement of the rule `name`."""
    movement = _MOVEMENTS[name](rng)
    n = int((_BEFORE_S + _AFTER_S) * _FINE_HZ) + len(movement)
    g = np.zeros((n, 3))
    first = int(_BEFORE_S * _FINE_HZ)
    g[:first] = movement[0]
    g[first:first + len(movement)] = movement
    g[first + len(movement):] = movement[-1]
    g += _tremor(n, rng) * (0.2 if name in ("face_down", "free_fall") else 1.0)
    t_s = np.arange(n) / _FINE_HZ
    chain = SignalChain(_Values(t_s, g), PartErrors(noise=1.0), True, rng)
    settings = ChainSettings(32768 / ACCEL_G, 32768 / 500, ACCEL_FILTERS[_FILTER],
                             GYRO_FILTERS[_FILTER])
    raw = chain.counts(0.0, 1e6 / RATE_HZ, n * RATE_HZ // _FINE_HZ, 0.0, settings)
    return Made(raw, (first + len(movement)) * RATE_HZ // _FINE_HZ)


class _Values:
    filtered = False
    duration_s = None

    def __init__(self, t_s: np.ndarray, g: np.ndarray):
        self._t, self._g = t_s, g

    def sample(self, t_s: np.ndarray) -> np.ndarray:
        accel = np.stack([np.interp(t_s, self._t, self._g[:, k]) for k in range(3)], axis=1)
        return np.hstack([accel * GRAVITY, np.zeros_like(accel)])


def _tremor(n: int, rng: np.random.Generator) -> np.ndarray:
    """A held hand: 8 to 12 Hz, some 15 mg."""
    t = np.arange(n) / _FINE_HZ
    phase = rng.uniform(0, 2 * np.pi, 3)
    return 0.015 * np.sin(2 * np.pi * rng.uniform(8, 12) * t[:, None] + phase)


def _direction(rng: np.random.Generator) -> np.ndarray:
    v = rng.normal(size=3)
    return v / np.linalg.norm(v)


def _still(s: float) -> np.ndarray:
    return np.tile([0.0, 0.0, 1.0], (int(s * _FINE_HZ), 1))


def _tap(rng: np.random.Generator) -> np.ndarray:
    """A blow of 3 to 10 ms and 4 to 14 g on the case, which rings for some 40 ms."""
    out = _still(0.08)
    t = np.arange(len(out)) / _FINE_HZ
    width_s, peak_g = rng.uniform(0.003, 0.010), rng.uniform(4, 14)
    blow = peak_g * np.sin(np.pi * t / width_s) * (t < width_s)
    ring = 0.25 * peak_g * np.exp(-t / 0.012) * np.sin(2 * np.pi * rng.uniform(25, 60) * t)
    return out + (blow + ring * (t >= width_s))[:, None] * _direction(rng)


def _double_tap(rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([_tap(rng), _still(rng.uniform(0.08, 0.28)), _tap(rng)])


def _shake(rng: np.random.Generator) -> np.ndarray:
    """1 to 2 s back and forth, 2.5 to 5 times per second, 1.5 to 4 g."""
    out = _still(rng.uniform(1.0, 2.0))
    t = np.arange(len(out)) / _FINE_HZ
    way = rng.uniform(1.5, 4.0) * np.sin(2 * np.pi * rng.uniform(2.5, 5.0) * t)
    way *= np.minimum(1, np.minimum(t, t[::-1]) / 0.15)
    return out + way[:, None] * _direction(rng)


def _face_down(rng: np.random.Generator) -> np.ndarray:
    """Turned over in 0.4 to 1 s and laid down, tilted by up to 12 degrees."""
    n = int(rng.uniform(0.4, 1.0) * _FINE_HZ)
    angle = (np.pi - np.radians(rng.uniform(0, 12))) * (1 - np.cos(np.linspace(0, np.pi, n))) / 2
    about = rng.uniform(0, 2 * np.pi)
    out = np.stack([np.sin(angle) * np.cos(about), np.sin(angle) * np.sin(about),
                    np.cos(angle)], axis=1)
    t = np.arange(n) / _FINE_HZ
    laid = rng.uniform(0.3, 1.5) * np.exp(-((t - t[-1] + 0.03) / 0.006) ** 2)  # it touches down
    out[:, 2] += laid
    return out


def _free_fall(rng: np.random.Generator) -> np.ndarray:
    """A drop of 25 to 100 cm, tumbling slowly, and the blow at its end."""
    fall_s = np.sqrt(2 * rng.uniform(0.25, 1.0) / GRAVITY)
    n = int(fall_s * _FINE_HZ)
    fall = np.tile(0.05 * _direction(rng), (n, 1))
    t = np.arange(int(0.25 * _FINE_HZ)) / _FINE_HZ
    blow = rng.uniform(5, 14) * np.exp(-t / 0.02) * np.cos(2 * np.pi * 18 * t)
    landed = _still(0.25) + blow[:, None] * _direction(rng)
    return np.concatenate([_still(0.01), fall, landed])


_MOVEMENTS = {"tap": _tap, "double_tap": _double_tap, "shake": _shake, "face_down": _face_down,
              "free_fall": _free_fall}
