"""The relatives that the simulated sensor can be: what differs between them.

FIFO sizes, temperature lines and what is particular to each ICM-206xx as in the Linux
driver inv_mpu6050 (the MPU-6886 as its like, the ICM-20602), the rest of the MPU-6050
from RM-MPU-6000A-00 rev 4.2.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from host_tools.simulator.sensor import tables
from host_tools.simulator.sensor.tables import Filter


@dataclass(frozen=True)
class Part:
    """One identity of the family."""

    name: str
    who_am_i: int
    power_1_reset: int = 0x01  # PWR_MGMT_1 after a reset
    fifo_size: int = 512
    fifo_can_stop: bool = True  # CONFIG bit 6
    temperature_lsb_per_c: float = tables.TEMPERATURE_LSB_PER_C
    temperature_zero_c: float = tables.TEMPERATURE_ZERO_C
    own_accel_filter: bool = True  # ACCEL_CONFIG2 exists
    gyro_filters: tuple[Filter, ...] = tables.GYRO_FILTERS
    gyro_range_shift: int = 3  # of FS_SEL in GYRO_CONFIG
    wom_bits: tuple[int, int, int] = (0x40, 0x40, 0x40)  # of INT_STATUS, INT_ENABLE: x y z
    wom_thresholds: tuple[int, int, int] = (0x1F, 0x1F, 0x1F)  # registers
    low_power_by_divider: bool = False  # SMPLRT_DIV sets the low-power rate, not LP_ACCEL_ODR
    fifo_bit_a_sensor: bool = False  # FIFO_EN: 4 gyroscope, 3 accelerometer; temperature always


# RM-MPU-6000A-00 page 13: gyroscope and accelerometer by DLPF_CFG.
GYRO_FILTERS_6050 = (
    Filter(256, 0.98, 8000),
    Filter(188, 1.9, 1000),
    Filter(98, 2.8, 1000),
    Filter(42, 4.8, 1000),
    Filter(20, 8.3, 1000),
    Filter(10, 13.4, 1000),
    Filter(5, 18.6, 1000),
    Filter(3600, 0.17, 8000),
)
ACCEL_FILTERS_6050 = (
    Filter(260, 0.0, 1000),
    Filter(184, 2.0, 1000),
    Filter(94, 3.0, 1000),
    Filter(44, 4.9, 1000),
    Filter(21, 8.5, 1000),
    Filter(10, 13.8, 1000),
    Filter(5, 19.0, 1000),
    Filter(260, 0.0, 1000),
)


def _mpu6050(name: str, who_am_i: int) -> Part:
    return Part(
        name,
        who_am_i,
        power_1_reset=0x40,
        fifo_size=1024,
        fifo_can_stop=False,
        temperature_lsb_per_c=340.0,
        temperature_zero_c=36.53,
        own_accel_filter=False,
        gyro_filters=GYRO_FILTERS_6050,
    )


def _icm(name: str, who_am_i: int, fifo_size: int = 512, **differences: Any) -> Part:
    return Part(
        name,
        who_am_i,
        power_1_reset=0x41,
        fifo_size=fifo_size,
        temperature_lsb_per_c=326.8,
        temperature_zero_c=25.0,
        wom_bits=(0x80, 0x40, 0x20),
        **differences,
    )


_NEWER: dict[str, Any] = {"wom_thresholds": (0x20, 0x21, 0x22), "low_power_by_divider": True}
_NEWER_FIFO: dict[str, Any] = {**_NEWER, "fifo_bit_a_sensor": True}


PARTS = {
    part.name: part
    for part in (
        Part("MPU6500", 0x70),
        Part("MPU9250", 0x71),
        Part("MPU9255", 0x73),
        Part("MPU6515", 0x74),
        Part("MPU6880", 0x78, fifo_size=4096),
        _mpu6050("MPU6050", 0x68),
        _icm("MPU6886", 0x19, 1008, **_NEWER_FIFO),
        _icm("ICM20600", 0x11, 1008, **_NEWER_FIFO),
        _icm("ICM20602", 0x12, 1008, **_NEWER_FIFO),
        _icm("ICM20608G", 0xAF),
        _icm("ICM20609", 0xA6, **_NEWER),
        _icm("ICM20689", 0x98, **_NEWER),
        _icm("ICM20690", 0x20, 1024, gyro_range_shift=2, **_NEWER),
        Part("unknown", 0x5A),  # an MPU-6500 that says something else
        _icm("unknown ICM20602", 0x5B, 1008, **_NEWER_FIFO),
    )
}


def part_named(name: str) -> Part:
    """Raises ValueError that lists the names."""
    try:
        return PARTS[name]
    except KeyError:
        raise ValueError(f"part {name!r} is none of {', '.join(PARTS)}") from None


def accel_filter(part: Part, config: int, accel_config2: int) -> Filter:
    if part.own_accel_filter:
        return tables.accel_filter(accel_config2)
    return ACCEL_FILTERS_6050[config & 7]


def gyro_filter(part: Part, gyro_config: int, config: int) -> Filter:
    if part.gyro_filters is tables.GYRO_FILTERS:
        return tables.gyro_filter(gyro_config, config)
    return part.gyro_filters[config & 7]  # no FCHOICE bits there
