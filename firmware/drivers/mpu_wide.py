"""Frames with the temperature in them, as the ICM-20602 and its like put them into the FIFO."""
import sys

import micropython

if sys.implementation.name == "micropython":

    @micropython.viper
    def squeeze(frames: ptr8, n: int):
        """Make n frames of 14 bytes, ax ay az temperature gx gy gz, 12 bytes each, in place."""
        i = 0
        j = 0
        while n > 0:
            n -= 1
            stop = i + 6
            while i < stop:
                frames[i] = frames[j]
                i += 1
                j += 1
            j += 2
            stop = i + 6
            while i < stop:
                frames[i] = frames[j]
                i += 1
                j += 1

else:  # CPython has no viper; the tests hold the two against each other

    def squeeze(frames, n):
        for k in range(n):
            i = 12 * k
            j = 14 * k
            frames[i : i + 6] = frames[j : j + 6]
            frames[i + 6 : i + 12] = frames[j + 8 : j + 14]
