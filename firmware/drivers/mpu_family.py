"""The relatives of the MPU-6500 that answer register 0x75 at the same address.

Identities and FIFO sizes: the Linux driver inv_mpu6050 and the parts' own
register maps; what is hearsay says so.
"""

# Kinds: what the registers mean.
MPU6500 = 0  # RM-MPU-6500A-00
MPU6050 = 1  # no ACCEL_CONFIG2, asleep after reset, other temperature and wake-on-motion
ICM206XX = 2  # as the MPU-6500 but for temperature, FIFO size and wake-on-motion

# WHO_AM_I: (name, kind, FIFO bytes)
FAMILY = {
    0x68: ("MPU6050", MPU6050, 1024),  # MPU-6000 and MPU-9150, too
    0x72: ("MPU6050 clone", MPU6050, 1024),  # hearsay
    0x70: ("MPU6500", MPU6500, 512),
    0x71: ("MPU9250", MPU6500, 512),
    0x73: ("MPU9255", MPU6500, 512),
    0x74: ("MPU6515", MPU6500, 512),
    0x75: ("MPU9250 relabelled", MPU6500, 512),  # hearsay
    0x78: ("MPU6880", MPU6500, 4096),
    0x90: ("MPU6700", MPU6500, 512),  # hearsay
    0x19: ("MPU6886", ICM206XX, 512),
    0x11: ("ICM20600", ICM206XX, 1008),
    0x12: ("ICM20602", ICM206XX, 1008),
    0x20: ("ICM20690", ICM206XX, 1024),
    0x98: ("ICM20689", ICM206XX, 512),  # and many a counterfeit MPU6050
    0xA6: ("ICM20609", ICM206XX, 512),
    0xA9: ("IAM20680", ICM206XX, 512),
    0xAC: ("ICM20601", ICM206XX, 512),
    0xAE: ("ICM20608D", ICM206XX, 512),
    0xAF: ("ICM20608G", ICM206XX, 512),
}

# LSB per degree and the temperature, in 1/100 degree, at raw 0.
_TEMPERATURE = ((333.87, 2100), (340.0, 3653), (326.8, 2500))


def centi_c(kind, raw):
    """Temperature in 1/100 degree Celsius from TEMP_OUT, int16."""
    slope, zero = _TEMPERATURE[kind]
    return round(raw * 100 / slope) + zero
