"""The course of a guided capture: countdown, GO, judgement, next. Pure.

The samples themselves are the clock, so a replay takes the same course as a board.
"""

from dataclasses import dataclass, field
from enum import Enum

from host_tools.errors import Sentence
from host_tools.recording.blocks import Block
from host_tools.recording.takes import BadTake, judge

_KNOCK_S = 0.25  # around a press
_SHORTEST_S = 0.3
_LEAD_S = 0.3  # belongs to a take before GO and has to be at rest


class Phase(Enum):
    REST = "rest"
    COUNTDOWN = "countdown"
    GO = "go"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True)
class Take:
    """A good take: samples [start, stop) are the gesture, window those that were judged."""

    label: str
    start: int
    stop: int
    window: tuple[int, int]


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
    by_button: bool = False
    """Without a countdown: press() starts a take, and again ends it; seconds is the longest."""
    good: list[Take] = field(default_factory=list)
    bad: list[tuple[int, int]] = field(default_factory=list)
    """Sample ranges [first, end) that are neither a good take nor rest: refused, or taken
    back, or in a pause."""
    message: str = ""
    refused: bool = False

    def __post_init__(self) -> None:
        self._blocks: list[Block] = []
        self._now = 0
        self._go: int | None = None
        self._stop: int | None = None
        self._paused_at: int | None = None
        self.judged = 0
        """Takes so far, good and bad."""
        self.refusals = 0
        self.taken_back = 0

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
    def number(self) -> int:
        """Which take of its label is next, from 1."""
        return len(self.good) % self.takes + 1

    @property
    def phase(self) -> Phase:
        if not self.label:
            return Phase.DONE
        if self._paused_at is not None:
            return Phase.PAUSED
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
        if self._stop is not None:
            return self._stop
        return self._go + round(self.seconds * self.rate_hz)

    @property
    def _first(self) -> int:
        assert self._go is not None
        return self._go - (0 if self.by_button else round(_LEAD_S * self.rate_hz))

    def pause(self) -> None:
        """Judge nothing until resume(); a take under way is dropped."""
        if self.phase in (Phase.COUNTDOWN, Phase.GO):
            self._paused_at = min(self._now, self._first)
            self._blocks = []

    def resume(self) -> None:
        """Go on with a countdown. What was moved since pause() is not an example of rest."""
        if self._paused_at is not None:
            self.bad.append((self._paused_at, self._now))
            self._paused_at = None
            self._begin(self._now)

    def take_back(self) -> None:
        """The last good take was another gesture: forget it, and ask for it again."""
        if not self.good or self.phase is Phase.DONE:
            return
        paused = self.phase is Phase.PAUSED
        self.pause()  # a take under way has the wrong label now
        taken = self.good.pop()
        self.bad.append(taken.window)
        self.taken_back += 1
        self.message, self.refused = Sentence("took back the last {label}", label=taken.label), True
        if not paused:
            self.resume()

    def pending_from(self, end: int) -> int:
        """Where what belongs to no judged take begins to be a take; end if it does not yet."""
        if self._go is None or self.phase is Phase.DONE:
            return end
        if self._paused_at is not None:
            return min(end, self._paused_at)
        return min(end, self._first)

    def feed(self, block: Block) -> None:
        """Take the next samples, be they a few or many takes' worth."""
        while self.phase is not Phase.DONE:
            if self._paused_at is not None:
                self._now = block.end
                return
            if self._go is None and self.by_button:
                self._now = block.end
                return
            if self._go is None:
                self._begin(block.index)
            taken, rest = block.split(self._end)
            self._blocks.append(taken)
            self._now = min(block.end, self._end)
            if self._now < self._end:
                return
            self._judge()
            if not len(rest.values):
                return
            block = rest

    def press(self) -> None:
        """The button: a take begins, or it ends and is judged. What the finger does to the board
        belongs neither to a take nor to rest."""
        if not self.by_button or self.phase in (Phase.DONE, Phase.PAUSED):
            return
        knock = round(_KNOCK_S * self.rate_hz)
        self.bad.append((max(0, self._now - knock), self._now + knock))
        if self._go is None:
            self._go = self._now + knock
        else:
            self._stop = max(self._go, self._now - knock)
            self._judge()

    def _begin(self, index: int) -> None:
        if self.by_button:
            self._go = None
            return
        self._go = index + round(self.countdown_s * self.rate_hz)

    def _judge(self) -> None:
        first, end = self._first, self._end
        self.judged += 1
        try:
            if end - first < _SHORTEST_S * self.rate_hz:
                raise BadTake("the second press came too soon; press, make the gesture, rest, "
                              "press again")  # fmt: skip
            start, stop = judge(self._blocks, first, end, self.rate_hz)
            self.good.append(Take(self.label, start, stop, (first, end)))
            self.message = Sentence("good: {seconds:.1f} s of {label}", label=self.good[-1].label,
                                    seconds=(stop - start) / self.rate_hz)
            self.refused = False
        except BadTake as reason:
            # A late gesture is not rest: nothing counts until the next take.
            self.bad.append((end, end + round((self.countdown_s - _LEAD_S) * self.rate_hz)))
            self.bad.append((first, end))
            self.refusals += 1
            self.message, self.refused = Sentence("refused: {reason}", reason=reason), True
        self._blocks = []
        self._stop = None
        self._begin(end)
