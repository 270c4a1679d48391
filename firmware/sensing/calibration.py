"""What is off with one sensor, measured at rest and kept in a file.

    six = SixPositions(imu.accel_lsb_per_g)          # the board on each of its sides
    ...
    calibration.save("calibration.json")

Integers throughout: millidegrees per second, micro-g, millionths. A file belongs to
one sensor, known by what its factory wrote into it.
"""
import json

from ops.files import write_atomically

# name: the greatest that a part inside its data sheet needs, with as much again (PS tables 1, 2)
_LIMITS = {
    "gyro_bias_mdps": 20_000,
    "accel_offset_ug": 200_000,
    "accel_scale_ppm": 100_000,
}

_SIDES = ("+x", "-x", "+y", "-y", "+z", "-z")


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
        write_atomically(path, json.dumps(entries))

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
            raise ValueError("%s is not a calibration: %s; calibrate again" % (path, fault))
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
