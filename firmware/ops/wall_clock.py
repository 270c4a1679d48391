"""UTC for events, attached to the uptime once a time server has told it. Pure."""

from time import gmtime

# gmtime() counts from 1970 on some ports and from 2000 on others.
_EPOCH_S = 946684800 if gmtime(0)[0] == 2000 else 0


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
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (tuple(t[:6]) + (unix_ms % 1000,))


def fields(unix_ms):
    """Year, month, day, hour, minute, second, weekday (0 is Monday), UTC."""
    return gmtime(unix_ms // 1000 - _EPOCH_S)
