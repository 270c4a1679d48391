"""What the sensor really measured and when, for the host to compare with."""
from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray


class GroundTruth:
    """Every tick of the sample clock from the first frame in the FIFO on.

    times_us: array('d'), the board's time. restarts: the numbers of ticks after
    which the sample clock was restarted (reset, sleep, another rate): between
    two ticks around such a place lies no whole number of periods. Ticks while
    nothing feeds the FIFO after a restart are not noted.
    """

    def __init__(self) -> None:
        self.times_us = array("d")
        self.restarts: list[int] = []
        self.following = False
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self.times_us)

    def note(self, time_us: float, row: bytes) -> None:
        """A tick; row: ax ay az gx gy gz, big-endian."""
        self.times_us.append(time_us)
        self._bytes += row

    def restart(self) -> None:
        if self.following:
            self.following = False
            self.restarts.append(len(self.times_us))

    @property
    def counts(self) -> NDArray[np.int16]:
        """int16 (n, 6)"""
        return np.frombuffer(bytes(self._bytes), ">i2").reshape(-1, 6).astype(np.int16)
