"""The MPU-6500's saving modes: sleep, low-power accelerometer, wake-on-motion.

Each leaves the sampling mode; MPU6500.bring_up() brings it back. RM is the
register map RM-MPU-6500A-00 rev 2.1, PS the product specification rev 1.3.
"""
from micropython import const

from drivers import mpu_family

_SMPLRT_DIV = const(0x19)
_ACCEL_CONFIG2 = const(0x1D)
_LP_ACCEL_ODR = const(0x1E)
_WOM_THR = const(0x1F)
_WOM_X_THR = const(0x20)  # and Y, Z, on parts with one threshold an axis
_FIFO_EN = const(0x23)
_INT_PIN_CFG = const(0x37)
_INT_ENABLE = const(0x38)
_INT_STATUS = const(0x3A)
_ACCEL_INTEL_CTRL = const(0x69)
_PWR_MGMT_1 = const(0x6B)
_PWR_MGMT_2 = const(0x6C)

_LATCH_INT_EN = const(0x20)
_WOM_6500 = const(0x40)  # in INT_ENABLE and INT_STATUS
_WOM_ICM = const(0xE0)  # one bit an axis

# Identities of parts with a threshold for each axis, and whose low-power rate is set by the
# divider (Linux driver inv_mpu6050; the MPU-6886 as its like, the ICM-20602).
_NEWER = (0x11, 0x12, 0x19, 0x20, 0x98, 0xA6)

# RM register 30: 1/100 Hz by LPOSC_CLKSEL; the real rate is off by up to 15 % (PS table 2)
_ODR_CENTI_HZ = (24, 49, 98, 195, 391, 781, 1563, 3125, 6250, 12500, 25000, 50000)


def sleep(imu):
    """6 uA (PS table 3); the registers keep their values. Raises OSError."""
    imu.write(_PWR_MGMT_1, 0x41)


def low_power_accel(imu, rate_hz):
    """Only the accelerometer, asleep between samples: 7 uA + 0.38 uA per Hz (PS table 3).

    rate_hz: 0.24 to 500 (newer ICM-206xx: 4 to 500). Returns the rate that was set, the
    nearest of RM register 30, or that a divider gives. The samples lie in the output
    registers (MPU6500.read_into). Raises ValueError for another rate or on an MPU-6050,
    OSError of the bus.
    """
    register, code, rate_hz = _rate(imu, rate_hz)
    imu.write(_FIFO_EN, 0x00)
    _cycle(imu, register, code)
    return rate_hz


def wake_on_motion(imu, threshold_mg, rate_hz=31.25):
    """INT goes high, and stays so, when an axis moves from one sample to the next.

    threshold_mg: 4 to 1020, in steps of 4. rate_hz: as in low_power_accel; a slow
    rate notices slow movements. INT falls when moved() is called. Returns
    (threshold_mg, rate_hz) as set. Raises ValueError for others or on an
    MPU-6050, OSError of the bus. The order is that of PS figure 8.
    """
    if not 4 <= threshold_mg <= 1020:
        raise ValueError("threshold_mg must be from 4 to 1020, not %r" % (threshold_mg,))
    register, code, rate_hz = _rate(imu, rate_hz)
    steps = round(threshold_mg / 4)
    write = imu.write
    write(_FIFO_EN, 0x00)
    write(_PWR_MGMT_1, 0x01)
    write(_PWR_MGMT_2, 0x07)
    write(_ACCEL_CONFIG2, 0x01)
    # Latched: a pulse of 50 us would not wake a board from deep sleep.
    write(_INT_PIN_CFG, _LATCH_INT_EN)
    write(_ACCEL_INTEL_CTRL, 0xC0)
    if imu.identity in _NEWER:
        for axis in range(3):
            write(_WOM_X_THR + axis, steps)
    else:
        write(_WOM_THR, steps)
    _cycle(imu, register, code)
    # Last, and after a look at the status, so that no movement of before counts.
    imu.read(_INT_STATUS)
    write(_INT_ENABLE, _wom_bits(imu))
    return 4 * steps, rate_hz


def moved(imu):
    """Whether wake-on-motion has fired since the last call; releases INT. Raises OSError."""
    return bool(imu.read(_INT_STATUS) & _wom_bits(imu))


def _wom_bits(imu):
    return _WOM_6500 if imu.kind == mpu_family.MPU6500 else _WOM_ICM


def _rate(imu, rate_hz):
    """(register, its value, the rate that it sets) for the rate nearest to rate_hz."""
    if imu.kind == mpu_family.MPU6050:
        raise ValueError("%s has other saving modes than an MPU6500" % imu)
    least_hz = 4 if imu.identity in _NEWER else 0.24
    if not isinstance(rate_hz, (int, float)) or not least_hz <= rate_hz <= 500:
        raise ValueError("rate_hz must be from %g to 500, not %r" % (least_hz, rate_hz))
    if imu.identity in _NEWER:
        divider = round(1000 / rate_hz)
        return _SMPLRT_DIV, divider - 1, 1000 / divider
    wanted = rate_hz * 100
    best = 0
    for code in range(12):
        if abs(_ODR_CENTI_HZ[code] - wanted) < abs(_ODR_CENTI_HZ[best] - wanted):
            best = code
    return _LP_ACCEL_ODR, best, _ODR_CENTI_HZ[best] / 100


def _cycle(imu, register, code):
    write = imu.write
    write(_PWR_MGMT_2, 0x07)
    write(register, code)
    write(_PWR_MGMT_1, 0x20)  # CYCLE; the gyroscope's PLL is off, so the internal clock
