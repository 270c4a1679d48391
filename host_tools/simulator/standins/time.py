"""Stand-in for `time` as on an ESP32: epoch 2000, whole seconds, ticks that wrap.

Ticks wrap at 2^30 as there, but the milliseconds do it five seconds after
power-on instead of after twelve days, so that each run meets the wrap.
"""

import sys

import board_clock as clock
from micropython import const

_PERIOD = const(0x40000000)
_HALF = const(0x20000000)
_FIRST_TICK_MS = const(0x40000000 - 5000)
_FIRST_TICK_US = const(0x40000000 - 20_000_000)
UNIX_TO_2000_S = 946684800

_wall_offset_us = 0  # the RTC starts at 2000-01-01 and is set by NTP
try:
    with open(sys.argv[1] + "/rtc_time") as _file:  # it ran on in a deep sleep
        _wall_offset_us = int(_file.read())
except OSError:
    pass


def ticks_ms():
    return (clock.now_us() // 1000 + _FIRST_TICK_MS) % _PERIOD


def ticks_us():
    return (clock.now_us() + _FIRST_TICK_US) % _PERIOD


ticks_cpu = ticks_us


def ticks_add(ticks, delta):
    return (ticks + delta) % _PERIOD


def ticks_diff(end, start):
    return (end - start + _HALF) % _PERIOD - _HALF


def sleep(seconds):
    clock.sleep_us(int(seconds * 1_000_000))


def sleep_ms(ms):
    clock.sleep_us(ms * 1000)


def sleep_us(us):
    clock.sleep_us(us)


def time():
    return (clock.now_us() + _wall_offset_us) // 1_000_000


def time_ns():
    return (clock.now_us() + _wall_offset_us) * 1000


def set_wall_time(seconds):
    """What machine.RTC().datetime(...) does to the clock: seconds since 2000."""
    global _wall_offset_us
    _wall_offset_us = (seconds - clock.now_us() // 1_000_000) * 1_000_000


def gmtime(seconds=None):
    return _real.gmtime((time() if seconds is None else seconds) + UNIX_TO_2000_S)[:8]


localtime = gmtime  # the ESP32 knows no time zones


def mktime(fields):
    return int(_real.mktime(tuple(fields[:8]) + (0,))) - UNIX_TO_2000_S


_real = None  # the interpreter's own module, set by power_on.py
