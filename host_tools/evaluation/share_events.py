"""The board's decision rule over stored answers, as NumPy, for trying many settings quickly.

    answers = Answers(shares, activity, starts)
    when, label = events(Decision(span=8, threshold_percent=60), answers, idle)

firmware/recognition/share_debouncer.py is the rule itself; a test holds the two to the
same events.
"""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from host_tools.model.decision import Decision


@dataclass
class Answers:
    """What the engine said, window after window, of several streams.

    shares: uint8 (n, classes), percent of every class; at rest idle has 100. activity:
    int (n,), 1/16 of what a resting hand may. starts: the first window of each stream,
    ascending; nothing is carried from one stream to the next. goes_on: bool, as many:
    the same stream after a gap, where a dead time goes on.
    """

    shares: np.ndarray
    activity: np.ndarray
    starts: np.ndarray
    goes_on: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    def __post_init__(self) -> None:
        if not len(self.goes_on):
            self.goes_on = np.zeros(len(self.starts), bool)
        self._sums: dict[tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self._calm: dict[tuple[int, int, int], np.ndarray] = {}
        self._peaks: dict[int, np.ndarray] = {}
        self._above: dict[tuple, np.ndarray] = {}
        n = np.arange(len(self.activity))
        first = np.zeros(len(n), int)
        first[self.starts] = self.starts
        self.first = np.maximum.accumulate(first)  # of each window's stream

    def peak(self, windows: int) -> np.ndarray:
        """The greatest activity of the last so many windows."""
        if windows not in self._peaks:
            out = self.activity.copy()
            width = 1
            while width < windows:  # doubling; nothing from before the stream's first window
                step = min(width, windows - width)
                before = np.arange(len(out)) - step
                out = np.where(before >= self.first, np.maximum(out, out[before]), out)
                width += step
            self._peaks[windows] = out
        return self._peaks[windows]

    def calm(self, ratio: int, floor: int, windows: int) -> np.ndarray:
        """Windows in a row with less than ratio / 64 of the peak, or the floor, int (n,)."""
        key = ratio, floor, windows
        if key not in self._calm:
            still = self.activity < np.maximum(floor, self.peak(windows) * ratio >> 6)
            run = run_lengths(still)
            self._calm[key] = np.minimum(run, np.arange(len(run)) - self.first + 1)
        return self._calm[key]

    def best(self, span: int, idle: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(class, evidence, own) of the last `span` windows, int (n,) each.

        class: that of the greatest sum of shares, idle left out. evidence: sum of
        100 - share of idle, so that X 55 % beside V 40 % is a gesture of 95 %. own: the
        class's sum.
        """
        if (span, idle) not in self._sums:
            shares = self.shares.astype(np.int32)
            shares[:, idle] = 100 - shares[:, idle]
            total = np.cumsum(np.concatenate([np.zeros((1, shares.shape[1]), np.int32), shares]),
                              axis=0, dtype=np.int32)
            n = np.arange(len(shares))
            sums = total[1:] - total[np.maximum(n + 1 - span, self.first)]
            evidence = sums[:, idle].copy()
            sums[:, idle] = -1
            label = sums.argmax(axis=1)
            self._sums[span, idle] = label, evidence, sums[n, label]
        return self._sums[span, idle]

    def above(self, d: Decision, idle: int, half: bool = False) -> np.ndarray:
        """Windows with enough evidence, or half of it, int (k,): few, so that rules are quick."""
        key = d.span, d.by_gesture, d.threshold_percent, d.thresholds, idle, half
        if key not in self._above:
            label, evidence, own = self.best(d.span, idle)
            weight = evidence if d.by_gesture else own
            least = np.array(d.thresholds)[label] if d.thresholds else d.threshold_percent
            self._above[key] = np.flatnonzero((2 * weight if half else weight) >= least * d.span)
        return self._above[key]


def events(d: Decision, answers: Answers, idle: int) -> tuple[np.ndarray, np.ndarray]:
    """(window, class) of each event, int (k,)."""
    label = answers.best(d.span, idle)[0]
    at = answers.above(d, idle)
    loud = answers.above(d, idle, half=True)
    if d.calm_windows:
        at = at[answers.calm(d.calm_ratio, d.calm_floor, d.peak_windows)[at] >= d.calm_windows]
    out = []
    ends = np.append(answers.starts[1:], len(label)).tolist()
    goes_on = [*answers.goes_on[1:].tolist(), False]
    i = 0
    while i < len(at):
        t = int(at[i])
        out.append(t)
        piece = int(np.searchsorted(answers.starts, t, side="right")) - 1
        dead = t + d.refractory
        armed = _armed_from(dead, t, loud, d.quiet)
        while armed >= ends[piece]:
            armed = ends[piece]
            if not goes_on[piece] or dead < armed:
                break  # a new stream, or a gap after the dead time: armed at once
            armed = _armed_from(dead, armed - 1, loud, d.quiet)
            piece += 1
        i = int(np.searchsorted(at, armed, side="left"))
    when = np.array(out, int)
    return when, label[when]


def _armed_from(dead: int, since: int, loud: np.ndarray, quiet: int) -> int:
    """The first window at which the rule is armed again.

    dead: the window at which the dead time is over. since: quiet windows are counted from
    here. loud: windows with half the threshold or more, ascending.
    """
    at = dead
    while True:
        k = int(np.searchsorted(loud, at, side="right")) - 1
        last = since if k < 0 else max(since, int(loud[k]))
        if last <= at - quiet:
            return at
        at = last + quiet


def run_lengths(flags: np.ndarray) -> np.ndarray:
    """How many True in a row end at each place, int (n,)."""
    n = np.arange(1, len(flags) + 1)
    return n - np.maximum.accumulate(np.where(flags, 0, n))
