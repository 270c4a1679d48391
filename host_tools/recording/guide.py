"""The course of a guided capture: countdown, GO, judgement, next. Pure.

The samples themselves are the clock, so a replay takes the same course as a board.
"""

from dataclasses import dataclass, field
from enum import Enum

from host_tools.recording.sources import Block
from host_tools.recording.takes import BadTake, judge

_LEAD_S = 0.3  # belongs to a take before GO and has to be at rest


class Phase(Enum):
    REST = "rest"
    COUNTDOWN = "countdown"
    GO = "go"
    DONE = "done"


@dataclass(frozen=True)
class Take:
    """A good take: samples [start, stop) are the gesture."""

    label: str
    start: int
    stop: int


@dataclass
class Guide:
    """labels: what to ask for, `takes` times each. seconds: length of a take; countdown_s:
    time before each; rate_hz: of the source.

    `phase` and `left_s` say where it stands, `message` what came of the last take.
    """

    labels: list[str]
    takes: int
    rate_hz: float
    seconds: float = 2.0
    countdown_s: float = 3.0
    good: list[Take] = field(default_factory=list)
    bad: list[tuple[int, int]] = field(default_factory=list)
    """Sample ranges [first, end) of takes that were refused."""
    message: str = ""
    refused: bool = False

    def __post_init__(self) -> None:
        self._blocks: list[Block] = []
        self._now = 0
        self._go: int | None = None
        self.judged = 0
        """Takes so far, good and bad."""

    @property
    def label(self) -> str:
        """What to do next; "" when all is done."""
        done = len(self.good)
        return self.labels[done // self.takes] if done < self.takes * len(self.labels) else ""

    @property
    def left(self) -> int:
        """Takes that are still to come, this one included."""
        return self.takes * len(self.labels) - len(self.good)

    @property
    def phase(self) -> Phase:
        if not self.label:
            return Phase.DONE
        if self._go is None:
            return Phase.REST
        return Phase.COUNTDOWN if self._now < self._go else Phase.GO

    @property
    def left_s(self) -> float:
        """Seconds until GO, or until the take is over."""
        if self._go is None:
            return self.countdown_s
        until = self._go if self._now < self._go else self._end
        return max(0.0, (until - self._now) / self.rate_hz)

    @property
    def _end(self) -> int:
        assert self._go is not None
        return self._go + round(self.seconds * self.rate_hz)

    def pending_from(self, end: int) -> int:
        """Where what belongs to no judged take begins to be a take; end if it does not yet."""
        if self._go is None or self.phase is Phase.DONE:
            return end
        return min(end, self._go - round(_LEAD_S * self.rate_hz))

    def feed(self, block: Block) -> None:
        """Take the next samples."""
        if self.phase is Phase.DONE:
            return
        self._blocks.append(block)
        self._now = block.end
        if self._go is None:
            self._begin(block.index)
        if self._now >= self._end:
            self._judge()

    def _begin(self, index: int) -> None:
        self._go = index + round(self.countdown_s * self.rate_hz)

    def _judge(self) -> None:
        assert self._go is not None
        first, end = self._go - round(_LEAD_S * self.rate_hz), self._end
        self.judged += 1
        try:
            start, stop = judge(self._blocks, first, end, self.rate_hz)
            self.good.append(Take(self.label, start, stop))
            self.message, self.refused = "good", False
        except BadTake as reason:
            self.bad.append((first, end))
            self.message, self.refused = str(reason), True
        self._blocks = []
        self._begin(end)
