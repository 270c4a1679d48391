"""Where somebody moved on purpose, most likely: proposals for spans to be labelled.

    for p in propose(recording): print(p.start_ms, p.end_ms)

A gesture is a stretch of strong movement between weaker ones. Energy is the size of
acceleration and turn rate without their slow parts, in units of a slow deliberate
gesture; the level that divides rest from movement is found in each recording (Otsu's
threshold, IEEE Trans. SMC-9, 1979, on the energy's logarithm), and a stretch begins
where the energy rises towards its peak, not only where it passes the level.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from host_tools.dataset.movement import motion_energy
from host_tools.dataset.recording import Recording, Span

_LEAST_ENERGY = 0.35  # weaker movement is none, however quiet the recording
_ABOVE = 1.5  # Otsu's threshold lies in the middle of the valley; movement begins above it
_FOOT = 0.8  # a stretch reaches out to this part of the level
_LEAST_S, _MOST_S = 0.2, 6.0
_GAP_S = 0.25  # movement that rests for less goes on


@dataclass(frozen=True)
class Proposal:
    """start_ms, end_ms on the recording's clock; label "" as long as nobody said which.

    confidence: percent, of the model (evaluation.model_proposals); None from energy alone.
    """

    start_ms: float
    end_ms: float
    label: str = ""
    confidence: int | None = None


def propose(recording: Recording, known: Sequence[Span] = ()) -> list[Proposal]:
    """Stretches of movement, by time; none that overlaps a span in known."""
    energy = motion_energy(recording.samples, recording.rate_hz, recording.gaps)
    level = max(_LEAST_ENERGY, _ABOVE * _otsu(energy))
    rate = recording.rate_hz
    stretches = _runs(energy > level)
    joined = _join(stretches, int(_GAP_S * rate), energy, _FOOT * level)
    out: list[tuple[int, int]] = []
    for first, last in joined:
        while first > 0 and energy[first - 1] > _FOOT * level:
            first -= 1
        while last < len(energy) and energy[last] > _FOOT * level:
            last += 1
        if last - first >= _LEAST_S * rate:
            out.append((first, last))
    found = []
    for first, last in out:
        start = recording.start_ms + first * 1000 / rate
        end = recording.start_ms + last * 1000 / rate
        if end - start <= 1000 * _MOST_S and not overlaps(start, end, known):
            found.append(Proposal(round(start, 1), round(end, 1)))
    return found


def _otsu(energy: np.ndarray) -> float:
    """The level that best divides the energies into two classes, on their logarithm."""
    logs = np.log10(np.maximum(energy, 1e-3))
    counts, edges = np.histogram(logs, 128)
    middle = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_below = np.cumsum(counts * middle) / below
        mean_above = ((counts * middle).sum() - np.cumsum(counts * middle)) / above
        between = below * above * (mean_below - mean_above) ** 2
    best = between[np.isfinite(between)]
    if not len(best) or best.max() <= 0:
        return float("inf")
    return float(10 ** edges[1 + int(np.nanargmax(between))])


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """(first, last + 1) of each run of True."""
    change = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(change[::2].tolist(), change[1::2].tolist(), strict=True))


def _join(runs: list[tuple[int, int]], gap: int, energy: np.ndarray,
          foot: float) -> list[tuple[int, int]]:
    """Runs with less than gap samples, or no rest at all, between them as one."""
    out: list[tuple[int, int]] = []
    for first, last in runs:
        if out and (first - out[-1][1] < gap or energy[out[-1][1]:first].min() > foot):
            out[-1] = (out[-1][0], last)
        else:
            out.append((first, last))
    return out


def overlaps(start_ms: float, end_ms: float, spans: Sequence[Span]) -> bool:
    """Whether any of the spans lies partly inside the stretch."""
    return any(s.start_ms < end_ms and start_ms < s.end_ms for s in spans)
