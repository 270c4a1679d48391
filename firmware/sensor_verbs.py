"""The commands `calibrate` and `self_test`: the sensor at rest, with sampling paused."""

import asyncio

from drivers.calibration import Calibration, fingerprint, gyro_bias_mdps
from drivers.mpu_selftest import SelfTest, mean

CALIBRATION = "calibration.json"  # app.py loads it
_READINGS = 200
_STILL_DPS = 5  # a spread beyond this is no rest


async def calibrate(app):
    """Measure the gyroscope's bias and keep it; the board then starts anew with it.

    Raises ValueError if the board was moved, OSError of the bus.
    """
    imu = app.imu
    sums = [0] * 18
    app.sampling.pause()
    try:
        imu.start_fifo()
        await _follow(mean(imu, _READINGS, sums))
        sensor = fingerprint(imu)
        centi_c = imu.centi_c()
    finally:
        app.sampling.resume()
    for axis in (3, 4, 5):
        spread = (sums[12 + axis] - sums[6 + axis]) * 10 // imu.gyro_lsb_per_10_dps
        if spread > _STILL_DPS:
            raise ValueError("it moved by %d deg/s; keep the board still" % spread)
    bias = gyro_bias_mdps(sums, _READINGS, imu.gyro_lsb_per_10_dps)
    offset = scale = (0, 0, 0)
    try:
        known = Calibration.load(CALIBRATION, sensor)
        offset, scale = known.accel_offset_ug, known.accel_scale_ppm
    except (OSError, ValueError):
        pass  # the first one, or of another sensor
    Calibration(sensor, bias, offset, scale, centi_c).save(CALIBRATION)
    return {"gyro_bias_mdps": list(bias), "centi_c": centi_c, "after": app.restart}


async def self_test(app):
    """Let the sensor push its own masses. Raises OSError of the bus."""
    app.sampling.pause()
    try:
        test = SelfTest(app.imu.bus, app.settings.imu_address)
        await _follow(test.run())
    finally:
        app.sampling.resume()  # which finds the sensor reset, and sets it up again
    return {
        "passed": test.passed,
        "text": test.text,
        "ratios_percent": [round(100 * ratio) for ratio in test.ratios],
    }


async def _follow(steps):
    for wait_ms in steps:
        await asyncio.sleep_ms(wait_ms)
