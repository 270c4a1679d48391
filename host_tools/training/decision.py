"""The board's decision rule over stored answers, as NumPy, for trying many settings quickly.

    answers = Answers(shares, activity, starts)
    rule = Rule(span=8, threshold=60, low=2, ratio=16)
    when, label = rule.events(answers, idle)

firmware/debounce.py is the rule itself; a test holds the two to the same events.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from host_tools.training.stream_labels import run_lengths

ONE = 16  # activity of a resting hand's limit
AWAKE = 19  # activity, 1.2: the network is asked while it was so within AWAKE_FRAMES
AWAKE_FRAMES = 18
PEAK_FRAMES = 50  # 2 s
QUIET = 6  # more windows than these without half the threshold, and
REFRACTORY = 10  # so many windows must have passed before the next event


@dataclass
class Answers:
    """What the engine said, window after window, of several streams.

    shares: uint8 (n, classes), percent of every class. activity: int (n,), 1/16 of what a
    resting hand may. starts: the first window of each stream, ascending; nothing is carried
    from one stream to the next.
    """

    shares: np.ndarray
    activity: np.ndarray
    starts: np.ndarray

    def __post_init__(self) -> None:
        self._sums: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self._calm: dict[int, np.ndarray] = {}
        self._above: dict[tuple[int, int, int], np.ndarray] = {}
        n = np.arange(len(self.activity))
        first = np.zeros(len(n), int)
        first[self.starts] = self.starts
        self.first = np.maximum.accumulate(first)  # of each window's stream

    @cached_property
    def awake(self) -> np.ndarray:
        return self._recent(self.activity >= AWAKE, AWAKE_FRAMES)

    @cached_property
    def peak(self) -> np.ndarray:
        """The greatest activity of the last PEAK_FRAMES windows."""
        out = self.activity.copy()
        width = 1
        while width < PEAK_FRAMES:  # doubling; nothing from before the stream's first window
            step = min(width, PEAK_FRAMES - width)
            before = np.arange(len(out)) - step
            out = np.where(before >= self.first, np.maximum(out, out[before]), out)
            width += step
        return out

    def _recent(self, flags: np.ndarray, frames: int) -> np.ndarray:
        """True where one of the last `frames` flags of the same stream is."""
        n = np.arange(len(flags))
        last = np.maximum.accumulate(np.where(flags, n, -1))
        return (last >= self.first) & (n - last < frames)

    def calm(self, ratio: int) -> np.ndarray:
        """Windows in a row with less than ratio / 64 of the peak, int (n,)."""
        if ratio not in self._calm:
            still = self.activity < np.maximum(ONE, self.peak * ratio >> 6)
            run = run_lengths(still)
            self._calm[ratio] = np.minimum(run, np.arange(len(run)) - self.first + 1)
        return self._calm[ratio]

    def best(self, span: int, idle: int) -> tuple[np.ndarray, np.ndarray]:
        """(class, evidence) of the last `span` windows, int (n,) each.

        class: that of the greatest sum of shares, idle left out. evidence: sum of
        100 - share of idle, so that X 55 % beside V 40 % is a gesture of 95 %.
        """
        if (span, idle) not in self._sums:
            shares = self.shares.astype(np.int32)
            shares[:, idle] = 100 - shares[:, idle]
            shares[~self.awake] = 0
            total = np.cumsum(np.concatenate([np.zeros((1, shares.shape[1]), np.int32), shares]),
                              axis=0, dtype=np.int32)
            n = np.arange(len(shares))
            sums = total[1:] - total[np.maximum(n + 1 - span, self.first)]
            evidence = sums[:, idle].copy()
            sums[:, idle] = -1
            self._sums[span, idle] = sums.argmax(axis=1), evidence
        return self._sums[span, idle]

    def above(self, span: int, least: int, idle: int) -> np.ndarray:
        """Windows with so much evidence, ascending, int (k,): few, so that rules are quick."""
        key = span, least, idle
        if key not in self._above:
            self._above[key] = np.flatnonzero(self.best(span, idle)[1] >= least)
        return self._above[key]


@dataclass(frozen=True)
class Rule:
    """A gesture is when the last `span` windows are sure that it is one, and the hand is calm.

    threshold: percent, of 100 - share of none. low: windows in a row that must be calm, 0 for
    a gesture that may be called in full motion. ratio: calm is less than ratio / 64 of the
    last two seconds' greatest activity.
    """

    span: int = 6
    threshold: int = 70
    low: int = 1
    ratio: int = 16

    def pack(self) -> bytes:
        """Settings as they lie in the model file."""
        return bytes([self.threshold, self.span, self.low, QUIET, REFRACTORY, 0, 1, self.ratio])

    @classmethod
    def of(cls, packed: bytes) -> Rule | None:
        """The rule of a model file; None if that has the counting rule."""
        threshold, span, low, _, _, _, kind, ratio = packed
        return cls(span, threshold, low, ratio) if kind == 1 else None

    def events(self, answers: Answers, idle: int) -> tuple[np.ndarray, np.ndarray]:
        """(window, class) of each event, int (k,)."""
        label, _ = answers.best(self.span, idle)
        at = answers.above(self.span, self.threshold * self.span, idle)
        loud = answers.above(self.span, -(-self.threshold * self.span // 2), idle)
        if self.low:
            at = at[answers.calm(self.ratio)[at] >= self.low]
        out = []
        ends = np.append(answers.starts[1:], len(label))
        i = 0
        while i < len(at):
            t = int(at[i])
            out.append(t)
            end = int(ends[np.searchsorted(ends, t, side="right")])
            i = int(np.searchsorted(at, min(_armed_after(t, loud), end), side="left"))
        when = np.array(out, int)
        return when, label[when]


def _armed_after(event: int, loud: np.ndarray) -> int:
    """The first window after an event at which the rule is armed again.

    loud: windows with half the threshold or more, ascending.
    """
    at = event + REFRACTORY
    while True:
        k = int(np.searchsorted(loud, at, side="right")) - 1
        if k < 0 or loud[k] < at - QUIET:
            return at
        at = int(loud[k]) + QUIET + 1


USUAL = Rule()
