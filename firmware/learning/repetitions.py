"""Repetitions of a gesture in the windows of an engine: where each begins and ends. Pure.

The activity of a window says how much the hand moves, in 1/16 of what a resting hand may. A
movement begins when it is clearly more than that, and ends with the first calm window that is
followed by others: calm as share_debouncer.py means it. Time is counted in windows.
"""

from micropython import const

NOTHING = const(0)
INSIDE = const(1)  # the window ends in the middle of a movement
AFTER = const(2)  # it ends after one, so it shows the gesture
REPETITION = const(3)  # it is the last one after a movement, which is over now

_MOVES = const(32)
_CALM = const(16)
_CALM_RATIO = const(16)  # 1/64 of the movement's peak
_WEAK = const(64)
_SHORT_MS = const(200)
_AFTER_MS = const(400)  # of rest make a repetition of a movement


class Repetitions:
    """window_ms: how long a window is. hop_ms: between two windows.

    After REPETITION: `start` and `end` are the numbers of the movement's first window and of
    its first calm one, `peak` its greatest activity, `fault` why it is of no use, or "".
    """

    def __init__(self, window_ms, hop_ms):
        self._hop_ms = hop_ms
        self._longest = (window_ms - _SHORT_MS) // hop_ms
        self._shortest = max(1, _SHORT_MS // hop_ms)
        self.after = max(2, _AFTER_MS // hop_ms)
        self.window = 0  # windows so far
        self.start = self.end = self.peak = 0
        self.fault = ""
        self._calm = -1  # calm windows in a row; -1: no movement
        self._gap = False

    def gap(self):
        """Samples were lost: no window spans them, and a movement is not whole."""
        self._gap = True

    def update(self, activity):
        """Take one window's activity; what the window is."""
        self.window += 1
        if self._calm < 0:
            self._gap = False
            if activity < _MOVES:
                return NOTHING
            self.start = self.window
            self.peak = activity
            self._calm = 0
            return INSIDE
        self.peak = max(self.peak, activity)
        if activity >= max(_CALM, self.peak * _CALM_RATIO >> 6):
            self._calm = 0
            return INSIDE
        if not self._calm:
            self.end = self.window
        self._calm += 1
        if self._calm < self.after:
            return AFTER
        self._calm = -1
        self.fault = self._judged()
        return REPETITION

    def _judged(self):
        length = self.end - self.start
        if self._gap:
            return "samples were lost"
        if length < self._shortest:
            return "too short, a knock"
        if length > self._longest:
            return "longer than the %d ms that the model looks at" % (self._longest * self._hop_ms)
        if self.peak < _WEAK:
            return "too weak"
        return ""
