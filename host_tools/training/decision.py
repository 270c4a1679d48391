"""The board's decision rule over stored answers, as NumPy, for trying many settings quickly.

    answers = Answers(shares, activity, starts)
    when, label = events(Decision(span=8, threshold_percent=60), answers, idle)

firmware/debounce.py is the rule itself; a test holds the two to the same events.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.model.decision import Decision
from host_tools.training.stream_labels import run_lengths


@dataclass
class Answers:
    """What the engine said, window after window, of several streams.

    shares: uint8 (n, classes), percent of every class; at rest idle has 100. activity:
    int (n,), 1/16 of what a resting hand may. starts: the first window of each stream,
    ascending; nothing is carried from one stream to the next.
    """

    shares: np.ndarray
    activity: np.ndarray
    starts: np.ndarray

    def __post_init__(self) -> None:
        self._sums: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self._calm: dict[tuple[int, int, int], np.ndarray] = {}
        self._peaks: dict[int, np.ndarray] = {}
        self._above: dict[tuple[int, int, int], np.ndarray] = {}
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

    def best(self, span: int, idle: int) -> tuple[np.ndarray, np.ndarray]:
        """(class, evidence) of the last `span` windows, int (n,) each.

        class: that of the greatest sum of shares, idle left out. evidence: sum of
        100 - share of idle, so that X 55 % beside V 40 % is a gesture of 95 %.
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
            self._sums[span, idle] = sums.argmax(axis=1), evidence
        return self._sums[span, idle]

    def above(self, span: int, least: int, idle: int) -> np.ndarray:
        """Windows with so much evidence, ascending, int (k,): few, so that rules are quick."""
        key = span, least, idle
        if key not in self._above:
            self._above[key] = np.flatnonzero(self.best(span, idle)[1] >= least)
        return self._above[key]


def events(d: Decision, answers: Answers, idle: int) -> tuple[np.ndarray, np.ndarray]:
    """(window, class) of each event, int (k,). Only for decisions by_gesture, of one threshold."""
    if not d.by_gesture or d.thresholds:
        raise ValueError("the rule by a label's own share is not here")
    label, _ = answers.best(d.span, idle)
    least = d.threshold_percent * d.span
    at = answers.above(d.span, least, idle)
    loud = answers.above(d.span, -(-least // 2), idle)
    if d.calm_windows:
        at = at[answers.calm(d.calm_ratio, d.calm_floor, d.peak_windows)[at] >= d.calm_windows]
    out = []
    ends = np.append(answers.starts[1:], len(label))
    i = 0
    while i < len(at):
        t = int(at[i])
        out.append(t)
        end = int(ends[np.searchsorted(ends, t, side="right")])
        i = int(np.searchsorted(at, min(_armed_after(t, loud, d), end), side="left"))
    when = np.array(out, int)
    return when, label[when]


def _armed_after(event: int, loud: np.ndarray, d: Decision) -> int:
    """The first window after an event at which the rule is armed again.

    loud: windows with half the threshold or more, ascending.
    """
    at = event + d.refractory
    while True:
        k = int(np.searchsorted(loud, at, side="right")) - 1
        if k < 0 or loud[k] <= at - d.quiet:
            return at
        at = int(loud[k]) + d.quiet
