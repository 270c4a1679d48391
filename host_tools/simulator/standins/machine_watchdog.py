"""The watchdog of the stand-in for `machine`."""

import board_clock as clock
import machine
from micropython import const

_before = clock.idle
_WDT_STATUS = const(43)  # the process's exit status that tells the host


_timeout_us = 0
_due_us = -1  # when it bites; -1: there is none


class WDT:
    """Resets the board when it is not fed; cannot be stopped. There is only one: another one
    that is made changes its time.
    """

    def __init__(self, id=0, timeout=5000):
        global _timeout_us
        _timeout_us = timeout * 1000
        self.feed()

    def feed(self):
        global _due_us
        _due_us = clock.now_us() + _timeout_us


def _check():
    _before()
    if 0 <= _due_us < clock.now_us():
        machine.exit(_WDT_STATUS)


clock.idle = _check  # not in WDT: what has put itself in front since then must stay
