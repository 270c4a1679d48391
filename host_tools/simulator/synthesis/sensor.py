"""An MPU6500's view of a movement: filter, rate, bias, noise, clipping, counts.

Noise and tolerances are the product specification's typical values at a 41 Hz
bandwidth: 2.4 mg and 0.08 deg/s; sensitivity to 3 %, zero-rate to 5 deg/s.
"""

import numpy as np

from host_tools.simulator.synthesis.trajectory import STEP_S
from host_tools.units import GRAVITY, counts_per_unit, to_counts

ACCEL_G = 4
GYRO_DPS = 500
RATE_HZ = 100


def record(sensed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n, 6) at STEP_S to (m, 6) at RATE_HZ, in m/s^2 and deg/s as whole counts give them."""
    every = round(1 / (RATE_HZ * STEP_S))
    kernel = np.ones(every) / every
    padded = np.pad(sensed, ((every // 2, every - 1 - every // 2), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1)
    samples = smooth[::every]
    gain = 1 + rng.normal(0, [0.01] * 3 + [0.01] * 3)
    bias = rng.normal(0, [0.02 * GRAVITY] * 3 + [1.0] * 3)
    noise = rng.normal(0, [0.0024 * GRAVITY] * 3 + [0.08] * 3, samples.shape)
    counts = to_counts(samples * gain + bias + noise, ACCEL_G, GYRO_DPS)
    return counts / counts_per_unit(ACCEL_G, GYRO_DPS)
