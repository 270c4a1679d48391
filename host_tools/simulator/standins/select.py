"""Stand-in for `select`: waits in board time and lets the board's clock run on.

asyncio's event loop waits here and nowhere else, so this is also where a Ctrl-C
on the simulated board's console (its standard input) is noticed.
"""

import sys

import board_clock as clock
from micropython import const

POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16

_LONGEST_REAL_MS = const(20)  # how late a Ctrl-C may be noticed
_CTRL_C = const(3)
_TYPED_AHEAD = const(260)  # bytes, the size of an ESP32's input buffer

_real = None  # the interpreter's own module
_console = None
radio = None  # network_delays, once it is wanted
_typed = bytearray(1)
typed_ahead = []  # what else is typed waits here for the REPL (console.py), as in a board


def start(real):
    """real: the interpreter's own module."""
    global _real, _console
    _real = real
    _console = real.poll()
    _console.register(sys.stdin, POLLIN)


def _check_console():
    for _ in _console.ipoll(0):
        if not sys.stdin.buffer.readinto(_typed):
            sys.exit("the host is gone")
        if _typed[0] == _CTRL_C:
            raise KeyboardInterrupt
        if len(typed_ahead) < _TYPED_AHEAD:
            typed_ahead.append(_typed[0])


class poll:
    def __init__(self):
        self._poller = _real.poll()
        self._count = 0

    def register(self, stream, eventmask=POLLIN | POLLOUT):
        self._count += 1
        if radio:
            radio.register(stream, eventmask)
        self._poller.register(stream, eventmask)

    def unregister(self, stream):
        self._count -= 1
        self._poller.unregister(stream)

    def modify(self, stream, eventmask):
        if radio and eventmask & POLLOUT:
            radio.wake()
        self._poller.modify(stream, eventmask)

    def poll(self, timeout=-1, flags=0):
        self._wait(timeout)
        return self._poller.poll(0, flags)

    def ipoll(self, timeout=-1, flags=0):
        self._wait(timeout)
        if radio:
            return radio.heard(self._poller.poll(0))
        return self._poller.ipoll(0, flags)

    def _wait(self, timeout):
        """Return when a stream is ready or timeout (ms) of board time are over."""
        end_us = clock.now_us() + timeout * 1000
        while True:
            _check_console()
            left_us = end_us - clock.now_us() if timeout >= 0 else 1_000_000_000
            clock.allow(left_us)
            if left_us <= 0:
                return
            real_us = clock.real_us_for(left_us)
            real_ms = min(real_us // 1000, _LONGEST_REAL_MS)
            if self._count:
                for _, event, *_ in self._poller.ipoll(real_ms):
                    if not radio or event & ~POLLIN or radio.hears():
                        return
                    clock.real_sleep_us(200)
            if real_ms == 0 or not self._count:
                clock.real_sleep_us(min(real_us + 1, 1000))
            clock.idle()
