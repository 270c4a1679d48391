"""Change the sampling rate of a signal without folding high frequencies into low ones."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from host_tools.dataset.recording import Dataset, Recording

_BLOCK = 1024  # samples at a time: bounds the memory of long recordings
_HALF_WIDTH = 8  # zero crossings of the sinc on each side: -60 dB beyond the transition


def resample(x: np.ndarray, from_hz: float, to_hz: float) -> np.ndarray:
    """Signal x (n, axes) taken at from_hz, as if it had been taken at to_hz.

    Band-limited interpolation with a Hann-windowed sinc whose cut-off is the
    lower of the two Nyquist frequencies (J. O. Smith, "Digital Audio
    Resampling", section "Theory of ideal bandlimited interpolation"). The
    first sample stays at the same time; the ends are extended by holding the
    edge. Rates that agree within 0.1 % are left alone.
    """
    if abs(from_hz / to_hz - 1) < 1e-3:
        return x
    n = len(x)
    m = int(np.floor((n - 1) * to_hz / from_hz + 1e-6)) + 1
    cutoff = min(1.0, to_hz / from_hz)  # of the source's Nyquist frequency
    reach = int(np.ceil(_HALF_WIDTH / cutoff))
    out = np.empty((m, x.shape[1]), np.float32)
    for i in range(0, m, _BLOCK):
        position = np.arange(i, min(m, i + _BLOCK)) * (from_hz / to_hz)
        out[i : i + _BLOCK] = _at(x, position, cutoff, reach)
    return out


def _at(x: np.ndarray, position: np.ndarray, cutoff: float, reach: int) -> np.ndarray:
    """The signal at fractional sample positions (m,): float64 (m, axes)."""
    first = np.floor(position).astype(int) - reach + 1
    taps = first[:, None] + np.arange(2 * reach)
    distance = position[:, None] - taps
    weight = np.sinc(distance * cutoff) * np.cos(np.pi / 2 * distance / reach) ** 2
    weight[np.abs(distance) >= reach] = 0
    weight /= weight.sum(axis=1, keepdims=True)  # a constant stays that constant
    return np.einsum("mt,mta->ma", weight, x[np.clip(taps, 0, len(x) - 1)].astype(np.float64))


class LiveResampler:
    """resample(), some samples at a time.

        resampler = LiveResampler(50.0, 100.0, axes=6)
        out = resampler.push(samples)       # (n, axes) -> what is known by now, (m, axes)

    A sample comes out once all that it depends on is there: after 8 samples of the lower rate.
    Rates that agree within 0.1 % are passed on at once. Memory is bounded.
    """

    def __init__(self, from_hz: float, to_hz: float, axes: int):
        self._ratio = from_hz / to_hz
        self._same = abs(self._ratio - 1) < 1e-3
        self._cutoff = min(1.0, to_hz / from_hz)
        self._reach = int(np.ceil(_HALF_WIDTH / self._cutoff))
        self._axes = axes
        self.reset()

    def reset(self) -> None:
        """Forget all samples, as after a gap: the next one is at time 0."""
        self._kept = np.zeros((0, self._axes))
        self._first = 0  # number of the first sample that is kept
        self._out = 0  # samples that have come out

    def push(self, x: np.ndarray) -> np.ndarray:
        """Add samples (n, axes); returns those that have become known, (m, axes)."""
        if self._same:
            return x
        if not self._first and not len(self._kept) and len(x):  # the edge is held
            x = np.concatenate([np.repeat(x[:1], self._reach, axis=0), x])
            self._first = -self._reach
        self._kept = np.concatenate([self._kept, x])
        end = self._first + len(self._kept)  # number of the next sample
        most = int(np.ceil((end - self._reach) / self._ratio - 1e-9))
        position = np.arange(self._out, max(self._out, most)) * self._ratio
        position = position[np.floor(position) + self._reach < end]
        if not len(position):
            return np.zeros((0, self._axes), np.float32)
        self._out += len(position)
        found = _at(self._kept, position - self._first, self._cutoff, self._reach)
        needed = int(np.floor(self._out * self._ratio)) - self._reach + 1
        drop = max(0, needed - self._first)
        self._kept, self._first = self._kept[drop:], self._first + drop
        return found.astype(np.float32)


def resample_recording(r: Recording, to_hz: float) -> Recording:
    """The recording at to_hz; its spans keep their times."""
    if abs(r.rate_hz / to_hz - 1) < 1e-3:
        return replace(r, rate_hz=float(to_hz))
    ratio = to_hz / r.rate_hz
    gaps = tuple((int(a * ratio), int(np.ceil(b * ratio))) for a, b in r.gaps)
    return replace(
        r, samples=resample(r.samples, r.rate_hz, to_hz), rate_hz=float(to_hz), gaps=gaps
    )


def resampled(data: Dataset, to_hz: float) -> Dataset:
    """The data set with all recordings at to_hz."""
    return Dataset(data.name, [resample_recording(r, to_hz) for r in data.recordings])
