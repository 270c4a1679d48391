"""Milliseconds since start, which do not wrap as ticks_ms() does."""

from time import ticks_diff, ticks_ms

_ticks = ticks_ms()
_ms = 0


def uptime_ms():
    """Must be called at least every six days, which the diagnostics do."""
    global _ticks, _ms
    now = ticks_ms()
    _ms += ticks_diff(now, _ticks)
    _ticks = now
    return _ms
