"""The watchdog is fed only while all parts make progress; and when a run is healthy."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const
from ops.uptime import uptime_ms

_WATCHDOG_MS = const(10_000)
_NEVER_MS = const(2_000_000)  # a watchdog cannot be stopped, only be made patient
_LOOK_MS = const(500)
_HEALTHY_MS = const(60_000)


class Health:
    """watchdog: machine.WDT. cause: why this boot was, machine.reset_cause().

    on_stall: called once with a line that names the part which makes no progress.
    on_healthy: called once, a minute after start, if all parts have worked till then.
    """

    def __init__(self, watchdog, cause, on_stall, on_healthy):
        self._watchdog = watchdog
        self._cause = cause
        self._on_stall = on_stall
        self._on_healthy = on_healthy
        self.parts = []
        """Those that are watched; after a sleep, `since` of each is to be set."""
        self._stalled = ""
        self.looks = 0

    def watch(self, name, progress, limit_ms):
        """progress() must return another number at least every limit_ms."""
        self.parts.append(_Part(name, progress, limit_ms))

    async def run(self):
        """Look after the parts forever."""
        wdt = self._watchdog(timeout=_WATCHDOG_MS)
        started = uptime_ms()
        well = False
        while True:
            self.looks += 1
            now = ticks_ms()
            for part in self.parts:
                if part._is_stalled(now) and not self._stalled:
                    # Not fed from here on: the watchdog will reset the board.
                    self._stalled = part.name
                    self._on_stall("watchdog: no progress in %s" % part.name)
            if not self._stalled:
                wdt.feed()
                if not well and uptime_ms() - started > _HEALTHY_MS:
                    well = True
                    self._on_healthy()
            await asyncio.sleep_ms(_LOOK_MS)

    def counters(self, into):
        into["reset_cause"] = self._cause

    def relax(self):
        """Nobody feeds it from here on: leave the board in peace for half an hour."""
        try:
            self._watchdog(timeout=_NEVER_MS)
        except (ValueError, OSError):
            pass  # a port whose watchdog keeps its time


class _Part:
    def __init__(self, name, progress, limit_ms):
        self.name = name
        self._progress = progress
        self._limit_ms = limit_ms
        self._last = None
        self.since = ticks_ms()

    def _is_stalled(self, now):
        value = self._progress()
        if value != self._last:
            self._last = value
            self.since = now
        return ticks_diff(now, self.since) > self._limit_ms
