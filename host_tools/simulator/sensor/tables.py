"""Filter and scale tables of the MPU-6500.

RM is RM-MPU-6500A-00 rev 2.1, PS is PS-MPU-6500A-01 rev 1.3.
"""
from __future__ import annotations

from typing import NamedTuple

from host_tools.units import ACCEL_COUNTS_PER_G, GYRO_COUNTS_PER_DPS

ACCEL_LSB_PER_G = tuple(ACCEL_COUNTS_PER_G.values())  # by AFS_SEL, RM register 28
GYRO_LSB_PER_DPS = tuple(GYRO_COUNTS_PER_DPS.values())  # by FS_SEL, RM register 27

TEMPERATURE_LSB_PER_C = 333.87  # PS table 4
TEMPERATURE_ZERO_C = 21.0


class Filter(NamedTuple):
    bandwidth_hz: float  # -3 dB
    delay_ms: float
    rate_hz: int  # at which the filter runs


# RM page 14: by DLPF_CFG with FCHOICE_B = 00
GYRO_FILTERS = (
    Filter(250, 0.97, 8000),
    Filter(184, 2.9, 1000),
    Filter(92, 3.9, 1000),
    Filter(41, 5.9, 1000),
    Filter(20, 9.9, 1000),
    Filter(10, 17.85, 1000),
    Filter(5, 33.48, 1000),
    Filter(3600, 0.17, 8000),
)
GYRO_BYPASS_X1 = Filter(8800, 0.064, 32000)  # FCHOICE_B[0] = 1
GYRO_BYPASS_10 = Filter(3600, 0.11, 32000)  # FCHOICE_B = 10

# RM page 15: by A_DLPF_CFG with ACCEL_FCHOICE_B = 0
ACCEL_FILTERS = (
    Filter(460, 1.94, 1000),
    Filter(184, 5.80, 1000),
    Filter(92, 7.80, 1000),
    Filter(41, 11.80, 1000),
    Filter(20, 19.80, 1000),
    Filter(10, 35.70, 1000),
    Filter(5, 66.96, 1000),
    Filter(460, 1.94, 1000),
)
ACCEL_BYPASS = Filter(1130, 0.75, 4000)

# RM register 30: LPOSC_CLKSEL, output rate of the low-power accelerometer mode
LOW_POWER_HZ = (0.24, 0.49, 0.98, 1.95, 3.91, 7.81, 15.63, 31.25, 62.5, 125.0, 250.0, 500.0)


def gyro_filter(gyro_config: int, config: int) -> Filter:
    """The gyroscope's filter for GYRO_CONFIG (FCHOICE_B) and CONFIG (DLPF_CFG)."""
    if gyro_config & 1:
        return GYRO_BYPASS_X1
    if gyro_config & 2:
        return GYRO_BYPASS_10
    return GYRO_FILTERS[config & 7]


def accel_filter(accel_config2: int) -> Filter:
    """The accelerometer's filter for ACCEL_CONFIG2."""
    return ACCEL_BYPASS if accel_config2 & 8 else ACCEL_FILTERS[accel_config2 & 7]
