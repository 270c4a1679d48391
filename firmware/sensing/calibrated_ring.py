"""Calibration of the sensor that is there, in front of the ring. Loaded if there is a file."""

import time

from sensing.calibration import Calibration, Corrected, fingerprint


def corrected(ring, imu, path):
    """A ring for the sampler that takes the calibration in `path` off each frame.

    The plain ring if the file is damaged or from another sensor, or no sensor answers:
    gestures are then recognised as before there was one. Takes a fifth of a second.
    """
    try:
        for wait_ms in imu.bring_up():
            time.sleep_ms(wait_ms)
        return Corrected(ring, Calibration.load(path, fingerprint(imu)), imu)
    except (OSError, ValueError) as fault:
        print("beckon: not calibrated:", fault)
        return ring
