"""What is off with one sensor, measured at rest, kept in a file, taken off its frames.

    six = SixPositions(imu.accel_lsb_per_g)          # the board on each of its sides
    ...
    calibration.save("calibration.json")
    ring_of_sampler = Corrected(ring, calibration, imu)

Integers throughout: millidegrees per second, micro-g, millionths. A file belongs to
one sensor, known by what its factory wrote into it.
"""
import json
import os
import sys
from array import array

import micropython
from micropython import const

_SELF_TEST_X_GYRO = const(0x00)
_SELF_TEST_X_ACCEL = const(0x0D)
_XA_OFFSET_H = const(0x77)
_ONE = const(1 << 14)  # a scale of 1 in the correction table

# name: the greatest that a part inside its data sheet needs, with as much again (PS tables 1, 2)
_LIMITS = {
    "gyro_bias_mdps": 20_000,
    "accel_offset_ug": 200_000,
    "accel_scale_ppm": 100_000,
}

_SIDES = ("+x", "-x", "+y", "-y", "+z", "-z")


def fingerprint(imu):
    """Text that tells this sensor from another of its kind. Raises OSError.

    The part has no serial number, but its factory notes the answers to the
    self-test and trims the accelerometer: 12 bytes that no two parts share in practice.
    """
    out = "%02x" % imu.identity
    for register in range(_SELF_TEST_X_GYRO, _SELF_TEST_X_GYRO + 3):
        out += "%02x" % imu.read(register)
    for register in range(_SELF_TEST_X_ACCEL, _SELF_TEST_X_ACCEL + 3):
        out += "%02x" % imu.read(register)
    for register in range(_XA_OFFSET_H, _XA_OFFSET_H + 8, 3):  # the pairs lie 3 apart
        out += "%02x%02x" % (imu.read(register), imu.read(register + 1))
    return out


class Calibration:
    """gyro_bias_mdps, accel_offset_ug: what is read at no rotation and at 0 g, x y z.
    accel_scale_ppm: how much too much 1 g reads. centi_c: the sensor's temperature then.

    Raises ValueError for a value that no working part needs.
    """

    def __init__(
        self,
        sensor,
        gyro_bias_mdps=(0, 0, 0),
        accel_offset_ug=(0, 0, 0),
        accel_scale_ppm=(0, 0, 0),
        centi_c=2500,
    ):
        self.sensor = sensor
        self.gyro_bias_mdps = gyro_bias_mdps
        self.accel_offset_ug = accel_offset_ug
        self.accel_scale_ppm = accel_scale_ppm
        self.centi_c = centi_c
        for name, most in _LIMITS.items():
            values = getattr(self, name)
            if len(values) != 3:
                raise ValueError("%s must be three numbers, not %r" % (name, values))
            for value in values:
                if not isinstance(value, int) or not -most <= value <= most:
                    raise ValueError(
                        "%s must be from -%d to %d, not %r" % (name, most, most, value)
                    )
        if not isinstance(centi_c, int) or not -4000 <= centi_c <= 8500:
            raise ValueError("centi_c must be from -4000 to 8500, not %r" % (centi_c,))

    def save(self, path):
        """Write it beside and put it in place. Raises OSError."""
        entries = self._entries()
        entries["check"] = _check(entries)
        with open(path + ".tmp", "w") as file:
            json.dump(entries, file)
        os.rename(path + ".tmp", path)

    def _entries(self):
        return {
            "sensor": self.sensor,
            "gyro_bias_mdps": list(self.gyro_bias_mdps),
            "accel_offset_ug": list(self.accel_offset_ug),
            "accel_scale_ppm": list(self.accel_scale_ppm),
            "centi_c": self.centi_c,
        }

    @classmethod
    def load(cls, path, sensor):
        """sensor: the fingerprint of the one that is there.

        Raises OSError when there is no such file, ValueError when it is torn, altered,
        or from another sensor.
        """
        with open(path) as file:
            text = file.read()
        try:
            entries = json.loads(text)
            if not isinstance(entries, dict):
                raise ValueError("no object in it")
            check = entries.pop("check")
            self = cls(**entries)
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise ValueError("%s is no calibration: %s; calibrate again" % (path, fault))
        if _check(self._entries()) != check:
            raise ValueError("%s is damaged: its check does not match; calibrate again" % path)
        if self.sensor != sensor:
            raise ValueError(
                "%s is from sensor %s, but this one is %s; calibrate again"
                % (path, self.sensor, sensor)
            )
        return self


def _check(entries):
    """CRC-32 of the entries in a fixed order; MicroPython's dicts have none."""
    text = ""
    for name in sorted(entries):
        text += "%s=%s;" % (name, entries[name])
    import binascii

    return binascii.crc32(text.encode()) & 0xFFFFFFFF


def gyro_bias_mdps(sums, n, gyro_lsb_per_10_dps):
    """Mean rotation at rest, (x, y, z) in mdps; sums: of n frames, six, in counts."""
    return tuple(round(sums[3 + i] * 10_000 / (n * gyro_lsb_per_10_dps)) for i in range(3))


class SixPositions:
    """Gather the mean at rest with each side up, then solve for offset and scale.

    counts_per_g: of the range that the means are in. seen: what another one's `seen` held.
    """

    def __init__(self, counts_per_g, seen=None):
        self._counts_per_g = counts_per_g
        self.seen = seen or {}
        """Side: the g that its axis read when it looked up."""

    @property
    def missing(self):
        """The sides that still have to look up."""
        return [side for side in _SIDES if side not in self.seen]

    def add(self, means):
        """means: ax ay az in counts, at rest. Returns the side that looks up.

        Raises ValueError unless one axis lies within about 15 degrees of the plumb line
        and what is measured is near 1 g.
        """
        g = [m / self._counts_per_g for m in means[:3]]
        axis = max(range(3), key=lambda i: abs(g[i]))
        rest = [g[i] for i in range(3) if i != axis]
        if not 0.8 < abs(g[axis]) < 1.2:
            raise ValueError("1 g is needed at rest, not %.2f g" % abs(g[axis]))
        if max(abs(rest[0]), abs(rest[1])) > 0.26:
            raise ValueError("a side must lie flat: it reads %.2f g across" % max(rest, key=abs))
        side = ("+" if g[axis] > 0 else "-") + "xyz"[axis]
        self.seen[side] = g[axis]
        return side

    def solve(self):
        """(accel_offset_ug, accel_scale_ppm), x y z each.

        Each axis at its best: the tilt that is left, up to 2 degrees, costs 0.06 %.
        Raises ValueError while a side is missing.
        """
        if self.missing:
            raise ValueError("still missing: " + " ".join(self.missing))
        offsets = []
        scales = []
        for axis in "xyz":
            up = self.seen["+" + axis]
            down = self.seen["-" + axis]
            offsets.append(round((up + down) / 2 * 1_000_000))
            scales.append(round(((up - down) / 2 - 1) * 1_000_000))
        return tuple(offsets), tuple(scales)


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


class Corrected:
    """A ring for the sampler that takes a calibration off each frame on its way to `ring`.

    imu: the MPU6500 whose ranges the frames are in.
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
