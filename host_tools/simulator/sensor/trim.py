"""What the factory put into one part: self-test codes, trim, and how registers use them."""
from __future__ import annotations

import struct

import numpy as np

from host_tools.simulator.sensor import tables, variants
from host_tools.simulator.sensor.registers import (
    ACCEL_CONFIG,
    ACCEL_CONFIG2,
    CONFIG,
    CYCLE,
    GYRO_CONFIG,
    PWR_MGMT_1,
    SELF_TEST_X_ACCEL,
    SELF_TEST_X_GYRO,
    XA_OFFSET_H,
    XG_OFFSET_H,
    YA_OFFSET_H,
    ZA_OFFSET_H,
)
from host_tools.simulator.sensor.signal_chain import ChainSettings
from host_tools.units import GYRO_COUNTS_PER_DPS

_ACCEL_OFFSETS = (XA_OFFSET_H, YA_OFFSET_H, ZA_OFFSET_H)
_ACCEL_OFFSET_LSB_PER_G = 2048  # at any range, "MPU Hardware Offset Registers" 1.2
_GYRO_OFFSET_LSB_PER_DPS = GYRO_COUNTS_PER_DPS[1000]  # at any range, same source


class Trim:
    """Codes and trim of one part, drawn from rng; self_test_ratio: see SimulatedMPU6500."""

    def __init__(
        self, rng: np.random.Generator, part: variants.Part, self_test_ratio: tuple[float, float]
    ) -> None:
        self._part = part
        self._ratio = self_test_ratio
        self._gyro_codes = rng.integers(80, 180, 3)
        self._accel_codes = rng.integers(80, 180, 3)
        # 15 bits in [15:1]; bit 0 is reserved and may be set.
        self._accel_trim = [int(v) << 1 | 1 for v in rng.integers(-3000, 3000, 3)]

    def fill(self, registers: bytearray) -> None:
        """The values after a reset."""
        for axis in range(3):
            registers[SELF_TEST_X_GYRO + axis] = int(self._gyro_codes[axis])
            registers[SELF_TEST_X_ACCEL + axis] = int(self._accel_codes[axis])
            at = _ACCEL_OFFSETS[axis]
            registers[at : at + 2] = struct.pack(">h", self._accel_trim[axis])

    def chain_settings(self, r: bytearray) -> ChainSettings:
        """What the registers make of the way of a sample."""
        accel_fs = r[ACCEL_CONFIG] >> 3 & 3
        gyro_fs = r[GYRO_CONFIG] >> self._part.gyro_range_shift & 3
        accel_lsb = tables.ACCEL_LSB_PER_G[accel_fs]
        gyro_lsb = tables.GYRO_LSB_PER_DPS[gyro_fs]
        if r[PWR_MGMT_1] & CYCLE:  # RM register 30: 1.1 kHz in the low-power mode
            accel = tables.ACCEL_BYPASS
        else:
            accel = variants.accel_filter(self._part, r[CONFIG], r[ACCEL_CONFIG2])
        offsets = []
        for axis in range(3):
            at = _ACCEL_OFFSETS[axis]
            (value,) = struct.unpack(">h", r[at : at + 2])
            # 15 bits of 0.98 mg; the factory's value is the zero.
            steps = (value >> 1) - (self._accel_trim[axis] >> 1)
            offset = steps * 2 / _ACCEL_OFFSET_LSB_PER_G * accel_lsb
            if r[ACCEL_CONFIG] & 0x80 >> axis:
                offset += self._response(self._accel_codes[axis], accel_fs) * self._ratio[1]
            offsets.append(offset)
        for axis in range(3):
            at = XG_OFFSET_H + 2 * axis
            (value,) = struct.unpack(">h", r[at : at + 2])
            offset = value / _GYRO_OFFSET_LSB_PER_DPS * gyro_lsb
            if r[GYRO_CONFIG] & 0x80 >> axis:
                offset += self._response(self._gyro_codes[axis], gyro_fs) * self._ratio[0]
            offsets.append(offset)
        return ChainSettings(
            accel_lsb_per_g=accel_lsb,
            gyro_lsb_per_dps=gyro_lsb,
            accel_filter=accel,
            gyro_filter=variants.gyro_filter(self._part, r[GYRO_CONFIG], r[CONFIG]),
            offset_counts=tuple(offsets),
        )

    @staticmethod
    def _response(code: int, fs: int) -> float:
        """Counts that the factory noted, AN-MPU-9250A-03: 2620 / 2^FS * 1.01^(code - 1)."""
        return 2620 / (1 << fs) * 1.01 ** (int(code) - 1)
