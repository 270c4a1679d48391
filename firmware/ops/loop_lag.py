"""How late the event loop lets a task run that is due every 20 ms."""

import asyncio
from array import array
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

_PERIOD_MS = const(20)
_BUCKETS = const(64)  # of 1 ms; the last one takes what is later still
_HALVE_AT = const(1 << 28)  # stays a small integer on a 32-bit board


class LoopLag:
    def __init__(self):
        self._late = array("I", bytes(4 * _BUCKETS))
        self._count = 0
        self._max_ms = 0
        self.slept = False  # set by whoever put the board to sleep: it did not lag

    async def run(self):
        """Measure forever."""
        late = self._late
        due = ticks_ms()
        while True:
            due = ticks_add(due, _PERIOD_MS)
            await asyncio.sleep_ms(max(0, ticks_diff(due, ticks_ms())))
            ms = ticks_diff(ticks_ms(), due)
            if self.slept:
                self.slept = False
                due = ticks_ms()
                continue
            if ms > self._max_ms:
                self._max_ms = ms
            late[min(max(ms, 0), _BUCKETS - 1)] += 1
            self._count += 1
            if self._count == _HALVE_AT:
                self._halve()
            if ms > _PERIOD_MS:  # what was missed is not made up for
                due = ticks_ms()

    def _percentile_ms(self, percent):
        """The lateness that so many percent of the turns did not exceed."""
        left = self._count * percent // 100
        for ms in range(_BUCKETS):
            left -= self._late[ms]
            if left < 0:
                return ms
        return 0

    def counters(self, into):
        into["lag_ms_p99"] = self._percentile_ms(99)
        into["lag_ms_max"] = self._max_ms

    def _halve(self):
        self._count = 0
        for ms in range(_BUCKETS):
            self._late[ms] >>= 1
            self._count += self._late[ms]
