"""The timers of the stand-in for `machine`: soft ones, as the program calls them between two steps.

A real one comes between any two bytecodes; these come whenever the program waits.
"""

import board_clock as clock

_wait = clock.idle
_sleep = clock.asleep
_all = []


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id=-1, **options):
        self.id = id
        if options:
            self.init(**options)

    def init(self, *, mode=PERIODIC, period=-1, callback=None):
        self.deinit()
        self._us = period * 1000
        self._mode = mode
        self._callback = callback
        self._due_us = clock.now_us() + self._us
        _all.append(self)

    def deinit(self):
        if self in _all:
            _all.remove(self)


def _call_what_is_due():
    for timer in list(_all):
        if timer in _all and clock.now_us() >= timer._due_us:
            timer._due_us = clock.now_us() + timer._us
            if timer._mode == Timer.ONE_SHOT:
                timer.deinit()
            timer._callback(timer)


def _idle():
    _wait()
    _call_what_is_due()


def _asleep(us):
    _sleep(us)
    _call_what_is_due()


clock.idle = _idle
clock.asleep = _asleep
