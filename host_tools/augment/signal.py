"""The limits of a sensor."""
from __future__ import annotations

import numpy as np

from host_tools.units import GRAVITY


def clip(windows: np.ndarray, accel_g: float, gyro_dps: float) -> np.ndarray:
    """What the sensor cannot measure beyond its range. windows: axes first, any shape."""
    limit = np.array([accel_g * GRAVITY] * 3 + [gyro_dps] * 3, np.float32)
    limit = limit[: len(windows)]
    limit = limit.reshape(-1, *[1] * (windows.ndim - 1))
    return np.clip(windows, -limit, limit)
