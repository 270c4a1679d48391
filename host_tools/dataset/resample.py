"""Change the sampling rate of a signal without folding high frequencies into low ones."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from .recording import Recording

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
    position = np.arange(m) * (from_hz / to_hz)
    first = np.floor(position).astype(int) - reach + 1
    taps = first[:, None] + np.arange(2 * reach)
    distance = position[:, None] - taps
    weight = np.sinc(distance * cutoff) * np.cos(np.pi / 2 * distance / reach) ** 2
    weight[np.abs(distance) >= reach] = 0
    weight /= weight.sum(axis=1, keepdims=True)  # a constant stays that constant
    out = np.einsum("mt,mta->ma", weight, x[np.clip(taps, 0, n - 1)].astype(np.float64))
    return out.astype(np.float32)


def resample_recording(r: Recording, to_hz: float) -> Recording:
    """The recording at to_hz; its spans keep their times."""
    if abs(r.rate_hz / to_hz - 1) < 1e-3:
        return replace(r, rate_hz=float(to_hz))
    ratio = to_hz / r.rate_hz
    holes = tuple((int(a * ratio), int(np.ceil(b * ratio))) for a, b in r.holes)
    return replace(
        r, samples=resample(r.samples, r.rate_hz, to_hz), rate_hz=float(to_hz), holes=holes
    )
