"""The simulated board's clock, which `time`, `select` and `machine` here share.

Board time runs `speed` times as fast as the computer's. Above 1 it never gets
more than _AHEAD_US past the last turn of the event loop, so a computer that
cannot keep up makes the run slower and loses no sample. Integers only:
a float would be allocated, and the firmware reads the clock with its heap
locked.
"""

from micropython import const

_AHEAD_US = const(10_000)

real_ticks_us = None  # the interpreter's own, set by power_on.py
real_sleep_us = None

_speed_milli = 1000
_last_real_us = 0
_board_us = 0
_rest = 0  # thousandths of a microsecond not yet counted
_limit_us = -1  # -1: none, board time is real time


interrupt_us = -1  # when a pin's interrupt may come, so that no wait is longer; -1: never


def idle():
    """Runs in each turn of a wait; watchdog and pin interrupts put themselves in front."""


def start(speed_milli):
    """Begin at board time 0; speed_milli: thousandths of real speed, at least 1."""
    global _speed_milli, _last_real_us, _limit_us
    _speed_milli = speed_milli
    _last_real_us = real_ticks_us()
    _limit_us = _AHEAD_US if speed_milli > 1000 else -1


def now_us():
    """Microseconds since power-on. Never goes back."""
    global _last_real_us, _board_us, _rest
    real_us = real_ticks_us()
    passed = (real_us - _last_real_us) * _speed_milli + _rest
    _last_real_us = real_us
    _rest = passed % 1000
    _board_us += passed // 1000
    if 0 <= _limit_us < _board_us:
        _board_us = _limit_us
    return _board_us


def took(began_us, most_us):
    """Something that began then is over, and takes a board most_us. Above real speed the
    computer's own time for it would be many times as long.
    """
    global _board_us
    now_us()
    if _limit_us >= 0:
        _board_us = min(_board_us, began_us + most_us)


def asleep(us):
    """The board sleeps for us: above real speed the computer does not wait for that."""
    global _board_us, _limit_us
    if _limit_us < 0:
        sleep_us(us)
    else:
        _board_us = now_us() + us
        _limit_us = _board_us + _AHEAD_US


def allow(us):
    """The event loop turns: let board time run on by us from here."""
    global _limit_us
    if _limit_us >= 0:
        _limit_us = now_us() + max(us, _AHEAD_US)


def real_us_for(us):
    """How long the computer takes for us of board time, at most up to an interrupt."""
    if interrupt_us >= 0:
        us = max(0, min(us, interrupt_us - now_us()))
    return us * 1000 // _speed_milli


def sleep_us(us):
    """Block for us of board time, as a busy program on a board would."""
    end_us = now_us() + us
    while True:
        left_us = end_us - now_us()
        if left_us <= 0:
            return
        allow(left_us)
        real_sleep_us(max(1, left_us * 1000 // _speed_milli))
