"""The relatives of the MPU-6500 that answer register 0x75 at the same address.

Identities and FIFO sizes: the Linux driver inv_mpu6050 and the parts' own
register maps; what is hearsay says so.
"""

# Kinds: what the registers mean.
MPU6500 = 0  # RM-MPU-6500A-00
MPU6050 = 1  # no ACCEL_CONFIG2, asleep after reset, other temperature and wake-on-motion
ICM206XX = 2  # as the MPU-6500 but for temperature, FIFO size and wake-on-motion
ICM20602 = 3  # as ICM206XX, but FIFO_EN has one bit a sensor, and frames hold the temperature

# WHO_AM_I, name, kind, FIFO bytes. One text: as a table it would take four times the heap.
# 68 is the MPU-6000 and the MPU-9150, too; 98 also many a counterfeit MPU-6050. 72, 75 and 90
# are hearsay; 19 as M5Stack's driver has it, whose FIFO holds more.
_FAMILY = (
    ";68,MPU6050,1,1024;72,MPU6050 clone,1,1024"
    ";70,MPU6500,0,512;71,MPU9250,0,512;73,MPU9255,0,512;74,MPU6515,0,512"
    ";75,MPU9250 relabelled,0,512;78,MPU6880,0,4096;90,MPU6700,0,512"
    ";19,MPU6886,3,512;11,ICM20600,3,1008;12,ICM20602,3,1008;20,ICM20690,2,1024"
    ";98,ICM20689,2,512;a6,ICM20609,2,512;a9,IAM20680,2,512;ac,ICM20601,2,512"
    ";ae,ICM20608D,2,512;af,ICM20608G,2,512;"
)


def find(identity):
    """[name, kind, FIFO bytes] of the part with this WHO_AM_I, None if there is none."""
    at = _FAMILY.find(";%02x," % identity)
    if at < 0:
        return None
    name, kind, size = _FAMILY[at + 4 : _FAMILY.find(";", at + 1)].split(",")
    return name, int(kind), int(size)


# LSB per degree and the temperature, in 1/100 degree, at raw 0.
_TEMPERATURE = ((333.87, 2100), (340.0, 3653), (326.8, 2500), (326.8, 2500))


def centi_c(kind, raw):
    """Temperature in 1/100 degree Celsius from TEMP_OUT, int16."""
    slope, zero = _TEMPERATURE[kind]
    return round(raw * 100 / slope) + zero
