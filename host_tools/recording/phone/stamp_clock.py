"""Which sample period each sample belongs to, where every sample bears the sender's time. Pure.

    clock = StampClock(rate_hz)
    index = clock.feed(stamps_s, now_s)       # -1 for a sample that is refused

Stamps jitter by a part of a period: browsers stamp an event when they hand it on. So each
sample is counted as one, and a gap begins only where a stamp comes at least _LOST periods after
the one before. The phase follows the stamps slowly, so that a rate that is a little off does not
add up to a false gap.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from host_tools.errors import BeckonError

LEAST_HZ = 45.0
_LOST = 1.75  # periods from one sample to the next: at least one is missing
_FOLLOW = 0.1  # of the phase error per sample
_BREAK_S = 0.1  # the least gap where the sender's time means nothing: no window spans it
_JUMP_S = 2.0  # further ahead of the real time than this, the sender's clock has been set
_RECENT = 120  # steps that show the rate now
_OTHER_RATE = 0.15
_REFINE_S = 5.0


def measure(stamps_s: np.ndarray) -> float:
    """Samples per second of stamps (n,) in seconds; lost samples count. Raises BeckonError."""
    steps = np.diff(stamps_s)
    steps = steps[steps > 0]
    if len(steps) < 10:
        raise BeckonError("the phone sends hardly any samples, or its time stamps do not "
                          "advance: restart its browser or app")
    usual = float(np.median(steps))
    periods = np.maximum(1, np.floor(steps / usual + 2 - _LOST))
    return float(periods.sum() / steps.sum())


def check_rate(rate_hz: float, who: str) -> None:
    """Raises BeckonError below LEAST_HZ."""
    if rate_hz < LEAST_HZ:
        raise BeckonError("{who} sends {rate_hz:.1f} samples per second, fewer than {least_hz:g}: "
                          "turn off its low-power mode, close other apps and tabs, or use another "
                          "browser or app", who=who, rate_hz=rate_hz, least_hz=LEAST_HZ)


class StampClock:
    """rate_hz: samples per second, as measured before. who: the sender, for messages.

    lost, breaks, refused: sample periods without a sample; times that the sender's clock or
    page started again; samples whose stamp repeats the one before.
    """

    def __init__(self, rate_hz: float, who: str = "the phone"):
        self._nominal_hz = rate_hz
        self._who = who
        self._period_s = 1 / rate_hz
        self._phase_s = 0.0  # when the last sample was due, by the sender's clock
        self._stamp_s: float | None = None
        self._heard_s = 0.0
        self._steps: deque[float] = deque(maxlen=_RECENT)
        self._counted = 0
        self._counted_s = 0.0
        self.index = -1
        """Of the last sample."""
        self.lost = self.breaks = self.refused = 0

    @property
    def rate_hz(self) -> float:
        """By the sender's clock, gaps included; the first measurement until it is better."""
        if self._counted_s < _REFINE_S:
            return self._nominal_hz
        return self._counted / self._counted_s

    def feed(self, stamps_s: np.ndarray, now_s: float, restarted: bool = False) -> np.ndarray:
        """int (n,): the index of each sample, -1 for one that is refused.

        stamps_s: (n,) in seconds; now_s: when they came, by this computer's clock. restarted:
        the sender's time does not go on from the samples before. Raises BeckonError when the
        rate has changed.
        """
        found = np.empty(len(stamps_s), int)
        for i, stamp_s in enumerate(stamps_s.tolist()):
            found[i] = self._place(stamp_s, now_s, restarted and i == 0)
        self._heard_s = now_s
        self._check_rate()
        return found

    def _place(self, stamp_s: float, now_s: float, restarted: bool) -> int:
        if self._stamp_s is None:
            self.index = 0
        else:
            step_s = stamp_s - self._stamp_s
            if step_s == 0 and not restarted:
                self.refused += 1
                return -1
            jumped = step_s < 0 or step_s > now_s - self._heard_s + _JUMP_S
            if restarted or jumped:
                self._break(now_s)
            else:
                self._advance(stamp_s, step_s)
                self._stamp_s = stamp_s
                return self.index
        self._stamp_s = self._phase_s = stamp_s
        return self.index

    def _break(self, now_s: float) -> None:
        """The sender's time tells nothing; this computer's tells how long it was silent."""
        silent_s = max(_BREAK_S, now_s - self._heard_s)
        lost = int(np.ceil(silent_s / self._period_s))
        self.breaks += 1
        self.lost += lost
        self.index += 1 + lost

    def _advance(self, stamp_s: float, step_s: float) -> None:
        periods = max(1, int((stamp_s - self._phase_s) / self._period_s + 2 - _LOST))
        self.lost += periods - 1
        self.index += periods
        due_s = self._phase_s + periods * self._period_s
        error_s = stamp_s - due_s
        near = periods == 1 and abs(error_s) < self._period_s
        self._phase_s = due_s + _FOLLOW * error_s if near else stamp_s
        self._steps.append(step_s)
        self._counted += periods
        self._counted_s += step_s

    def _check_rate(self) -> None:
        if len(self._steps) < _RECENT:
            return
        now_hz = 1 / float(np.median(self._steps))
        if abs(now_hz / self._nominal_hz - 1) <= _OTHER_RATE:
            return
        now_hz = 1 / float(np.median(list(self._steps)[-_RECENT // 4 :]))
        check_rate(now_hz, self._who)
        raise BeckonError("{who} changed its rate from {nominal_hz:.0f} to {now_hz:.0f} samples "
                          "per second: connect it again", who=self._who,
                          nominal_hz=self._nominal_hz, now_hz=now_hz)
