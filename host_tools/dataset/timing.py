"""From time stamps to an even grid: the rate, lost samples, and a rate that changes."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from host_tools.errors import BeckonError

_CHANGE = 0.05  # relative change of the rate between parts of a recording that is refused
_LONG = 10  # steps
_MOST_LOST = 20  # samples to fill in for each that is there; more is another recording
_GAP_MS = 60.0  # a longer gap is marked: no window may reach across it


def even_grid(path: Path, table: np.ndarray, lines: Sequence[int] | None = None):
    """Put samples on an even grid.

    table: (n, 1 + axes), t_ms first. lines: of the file, for messages; None: one line per
    sample below one of a header. Returns (samples float32, start_ms, rate_hz, gaps, notices).
    Raises BeckonError, naming the line, when time does not advance or the rate changes.
    """
    if lines is None:
        lines = range(2, len(table) + 2)
    t = table[:, 0]
    step = np.diff(t)
    if (step <= 0).any():
        i = int(np.argmax(step <= 0))
        raise BeckonError("{path}:{line}: t_ms does not advance ({t:g} to {next_t:g})", path=path,
                          line=lines[i + 1], t=t[i], next_t=t[i + 1])
    usual = float(np.median(step))
    lost = np.maximum(np.rint(step / usual) - 1, 0).astype(int)
    lost[step < 1.6 * usual] = 0
    late = _without_bursts(step, usual, lost)
    if lost.sum() > _MOST_LOST * len(t):
        i = int(lost.argmax())
        raise BeckonError("{path}:{line}: nothing for {step:.4g} s after t_ms {t:g}; cut the "
                          "recording there", path=path, line=lines[i + 1], step=step[i] / 1000,
                          t=t[i])
    period = float((t[-1] - t[0]) / (len(step) + lost.sum()))
    _refuse_changing_rate(path, t, step, lost, lines)
    rate_hz = 1000.0 / period
    if abs(rate_hz - round(rate_hz)) < 0.002 * rate_hz:
        rate_hz = float(round(rate_hz))
    notices = []
    if late:
        notices.append(f"{path.name}: {late} samples came late, at once after a stall; none of "
                       "them is lost")
    samples = table[:, 1:]
    gaps: list[tuple[int, int]] = []
    grid = np.concatenate([[0], np.cumsum(1 + lost)])
    if lost.any():
        at = np.arange(grid[-1] + 1)
        samples = np.stack([np.interp(at, grid, column) for column in samples.T], axis=1)
        wide = np.flatnonzero(lost * period > _GAP_MS)
        gaps = [(int(grid[i]) + 1, int(grid[i + 1])) for i in wide]
        notices.append(
            f"{path.name}: {int(lost.sum())} samples were lost; gaps up to {_GAP_MS:g} ms are "
            f"filled in, {len(gaps)} longer ones are kept out of every window"
        )
    return samples.astype(np.float32), float(t[0]), rate_hz, tuple(gaps), notices


def _without_bursts(step: np.ndarray, usual: float, lost: np.ndarray) -> int:
    """Take from lost what the samples right after a stall make up for; returns how many.

    A program that stamps samples when it reads them gives a long step, then short ones. In
    step they are made even.
    """
    late = 0
    for i in np.flatnonzero(lost):
        end = i + 1
        while end < len(step) and step[end] < usual / 2 and end - i <= lost[i]:
            end += 1
        made_up = float((1 - step[i + 1 : end] / usual).sum())
        came = min(int(lost[i]), int(np.rint(made_up)))
        if came:
            lost[i] -= came
            late += came
            step[i:end] = step[i:end].sum() / (end - i + lost[i])
            step[i] *= 1 + lost[i]
    return late


def _refuse_changing_rate(
    path: Path, t: np.ndarray, step: np.ndarray, lost: np.ndarray, lines: Sequence[int]
) -> None:
    """Compare the sample period of the parts; jitter averages out, a change does not."""
    # The same loss at every sample for long is not a loss: the rate has changed
    alike = np.concatenate([[0], np.cumsum(lost[1:] != lost[:-1])])
    for run in np.unique(alike[lost > 0]):
        at = np.flatnonzero(alike == run)
        if len(at) >= _LONG:
            raise BeckonError("{path}:{line}: the rate changes within the recording, {first:.1f} "
                              "to {here:.1f} Hz near t_ms {t:g}; record it again at one rate",
                              path=path, line=lines[int(at[0]) + 1],
                              first=1000 / np.median(step[lost == 0]),
                              here=1000 / step[at].mean(), t=t[at[0]])
    whole = step[lost == 0]
    if len(whole) < 40:
        return
    parts = np.array_split(np.flatnonzero(lost == 0), max(2, min(8, len(whole) // 20)))
    first = float(step[parts[0]].mean())
    for part in parts[1:]:
        here = float(step[part].mean())
        if abs(here / first - 1) > _CHANGE:
            raise BeckonError("{path}:{line}: the rate changes within the recording, {first:.1f} "
                              "to {here:.1f} Hz near t_ms {t:g}; record it again at one rate",
                              path=path, line=lines[int(part[0]) + 1], first=1000 / first,
                              here=1000 / here, t=t[part[0]])
