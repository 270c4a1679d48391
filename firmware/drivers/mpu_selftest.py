"""The factory self-test: the sensor pushes its own masses and compares.

    test = imu.make_self_test()
    for wait_ms in test.run():      # a task awaits instead of sleeping
        time.sleep_ms(wait_ms)
    test.passed, test.text

Procedure and limits of AN-MPU-9250A-03, whose part has the same core. Lay the
board still: 2.5 degrees or 0.2 m/s spoil the result.
"""
from micropython import const

from drivers import mpu_family
from drivers.fifo_sums import sum_frames

_READINGS = const(200)
_SETTLE_MS = const(20)
_SELF_TEST_X_GYRO = const(0x00)
_SELF_TEST_X_ACCEL = const(0x0D)
_MOVED_DPS = const(5)  # spread of the readings above which the board was not still

SETTINGS = {"accel_g": 2, "gyro_dps": 250, "rate_hz": 1000, "bandwidth_hz": 92}
"""What the procedure wants of the sensor."""

_AXES = ("ax", "ay", "az", "gx", "gy", "gz")


class SelfTest:
    """imu: an MPU6500 with SETTINGS. The sensor is reset; bring it up again afterwards.

    After run(): `passed`, `text` (one line, why not), `ratios` (six: the response over
    what the factory noted, in the order ax ay az gx gy gz; response in g and deg/s
    where the factory noted nothing), `noise` (six: peak to peak at rest, in mg and
    mdps).
    """

    def __init__(self, imu):
        self.imu = imu
        self.passed = False
        self.text = "the self-test did not run"
        self.ratios = []
        self.noise = []

    def run(self):
        """Yields the milliseconds to wait. Raises OSError of the bus."""
        imu = self.imu
        yield from imu.bring_up()
        if imu.kind != mpu_family.MPU6500:
            self.text = "%s: another self-test than an MPU6500's, not supported" % imu
            return
        rest = [0] * 18
        pushed = [0] * 18
        imu.start_fifo()
        yield from sum_frames(imu, _READINGS, rest)
        imu.push_masses(True)
        yield _SETTLE_MS
        imu.start_fifo()
        yield from sum_frames(imu, _READINGS, pushed)
        imu.push_masses(False)
        yield _SETTLE_MS
        self._judge(rest, pushed)

    def _judge(self, rest, pushed):
        imu = self.imu
        self.ratios = []
        self.noise = []
        faults = []
        for i in range(6):
            gyro = i >= 3
            lsb = imu.gyro_lsb_per_10_dps / 10 if gyro else imu.accel_lsb_per_g
            spread = (rest[12 + i] - rest[6 + i]) / lsb
            self.noise.append(round(spread * 1000))
            if gyro and spread > _MOVED_DPS:
                faults.append("%s moved by %d deg/s: keep the board still" % (_AXES[i], spread))
            offset = rest[i] / _READINGS / lsb
            if gyro and abs(offset) > 20:
                faults.append("%s reads %d deg/s at rest, more than 20" % (_AXES[i], offset))
            response = (pushed[i] - rest[i]) / _READINGS
            code = imu.read(_SELF_TEST_X_GYRO + i - 3 if gyro else _SELF_TEST_X_ACCEL + i)
            if code:
                ratio = response / (2620 * 1.01 ** (code - 1))
                self.ratios.append(ratio)
                if ratio <= 0.5 or (not gyro and ratio >= 1.5):
                    faults.append("%s answers with %d %% of the factory's value"
                                  % (_AXES[i], round(100 * ratio)))
            else:
                response = abs(response / lsb)
                self.ratios.append(response)
                if response < (60 if gyro else 0.225) or (not gyro and response > 0.675):
                    faults.append("%s answers with %.3g %s"
                                  % (_AXES[i], response, "deg/s" if gyro else "g"))
        self.passed = not faults
        self.text = "; ".join(faults) or "all six axes answer as at the factory"
