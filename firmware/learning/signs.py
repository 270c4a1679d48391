"""What the feedback pin says while a gesture is learned, for anyone who sees no display.

Patterns are ms, on and off in turn, as those of feedback/patterns.py.
"""

import asyncio
from array import array

from micropython import const

SHORT = (80,)  # let go of the button; this repetition counts
_LONG = (400,)  # make the gesture now
_TWO = (80, 120, 80)  # this repetition is of no use
_LEARNED = (80, 120, 80, 120, 600)
_REFUSED = (400, 150, 400, 150, 400)

_LOOK_MS = const(20)
_MOST_LOOKS = const(200)


def sign(before, after):
    """The pattern for a change of what `state` says, which before and after are. () is none.

    before may be None. A knock or a weak movement has none: it may come from a motor at the pin.
    """
    phase = after["phase"]
    if phase == "learned":
        return _LEARNED
    if phase == "refused":
        return _REFUSED
    if phase != "repetitions":
        return ()
    if not before or before["phase"] != phase:
        return _LONG
    if after["good"] > before["good"]:
        return SHORT
    unusable = after["unusable"]
    if len(unusable) == len(before["unusable"]) or unusable[-1].endswith(("a knock", "too weak")):
        return ()
    return _TWO


async def over(feedback):
    """Wait until all is played, 4 s at most. feedback: Output."""
    for _ in range(_MOST_LOOKS):
        if not feedback.busy:
            return
        await asyncio.sleep_ms(_LOOK_MS)


def empty(ring):
    """Drop what was sampled meanwhile: a motor at the pin shakes the sensor."""
    row = array("h", bytes(12))
    while ring.read_into(row) >= 0:
        pass
