"""Everyday movement for those who recorded none: a generator, learned from hours of it.

    background = Background.load(BACKGROUND)
    clips = background.clips(7200, rng, rate_hz=50)      # float32 (6, n) each

The file holds no recording. It holds prototypes: vector autoregressive models (Lütkepohl,
New Introduction to Multiple Time Series Analysis, 2005, ch. 3) of a few seconds of movement.
Each says how the six axes follow from the frames before, how strongly they are driven, and
how unevenly. Noise of that kind is driven through it. background_fit learns them;
`beckon data background` is its command.
"""
from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from host_tools.augment.movements import resampled, rotation_between
from host_tools.errors import BeckonError
from host_tools.files import write_atomically
from host_tools.units import GRAVITY

RATE_HZ = 25.0
UNIT = np.array([1.5] * 3 + [25.0] * 3)  # m/s^2 and deg/s: what the models count in
STEADY_S = 0.5  # the drive keeps its strength for so long
_CLIP_S = 12.0
_LEAD_S = 2.0  # run before a clip begins
_PAUSED = 0.3  # part of the clips in which the hand stops at times
_PAUSE_S = (0.5, 2.5)
_GAIN = 0.25  # logarithm of how much stronger or weaker a clip is than its prototype
_MOST_NOISE = 3.5  # standard deviations
_MOST = 30.0  # units, beyond any sensor's range
_SMOOTHING_S = 1.6  # what is slower than this is taken for gravity
_UP = np.array([0.0, 0.0, GRAVITY])


@dataclass(frozen=True)
class Background:
    """weights: float32 (k,), how common each prototype is, sum 1. mean: float32 (k, 6), UNIT.
    coefficients: float32 (k, 6, 6 * order), latest frame first. drive: float32 (k, 6, 6),
    Cholesky factor of the noise's covariance. envelope: float32 (k, m), strength of the noise
    in periods of STEADY_S, mean square 1. source: what it was learned from, with licences."""

    weights: np.ndarray
    mean: np.ndarray
    coefficients: np.ndarray
    drive: np.ndarray
    envelope: np.ndarray
    source: str

    # --- use --------------------------------------------------------------

    def clips(self, seconds: float, rng: np.random.Generator, rate_hz: float,
              axes: int = 6, gravity: bool = True) -> list[np.ndarray]:
        """Movement of so many seconds in all, float32 (axes, n) each, m/s^2 and deg/s."""
        count = max(1, round(seconds / _CLIP_S))
        kinds = rng.choice(len(self.weights), count, p=self.weights / self.weights.sum())
        made = self._driven(kinds, rng)
        out = []
        for x in made:
            x = _turned_about_gravity(x, rng)
            if not gravity:
                x = np.concatenate([x[:3] - _slow(x[:3]), x[3:]])
            at = np.arange(0, x.shape[1] - 1, RATE_HZ / rate_hz)
            out.append(resampled(x[:axes], at).astype(np.float32))
        return out

    def _driven(self, kinds: np.ndarray, rng) -> np.ndarray:
        """float32 (n, 6, frames): noise through the model of each kind, m/s^2 and deg/s."""
        lead, n = round(_LEAD_S * RATE_HZ), round(_CLIP_S * RATE_HZ)
        order = self.coefficients.shape[2] // 6
        noise = rng.standard_normal((lead + n, len(kinds), 6)).clip(-_MOST_NOISE, _MOST_NOISE)
        noise = np.einsum("tki,kji->tkj", noise, self.drive[kinds])
        noise *= self._strength(kinds, lead + n, rng)[..., None]
        past = np.zeros((len(kinds), order, 6))
        out = np.empty((len(kinds), 6, n), np.float32)
        coefficients = self.coefficients[kinds]
        for t in range(lead + n):
            x = np.einsum("kij,kj->ki", coefficients, past.reshape(len(kinds), -1)) + noise[t]
            x = x.clip(-_MOST, _MOST)
            past = np.concatenate([x[:, None], past[:, :-1]], axis=1)
            if t >= lead:
                out[:, :, t - lead] = (x + self.mean[kinds]) * UNIT
        return out

    def _strength(self, kinds: np.ndarray, n: int, rng) -> np.ndarray:
        """How strong the noise is at each frame, (n, kinds)."""
        width = round(STEADY_S * RATE_HZ)
        periods = -(-n // width) + 1
        each = self.envelope.shape[1]
        first = rng.integers(0, each, len(kinds))
        at = np.empty((len(kinds), periods), int)
        for k, start in enumerate(first):
            # There and back again, so that what follows belongs to what was before
            there = np.concatenate([np.arange(each), np.arange(each)[::-1]])
            at[k] = np.resize(np.roll(there, -start), periods)
        level = np.take_along_axis(self.envelope[kinds], at, axis=1)
        for paused in np.flatnonzero(rng.random(len(kinds)) < _PAUSED):
            a = int(rng.integers(0, periods))
            b = a + round(rng.uniform(*_PAUSE_S) / STEADY_S)
            level[paused, a : max(a + 1, b)] = 0.02
        level = level * np.exp(rng.normal(0, _GAIN, (len(kinds), 1)))
        course = np.arange(n) / width
        return np.stack([np.interp(course, np.arange(periods), row) for row in level], axis=1)

    # --- file -------------------------------------------------------------

    @classmethod
    def load(cls, path: Path) -> Background:
        """Raises BeckonError for what is not such a file."""
        try:
            with zipfile.ZipFile(path) as packed:  # it unpacks no more than it says here
                if sum(member.file_size for member in packed.infolist()) > _MOST_BYTES:
                    raise ValueError(f"it unpacks to more than {_MOST_BYTES >> 20} MB")
            with np.load(path, allow_pickle=False) as f:
                arrays = {k: f[k].astype(np.float32) for k in _ARRAYS}
                source = str(f["source"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as e:
            raise BeckonError(f"{path}: not a file of beckon data background ({e})") from None
        out = cls(**arrays, source=source)
        k = len(out.weights)
        order = out.coefficients.shape[-1] // 6
        shapes = ((k,), (k, 6), (k, 6, 6 * order), (k, 6, 6), (k, out.envelope.shape[-1]))
        if not k or not order or any(
            arrays[name].shape != shape or not np.isfinite(arrays[name]).all()
            for name, shape in zip(_ARRAYS, shapes, strict=True)
        ):
            raise BeckonError(f"{path}: its arrays do not fit together; make the file again")
        return out

    def save(self, path: Path) -> int:
        """Write it in half precision; returns its bytes."""
        file = io.BytesIO()
        arrays = {k: getattr(self, k).astype(np.float16) for k in _ARRAYS}
        np.savez_compressed(file, **arrays, source=np.array(self.source))
        write_atomically(path, file.getvalue())
        return len(file.getvalue())


_MOST_BYTES = 64 << 20  # unpacked; the file in data/ has 300 kB
_ARRAYS = ("weights", "mean", "coefficients", "drive", "envelope")


def _turned_about_gravity(x: np.ndarray, rng) -> np.ndarray:
    """(6, n) turned by any angle about its mean acceleration: which way a wearer faces."""
    upright = rotation_between(x[:3].mean(axis=1), _UP)
    angle = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    turn = upright.T @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ upright
    return np.concatenate([turn @ x[:3], turn @ x[3:]])


def _slow(accel: np.ndarray) -> np.ndarray:
    width = round(_SMOOTHING_S * RATE_HZ)
    padded = np.pad(accel, ((0, 0), (width // 2, width - 1 - width // 2)), mode="edge")
    return np.array([np.convolve(a, np.ones(width) / width, mode="valid") for a in padded])
