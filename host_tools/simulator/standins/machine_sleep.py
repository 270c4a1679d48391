"""Sleep of the stand-in for `machine`: light and deep, and what wakes the board.

The file int39 beside the stand-ins says that GPIO 39 is wired to the sensor's INT. In deep
sleep it is the host that waits (host_tools/simulator/asleep.py): the process ends, and the file
`deepsleep` says what wakes the board. Each light sleep is a line in the file `asleep`.
"""

import os
import sys

import board_clock as clock
import machine
from micropython import const

TIMER_WAKE = 4  # ESP_SLEEP_WAKEUP_TIMER
_DEEP_STATUS = const(46)  # the process's exit status that tells the host
_OP_NEXT = const(5)  # as in wire.py
_LOOK_US = const(10_000)
_PIN_WAKE = const(2)  # ESP_SLEEP_WAKEUP_EXT0

wake_pin = -1  # set by esp32.wake_on_ext0()
wake_level = 1
_reason = 0
_bus = machine.I2C(0)


def int_level():
    """Level of the sensor's INT."""
    _bus._transact(_OP_NEXT, 0, 0, 0, None, None)
    return _bus._response[4]


def _awakened():
    if wake_pin < 0:
        return False
    try:
        os.stat("%s/int%d" % (sys.argv[1], wake_pin))
    except OSError:
        return False  # not wired
    return int_level() == wake_level


def lightsleep(ms=0):
    """Until the wake pin has its level, or for ms; 0: only the pin ends it."""
    global _reason
    began_us = now_us = clock.now_us()
    while True:
        if _awakened():
            _reason = _PIN_WAKE
            break
        left_us = _LOOK_US if not ms else began_us + ms * 1000 - now_us
        if left_us <= 0:
            _reason = TIMER_WAKE
            break
        clock.asleep(min(left_us, _LOOK_US))
        now_us = clock.now_us()
    with open(sys.argv[1] + "/asleep", "a") as file:
        file.write("%d %d\n" % (began_us, now_us))


def deepsleep(ms=0):
    import time

    with open(sys.argv[1] + "/deepsleep", "w") as file:
        file.write("%d %d %d %d" % (ms, wake_pin, wake_level, time.time_ns() // 1000))
    machine.exit(_DEEP_STATUS)


def wake_reason():
    if not _reason:
        try:
            with open(sys.argv[1] + "/wake") as file:
                return int(file.read())
        except OSError:
            pass
    return _reason
