"""The watchdog of the stand-in for `machine`."""

import board_clock as clock
import machine
from micropython import const

_before = clock.idle
_WDT_STATUS = const(43)  # the process's exit status that tells the host


class WDT:
    """Resets the board when it is not fed; cannot be stopped, as there."""

    def __init__(self, id=0, timeout=5000):
        self._timeout_us = timeout * 1000
        self.feed()
        clock.idle = self._check

    def feed(self):
        self._due_us = clock.now_us() + self._timeout_us

    def _check(self):
        _before()
        if clock.now_us() > self._due_us:
            machine.exit(_WDT_STATUS)
