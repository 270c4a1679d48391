"""Sums over the frames of a sensor that lies still."""

from micropython import const

_MOST_STARTS = const(10)


def sum_frames(imu, n, out, squares=None):
    """Sum up n frames of the running FIFO into out[0:6], and the extremes of each axis into
    out[6:12], out[12:18]; yields the milliseconds to wait. squares: if given, six numbers
    to which the squares are added. Raises OSError.

    A program that was busy elsewhere finds the FIFO full: it is started again, and the sums
    go on. Raises OSError, too, if that happens too often.
    """
    starts = 0
    for i in range(6):
        out[i] = 0
        out[6 + i] = 32767
        out[12 + i] = -32768
    bytes_each = imu.fifo_frame
    left = n
    while left:
        yield 1 + min(left, imu.CHUNK_FRAMES) * imu.period_us // 1000
        size = imu.fifo_bytes()
        if size > imu.fifo_size - bytes_each or size % bytes_each:
            if starts == _MOST_STARTS:
                raise OSError("%s: the FIFO ran over again and again" % imu)
            starts += 1
            imu.start_fifo()
            continue
        while size and left:
            k = min(left, imu.CHUNK_FRAMES, size // bytes_each)
            imu.read_fifo(k, -1)
            for frame in range(k):
                for i in range(6):
                    j = 12 * frame + 2 * i
                    v = imu.frames[j] << 8 | imu.frames[j + 1]
                    v -= (v & 0x8000) << 1
                    out[i] += v
                    if squares:
                        squares[i] += v * v
                    out[6 + i] = min(out[6 + i], v)
                    out[12 + i] = max(out[12 + i], v)
            size -= bytes_each * k
            left -= k
