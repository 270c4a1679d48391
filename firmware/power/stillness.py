"""How long the board has been still, from a look at the sensor now and then. Pure."""

from micropython import const

_WRAP = const(0x3FFFFFFF)  # of ticks_ms()


class Stillness:
    """accel_counts, gyro_counts: an axis that is further than this from where it was at the
    last movement is a movement. So a slow tilt is one, too.
    """

    def __init__(self, accel_counts, gyro_counts):
        self._limits = (accel_counts,) * 3 + (gyro_counts,) * 3
        self._there = [0] * 6
        self._since_ms = 0

    def moved(self, now_ms):
        """Something else says that it is in use."""
        self._since_ms = now_ms

    def update(self, row, now_ms):
        """Take ax ay az gx gy gz, in counts, and ticks_ms(). How many ms it has been still.

        To be called at least every twelve days.
        """
        there = self._there
        for axis in range(6):
            if abs(row[axis] - there[axis]) > self._limits[axis]:
                for i in range(6):
                    there[i] = row[i]
                self._since_ms = now_ms
                break
        return now_ms - self._since_ms & _WRAP
