"""Which known part one with an unknown identity resembles."""
from micropython import const

from drivers import mpu_family

_FIFO_EN = const(0x23)
_PWR_MGMT_1 = const(0x6B)


def probe(imu):
    """(kind, a warning that says so): the relative whose reset state it shows. Raises OSError.

    To be called directly after a reset.
    """
    kind = mpu_family.MPU6500
    power = imu.read(_PWR_MGMT_1)
    if power & 0x40:
        kind = mpu_family.ICM206XX if power & 1 else mpu_family.MPU6050
    if kind == mpu_family.ICM206XX:
        imu.write(_PWR_MGMT_1, 0x01)
        imu.write(_FIFO_EN, 0x78)
        if imu.read(_FIFO_EN) == 0x18:  # it has no bit for each axis of the gyroscope
            kind = mpu_family.ICM20602
    return kind, "WHO_AM_I 0x%02x is not a known part; it is treated as %s" % (
        imu.identity,
        ("an MPU6500", "an MPU6050", "an ICM206xx", "an ICM20602")[kind],
    )
