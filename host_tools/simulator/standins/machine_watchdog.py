"""The watchdog of the stand-in for `machine`."""

import board_clock as clock
import machine
from micropython import const

_before = clock.idle
_WDT_STATUS = const(43)  # the process's exit status that tells the host
_due_us = -1  # when it bites; -1: there is none


class WDT:
    """Resets the board when it is not fed; cannot be stopped, as there."""

    def __init__(self, id=0, timeout=5000):
        self._timeout_us = timeout * 1000
        self.feed()

    def feed(self):
        global _due_us
        _due_us = clock.now_us() + self._timeout_us


def _check():
    _before()
    if 0 <= _due_us < clock.now_us():
        machine.exit(_WDT_STATUS)


clock.idle = _check  # here, not in WDT: what came to it after this module must stay
