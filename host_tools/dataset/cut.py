"""Cut a span that repeats a gesture into takes.

    for first, last in cut_span(samples, rate_hz): ...

Where the hand rests between the gestures, each stretch of movement is a take
(proposals.py). Where it does not, the movement is periodic: the period is the smallest lag at
which the autocorrelation of all axes together has a peak almost as high as its highest, and
the cuts go where the hand is slowest, a period apart. The takes of such a span leave nothing
of it over, since what lies outside of spans counts as no gesture.
"""
from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from host_tools.dataset.labels import LabelsTable, Row
from host_tools.dataset.movement import motion_energy
from host_tools.dataset.proposals import propose
from host_tools.dataset.recording import Recording

_PERIOD_S = (0.3, 5.0)
_LEAST_PEAK = 0.35  # of the autocorrelation: less is not periodic
_AS_HIGH = 0.85  # a peak so high, of the highest, is one of the same movement
_SHIFT = 0.2  # of a period: so far a cut may move to where the hand is slow
_LEAST_TAKE = 0.6  # of a period: what is shorter belongs to its neighbour
_LEAST_ENERGY = 0.2  # of motion_energy: weaker movement is tremor, which repeats, too
_COVERED = 0.95  # of the movement must lie in the takes that rest divides


@dataclass(frozen=True)
class Cut:
    """One span and what becomes of it. takes: (start_ms, end_ms); empty if it was not cut,
    for the reason in `why`."""

    recording: str
    row: Row
    takes: tuple[tuple[float, float], ...]
    why: str = ""


def cut_span(samples: np.ndarray, rate_hz: float) -> list[tuple[int, int]]:
    """(first, last + 1) of each take in samples (n, 3 or 6), m/s^2 and deg/s.

    One or none if the movement is not repeated.
    """
    by_rest = _between_rests(samples, rate_hz)
    if len(by_rest) > 1:
        return by_rest
    period = _period(samples, rate_hz)
    return _periods(samples, rate_hz, period) if period else []


def cut_spans(
    table: LabelsTable, recordings: Collection[Recording], labels: Collection[str], least_s: float
) -> list[Cut]:
    """What becomes of the spans with these labels that are longer than least_s."""
    known = {r.name: r for r in recordings}
    out = []
    for name, rows in table.rows.items():
        for row in rows:
            if row.label in labels and row.end_ms - row.start_ms > 1000 * least_s and name in known:
                out.append(_cut(known[name], row))
    return out


def apply(table: LabelsTable, cuts: Collection[Cut]) -> LabelsTable:
    """The table with each span that was cut replaced by its takes."""
    made = {(c.recording, c.row): c.takes for c in cuts if c.takes}
    rows: dict[str, list[Row]] = {}
    for name, old in table.rows.items():
        rows[name] = []
        for row in old:
            takes = made.get((name, row))
            rows[name] += [row] if takes is None else [
                Row(start, end, row.label, row.subject, row.other) for start, end in takes]
    return LabelsTable(rows, table.other)


def _cut(r: Recording, row: Row) -> Cut:
    first, last = max(0, round(r.index(row.start_ms))), round(r.index(row.end_ms)) + 1
    if any(first < end and start < last for start, end in r.gaps):
        return Cut(r.name, row, (), "samples were lost in it")
    inside = r.samples[first:last]
    if np.quantile(motion_energy(inside, r.rate_hz), 0.9) < _LEAST_ENERGY:
        return Cut(r.name, row, (), "hardly anything moves in it")
    takes = cut_span(inside, r.rate_hz)
    if len(takes) < 2:
        return Cut(r.name, row, (), "nothing in it repeats")
    period_ms = 1000 / r.rate_hz
    found = [(max(row.start_ms, r.start_ms + (first + a) * period_ms),
              min(row.end_ms, r.start_ms + (first + b) * period_ms)) for a, b in takes]
    return Cut(r.name, row, tuple((round(a, 1), round(b, 1)) for a, b in found))


def _between_rests(samples: np.ndarray, rate_hz: float) -> list[tuple[int, int]]:
    """Stretches of movement with rest between them, if they are most of what moves."""
    found = [(round(p.start_ms * rate_hz / 1000), round(p.end_ms * rate_hz / 1000))
             for p in propose(Recording("", samples, rate_hz))]
    energy = motion_energy(samples, rate_hz) ** 2
    inside = sum(float(energy[a:b].sum()) for a, b in found)
    return found if inside > _COVERED * float(energy.sum()) else []


def _period(samples: np.ndarray, rate_hz: float) -> int:
    """Samples after which the movement repeats; 0 if it does not."""
    x = samples.astype(float) - samples.mean(axis=0)
    for part in (slice(0, 3), slice(3, 6)):
        x[:, part] /= max(float(np.sqrt((x[:, part] ** 2).sum())), 1e-9)
    least, most = round(_PERIOD_S[0] * rate_hz), min(round(_PERIOD_S[1] * rate_hz), len(x) // 2)
    if most <= least + 2:
        return 0
    size = 1 << (2 * len(x) - 1).bit_length()
    spectrum = np.fft.rfft(x, size, axis=0)
    whole = np.fft.irfft((np.abs(spectrum) ** 2).sum(axis=1), size)[: most + 2]
    same = whole / max(float(whole[0]), 1e-12) * len(x) / (len(x) - np.arange(len(whole)))
    lags = np.arange(least, most + 1)
    peaks = lags[(same[lags] >= same[lags - 1]) & (same[lags] > same[lags + 1])]
    if not len(peaks) or same[peaks].max() < _LEAST_PEAK:
        return 0
    return int(peaks[same[peaks] >= _AS_HIGH * same[peaks].max()][0])


def _periods(samples: np.ndarray, rate_hz: float, period: int) -> list[tuple[int, int]]:
    """The whole of samples, divided about every period where the hand is slow."""
    energy = motion_energy(samples, rate_hz)
    usable = energy[: len(energy) // period * period].reshape(-1, period)
    phase = int(usable.mean(axis=0).argmin())
    reach = max(1, round(_SHIFT * period))
    cuts = []
    for middle in range(phase, len(energy), period):
        a, b = max(0, middle - reach), min(len(energy), middle + reach + 1)
        cuts.append(a + int(energy[a:b].argmin()))
    ends = [0, *cuts, len(samples)]
    least = _LEAST_TAKE * period
    kept = [0]
    for end in ends[1:]:
        if end - kept[-1] >= least:
            kept.append(end)
    if len(samples) - kept[-1] > 0:  # a short rest of it
        kept[-1] = len(samples)
    return list(zip(kept[:-1], kept[1:], strict=True))
