"""Which sample each line belongs to, on a serial line whose samples bear no time. Pure.

    clock = LineClock(rate_hz, now_s)
    for index, lines in clock.feed(new_lines, now_s): ...

Lines come late, in pieces, and after a stall of this computer many at once: as long as
all of them come, counting them gives the time. After a pause in which lines were not
sent, counting does not: then the time that passed says how many were lost. Whether lines
catch up shows only after the pause, so the lines that follow it are held until then.
"""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

_SILENCE_S = 0.08  # a longer one is a pause; USB serial chips deliver every 16 ms at most
_SILENCE_LINES = 3
_LATE_S = 0.06  # a deficit that arrival times explain: no gap that short is marked (timing.py)
_LATE_LINES = 2
_LATE_SHARE = 0.03  # of a pause: how far off the rate may be that was measured in two seconds
_SETTLE_S = 0.4  # lines that catch up less than _CATCH_UP in so long do not catch up
_SETTLE_LINES = 4
_CATCH_UP = 0.12
_REFINE_S = 5.0  # before that, the rate measured at the start is the better one

Line = TypeVar("Line")


@dataclass(frozen=True)
class Pause:
    """No line for silence_s; `lost` samples from index on did not come, or came at an
    unknown time."""

    index: int
    lost: int
    silence_s: float


class LineClock(Generic[Line]):
    """rate_hz: lines per second, as measured before; now_s: when the last line came."""

    def __init__(self, rate_hz: float, now_s: float):
        self.pauses: list[Pause] = []
        self.index = 0
        """Of the next line."""
        self._nominal_hz = rate_hz
        self._last_s = now_s
        self._before_s = now_s  # the last line before the pause
        self._silence_s = 0.0
        self._held: list[Line] = []
        self._deficits: deque[tuple[float, float, int]] = deque()  # s, lines behind, lines held
        self._first: tuple[float, int, float] | None = None  # delay, index, s: the least delayed
        self._best: tuple[float, int, float] | None = None  # of the second under way
        self._second_s = now_s
        self._last: tuple[float, int, float] | None = None

    @property
    def held(self) -> bool:
        """Whether lines have come that feed() has not handed on."""
        return bool(self._held)

    @property
    def rate_hz(self) -> float:
        """Lines per second while lines come, by the clock that now_s is of.

        From the lines that were the least late, early and now: a late line does not count.
        """
        first, last = self._first, self._last
        if not first or not last or last[2] - first[2] < _REFINE_S:
            return self._nominal_hz
        return (last[1] - first[1]) / (last[2] - first[2])

    def feed(self, lines: list[Line], now_s: float) -> list[tuple[int, list[Line]]]:
        """Take the lines that have come by now; returns those whose index is known, in runs."""
        if not lines:
            return []
        silence_s = now_s - self._last_s
        if not self._held:
            self._before_s = self._last_s
        self._last_s = now_s
        least_s = max(_SILENCE_S, _SILENCE_LINES / self.rate_hz)
        if not self._held and silence_s <= least_s:
            return [self._counted(lines, now_s)]
        self._silence_s = max(silence_s, self._silence_s)
        self._held += lines
        return self._settle(now_s)

    def end(self) -> list[tuple[int, list[Line]]]:
        """The lines that are still held, once no more are to come."""
        if not self._held:
            return []
        return self._decide(self._behind(self._last_s), len(self._held), self._last_s)

    def _behind(self, now_s: float) -> float:
        """Lines that should have come since the pause began, and have not."""
        return (now_s - self._before_s) * self.rate_hz - len(self._held)

    def _tolerated(self) -> float:
        rate_hz = self.rate_hz
        return max(_LATE_S * rate_hz, _LATE_LINES, _LATE_SHARE * self._silence_s * rate_hz)

    def _settle(self, now_s: float) -> list[tuple[int, list[Line]]]:
        behind = self._behind(now_s)
        if behind <= self._tolerated():
            return self._decide(0, len(self._held), now_s)
        self._deficits.append((now_s, behind, len(self._held)))
        window_s = max(_SETTLE_S, _SETTLE_LINES / self.rate_hz)
        old = None
        while self._deficits and self._deficits[0][0] <= now_s - window_s:
            old = self._deficits.popleft()
        if old is None:
            return []
        if old[1] - behind > _CATCH_UP * self.rate_hz * (now_s - old[0]) + 1.5:
            self._deficits.appendleft(old)
            return []
        return self._decide(behind, len(self._held) - old[2], now_s)

    def _decide(self, behind: float, steady: int, now_s: float) -> list[tuple[int, list[Line]]]:
        """Hand the held lines on; the last `steady` of them came at the usual pace.

        If lines were lost, nobody knows between which of the others: they do not count.
        """
        lines, self._held = self._held, []
        self._deficits.clear()
        silence_s, self._silence_s = self._silence_s, 0.0
        lost = max(0, round(behind))
        if lost:
            burst = len(lines) - steady
            if burst > self._tolerated():
                lost += burst
                lines = lines[burst:]
            self.pauses.append(Pause(self.index, lost, silence_s))
            self.index += lost
        return [self._counted(lines, now_s)] if lines else []

    def _counted(self, lines: list[Line], now_s: float) -> tuple[int, list[Line]]:
        index = self.index
        self.index += len(lines)
        arrival = (now_s - self.index / self._nominal_hz, self.index, now_s)
        if self._best and now_s - self._second_s >= 1:
            self._first = self._first or self._best
            self._last, self._best = self._best, None
        if not self._best:
            self._second_s = now_s
        if not self._best or arrival[0] < self._best[0]:
            self._best = arrival
        return index, lines
