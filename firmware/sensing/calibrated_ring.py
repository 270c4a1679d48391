"""A ring for the sampler that takes the sensor's calibration off each frame.

Loaded if there is a calibration. Integers throughout.
"""

import sys
import time
from array import array

import micropython
from micropython import const

from sensing.calibration import Calibration

_ONE = const(1 << 14)  # a scale of 1 in the correction table


if sys.implementation.name == "micropython":

    @micropython.viper
    def _correct(raw: ptr8, out: ptr8, n: int, table: ptr32):
        """out = (raw - offset) * scale, clipped; table: six scales, six offsets + 32768."""
        i = 0
        while n > 0:
            n -= 1
            axis = 0
            while axis < 6:
                # Plus 32768 on both sides, as ptr32 loads are unsigned on 64-bit ports.
                v = ((raw[i] << 8 | raw[i + 1]) ^ 0x8000) - table[axis + 6]
                v = (v * table[axis] + 8192) >> 14
                if v > 32767:
                    v = 32767
                elif v < -32768:
                    v = -32768
                out[i] = v >> 8
                out[i + 1] = v
                i += 2
                axis += 1

else:  # CPython has no viper; the tests hold the two against each other

    def _correct(raw, out, n, table):
        for k in range(6 * n):
            axis = k % 6
            v = ((raw[2 * k] << 8 | raw[2 * k + 1]) ^ 0x8000) - table[axis + 6]
            v = max(-32768, min(32767, (v * table[axis] + 8192) >> 14))
            out[2 * k] = v >> 8 & 0xFF
            out[2 * k + 1] = v & 0xFF


class CalibratedRing:
    """A ring for the sampler that takes a calibration off each frame on its way to `ring`.

    imu: the driver whose ranges the frames are in.
    """

    def __init__(self, ring, calibration, imu):
        self._ring = ring
        self._out = bytearray(len(imu.frames))
        table = array("i", bytes(48))
        for axis in range(3):
            scale = 1_000_000 + calibration.accel_scale_ppm[axis]
            table[axis] = (_ONE * 1_000_000 + scale // 2) // scale
            offset = calibration.accel_offset_ug[axis] * imu.accel_lsb_per_g / 1_000_000
            table[6 + axis] = 32768 + round(offset)
            bias = calibration.gyro_bias_mdps[axis] * imu.gyro_lsb_per_10_dps / 10_000
            table[3 + axis] = _ONE
            table[9 + axis] = 32768 + round(bias)
        self._table = table
        self.gap = ring.gap

    def push_fifo(self, raw, n):
        """As RingBuffer.push_fifo; at most as many frames as imu.frames holds."""
        _correct(raw, self._out, n, self._table)
        self._ring.push_fifo(self._out, n)


def calibrated(ring, imu, path):
    """(a CalibratedRing with the calibration in `path`, a line about it).

    The plain ring if the file is damaged or from another sensor, or no sensor answers:
    gestures are then recognised as before there was one. Takes a fifth of a second.
    """
    try:
        for wait_ms in imu.bring_up():
            time.sleep_ms(wait_ms)
        return CalibratedRing(ring, Calibration.load(path, imu.fingerprint()), imu), "in use"
    except (OSError, ValueError) as fault:
        print("beckon: not calibrated:", fault)
        return ring, "not used: %s" % fault
