"""The commands `calibrate` and `self_test`: the sensor at rest, with sampling paused."""

import asyncio
import json

from drivers.fifo_sums import sum_frames
from ops.files import CALIBRATION, write_atomically
from sensing.calibration import Calibration, SixPositions, gyro_bias_mdps

_POSITIONS = "positions.json"  # sides measured so far
_READINGS = 200
_STILL_DPS = 5  # with a larger spread the board was not still


async def calibrate(imu, sampling):
    """Measure the gyroscope's bias and keep it; it acts after a restart.

    If a side lies flat it is noted as well; once all six have been, in any order and
    with restarts between them, the accelerometer's offset and scale are known, too.
    sampling: Pausable, paused meanwhile. Returns the command's result. Raises ValueError
    if the board was moved, OSError of the bus.
    """
    sums = [0] * 18
    sampling.pause()
    try:
        imu.start_fifo()
        await _follow(sum_frames(imu, _READINGS, sums))
        sensor = imu.fingerprint()
        centi_c = imu.centi_c()
    finally:
        sampling.resume()
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
    six = SixPositions(imu.accel_lsb_per_g, _sides(sensor))
    try:
        side = six.add([s / _READINGS for s in sums[:3]])
    except ValueError:  # it does not lie flat, which the gyroscope does not mind
        side = ""
    answer = {"gyro_bias_mdps": list(bias), "centi_c": centi_c, "side": side}
    missing = six.missing
    if side and not missing:
        offset, scale = six.solve()
    Calibration(sensor, bias, offset, scale, centi_c).save(CALIBRATION)
    if not missing:
        _keep_sides({})
        answer["accel_offset_ug"] = list(offset)
        answer["accel_scale_ppm"] = list(scale)
    elif side:
        _keep_sides({"sensor": sensor, "seen": six.seen})
    answer["missing"] = missing
    return answer


def _sides(sensor):
    """The sides of this sensor that were measured before."""
    try:
        with open(_POSITIONS) as file:
            kept = json.load(file)
        if kept["sensor"] == sensor:
            return {side: float(g) for side, g in kept["seen"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # none, torn, or of another kind: they are measured again
    return {}


def _keep_sides(kept):
    write_atomically(_POSITIONS, json.dumps(kept))


async def self_test(imu, sampling):
    """Let the sensor push its own masses. Raises OSError of the bus."""
    sampling.pause()
    try:
        test = imu.make_self_test()
        await _follow(test.run())
    finally:
        sampling.resume()  # which finds the sensor reset, and sets it up again
    return {
        "passed": test.passed,
        "text": test.text,
        "ratios_percent": [round(100 * ratio) for ratio in test.ratios],
    }


async def _follow(steps):
    for wait_ms in steps:
        await asyncio.sleep_ms(wait_ms)
