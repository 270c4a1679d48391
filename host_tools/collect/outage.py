"""What to say of a connection that comes and goes: once that it is lost, once that it is back.

Pure: it is given the time.
"""

_STEADY_S = 3.0  # longer than links last while two fight for one name, see mqtt/connection.py

AWAY = "the broker is away; trying again"
BACK = "the broker is back"
EMPTY = "the broker is back but kept nothing meanwhile: events may be missing"


class Outage:
    """Links that end within _STEADY_S belong to the outage before."""

    def __init__(self) -> None:
        self._away = False  # as it was said
        self._up_s: float | None = None  # since when there is a link again
        self._kept = True

    def link(self, up: bool, kept: bool, now_s: float) -> str:
        """The link has changed: what to say, or "". kept: the broker still had our session."""
        self._up_s = now_s if up else None
        if up:
            self._kept = self._kept and kept
            return ""
        said, self._away = self._away, True
        return "" if said else AWAY

    def look(self, now_s: float) -> str:
        """Call it now and then: what to say, or ""."""
        since_s = self._up_s
        if not self._away or since_s is None or now_s - since_s < _STEADY_S:
            return ""
        kept, self._kept, self._away = self._kept, True, False
        return BACK if kept else EMPTY
