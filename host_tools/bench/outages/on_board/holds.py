"""MicroPython side: how long each turn of the event loop holds it, and whose time that is.

A turn begins when the loop comes back from waiting and ends when it waits again: one task
runs to its next await. Besides its length by the clock three things are taken. The time in
bus transactions: on the simulated board these wait for another process of the computer.
The time on the processor. And whether the program ever gave up the processor of its own accord,
as it does to wait for a file: if not, then what it did not spend on the processor was
taken from it by the computer's other programs.

So a turn's own time is that on the processor, and at most what is not the bus's. If
the program did wait of its own accord, it is all of that.
"""

import select
import struct

import ffi
import machine
from time import ticks_diff, ticks_us

# struct rusage of 64-bit Linux: two struct timeval, 14 long
_usage = ffi.open(None).func("i", "getrusage", "ip")
_USAGE_BYTES = 144
_WAITS_AT = 128  # ru_nvcsw, voluntary context switches
_MOST_US = 20_000


class Turn:
    """One turn of the loop; times in us."""

    def __init__(self):
        self.clock = self.bus = self.processor = 0
        self.waited = False

    def own(self):
        own = self.clock - self.bus
        return own if self.waited else min(own, self.processor)


class Holds:
    """Watches the event loop from when it is made."""

    def __init__(self):
        self.longest = self.longest_own = Turn()
        self.turns = self.long = self.long_own = 0
        self._usage = bytearray(_USAGE_BYTES)
        self._start = -1
        self._start_cpu = self._start_waits = 0
        self._bus_us = self._bus_waits = 0
        self._watch_bus()
        self._watch_loop()

    def counters(self, into):
        into["turns"] = self.turns
        into["turns_over_20_ms"] = self.long
        into["turns_over_20_ms_own"] = self.long_own
        into["turn_us_max"] = self.longest.clock
        into["turn_us_max_bus"] = self.longest.bus
        into["turn_us_max_processor"] = self.longest.processor
        into["turn_us_max_own"] = self.longest_own.own()

    def _now(self):
        """(us on the processor, how often it was given away)"""
        _usage(0, self._usage)
        user_s, user_us, system_s, system_us = struct.unpack_from("<qqqq", self._usage, 0)
        (waits,) = struct.unpack_from("<q", self._usage, _WAITS_AT)
        return (user_s + system_s) * 1_000_000 + user_us + system_us, waits

    def _watch_loop(self):
        wait = select.poll.ipoll

        def ipoll(poll, timeout=-1, flags=0):
            if self._start >= 0:
                self._end()
            self._start = -1  # until the wait is over, which a Ctrl-C may end
            ready = wait(poll, timeout, flags)
            self._bus_us = self._bus_waits = 0
            self._start_cpu, self._start_waits = self._now()
            self._start = ticks_us()
            return ready

        select.poll.ipoll = ipoll

    def _end(self):
        turn = Turn()
        turn.clock = ticks_diff(ticks_us(), self._start)
        cpu, waits = self._now()
        turn.bus = self._bus_us
        turn.processor = cpu - self._start_cpu
        turn.waited = waits - self._start_waits > self._bus_waits
        self.turns += 1
        self.long += turn.clock > _MOST_US
        self.long_own += turn.own() > _MOST_US
        if turn.clock > self.longest.clock:
            self.longest = turn
        if turn.own() > self.longest_own.own():
            self.longest_own = turn

    def _watch_bus(self):
        for name in ("readfrom_mem_into", "readfrom_mem", "writeto_mem"):
            setattr(machine.I2C, name, self._timed(getattr(machine.I2C, name)))

    def _timed(self, transact):
        def timed(bus, *args):
            start = ticks_us()
            waits = self._now()[1]
            try:
                return transact(bus, *args)
            finally:
                self._bus_us += ticks_diff(ticks_us(), start)
                self._bus_waits += self._now()[1] - waits

        return timed
