"""UTC for events, attached to the uptime once a time server has given it. Pure."""

from micropython import const

_DAY_S = const(86400)
# Days. 1 March 2000 begins a cycle of 400 years; with the leap day at a year's end, every
# cycle of 100 and of 4 years, but for the last, has the same length.
_TO_MARCH_2000 = const(11017)  # from 1 January 1970
_YEARS_400 = const(146097)
_YEARS_100 = const(36524)
_YEARS_4 = const(1461)


class WallClock:
    def __init__(self):
        self._offset_ms = None
        self.settings = 0
        self.failures = 0

    def set(self, unix_ms, at_ms):
        """It was unix_ms, milliseconds since 1970, at uptime at_ms."""
        self._offset_ms = unix_ms - at_ms
        self.settings += 1

    def unix_ms(self, at_ms):
        """Milliseconds since 1970 at an uptime; 0 while the time is not known."""
        return 0 if self._offset_ms is None else self._offset_ms + at_ms

    def counters(self, into):
        into["clock_set"] = self.settings
        into["clock_failures"] = self.failures


def iso(unix_ms):
    """Milliseconds since 1970 as ISO 8601, or None for 0."""
    if not unix_ms:
        return None
    t = fields(unix_ms)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (t[:6] + (unix_ms % 1000,))


def fields(unix_ms):
    """(year, month, day, hour, minute, second, weekday), UTC; weekday 0 is Monday.

    Not gmtime(): it ends in 2038 or 2068 on 32-bit ports, and a wrong time server must
    not stop the board.
    """
    days, s = divmod(unix_ms // 1000, _DAY_S)
    weekday = (days + 3) % 7  # 1 January 1970 was a Thursday
    cycle, days = divmod(days - _TO_MARCH_2000, _YEARS_400)
    year = 2000 + 400 * cycle
    n = min(days // _YEARS_100, 3)
    year += 100 * n
    days -= n * _YEARS_100
    year += days // _YEARS_4 * 4
    days %= _YEARS_4
    n = min(days // 365, 3)
    year += n
    days -= n * 365
    month = (5 * days + 2) // 153  # from March on, five months have 153 days
    day = days - (153 * month + 2) // 5 + 1
    month += 3
    if month > 12:
        month -= 12
        year += 1
    return year, month, day, s // 3600, s // 60 % 60, s % 60, weekday
