"""Everyday movement for those who recorded none: a generator, learned from hours of it.

    background = Background.load(BACKGROUND)
    clips = background.clips(7200, rng, rate_hz=50)      # float32 (6, n) each

The file holds no recording. It holds what segments of 1.6 s have in common: principal
components, groups of segments as mean and spread in these components, and how often each
activity has each group. `fit` makes it, `beckon data background` is its command.
Values are made even by asinh first, since strokes are rare and strong.
"""
from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from host_tools.augment.movements import resampled, rotation_between
from host_tools.augment.pieces import LEAST_GRAVITY
from host_tools.errors import BeckonError
from host_tools.files import write_atomically
from host_tools.units import GRAVITY

RATE_HZ = 25.0
SEGMENT = 40  # frames
_OVERLAP = 6
_UNIT = np.array([1.5] * 3 + [25.0] * 3, np.float32)[:, None]  # of asinh, m/s^2 and deg/s
_COMPONENTS = 48
_GROUPS = 160
_SEGMENTS = 60_000  # learned from
_ROUNDS = 15
_CLIP_S = 12.0
_UP = np.array([0.0, 0.0, GRAVITY])


@dataclass(frozen=True)
class Background:
    """mean: float32 (240,), basis: float32 (components, 240). centres, spreads: float32
    (groups, components). activities: float32 (activities, groups), each row a distribution.
    source: what it was learned from, with licences."""

    mean: np.ndarray
    basis: np.ndarray
    centres: np.ndarray
    spreads: np.ndarray
    activities: np.ndarray
    source: str

    # --- use --------------------------------------------------------------

    def clips(self, seconds: float, rng: np.random.Generator, rate_hz: float,
              axes: int = 6, gravity: bool = True) -> list[np.ndarray]:
        """Movement of so many seconds in all, float32 (axes, n) each, m/s^2 and deg/s."""
        step = SEGMENT - _OVERLAP
        each = -(-round(_CLIP_S * RATE_HZ) // step)
        count = max(1, round(seconds / (each * step / RATE_HZ)))
        out = []
        for _ in range(count):
            row = self.activities[rng.integers(len(self.activities))]
            groups = rng.choice(len(row), each, p=row / row.sum())
            x = _chained(self._segments(groups, rng), gravity)
            at = np.arange(0, x.shape[1] - 1, RATE_HZ / rate_hz)
            out.append(resampled(x[:axes], at).astype(np.float32))
        return out

    def _segments(self, groups: np.ndarray, rng) -> np.ndarray:
        """float32 (n, 6, SEGMENT), each with gravity along z on the mean."""
        noise = rng.standard_normal((len(groups), self.centres.shape[1])).astype(np.float32)
        z = self.centres[groups] + self.spreads[groups] * noise
        flat = (self.mean + z @ self.basis).reshape(len(groups), 6, SEGMENT)
        return np.sinh(np.clip(flat, -4, 4)) * _UNIT + np.r_[_UP, 0, 0, 0][:, None]

    # --- file -------------------------------------------------------------

    @classmethod
    def load(cls, path: Path) -> Background:
        """Raises BeckonError for what is not such a file."""
        try:
            with np.load(path, allow_pickle=False) as f:
                return cls(
                    f["mean"].astype(np.float32),
                    f["basis"].astype(np.float32) * f["basis_step"],
                    f["centres"].astype(np.float32) * f["centres_step"],
                    f["spreads"].astype(np.float32) * f["spreads_step"],
                    f["activities"].astype(np.float32), str(f["source"]),
                )
        except (OSError, ValueError, KeyError) as e:
            raise BeckonError(f"{path}: not a background of beckon data background ({e})") from None

    def save(self, path: Path) -> int:
        """Write it, 8 bits a value; returns its bytes."""
        def stepped(x):
            step = np.abs(x).max(axis=0, keepdims=True) / 127
            return np.rint(x / np.maximum(step, 1e-9)), step.astype(np.float32)

        basis, basis_step = stepped(self.basis)
        centres, centres_step = stepped(self.centres)
        spreads, spreads_step = stepped(self.spreads)
        rows = np.rint(255 * self.activities / self.activities.max(axis=1, keepdims=True))
        file = io.BytesIO()
        np.savez_compressed(
            file, mean=self.mean.astype(np.float16), basis=basis.astype(np.int8),
            basis_step=basis_step, centres=centres.astype(np.int8), centres_step=centres_step,
            spreads=spreads.astype(np.int8), spreads_step=spreads_step,
            activities=rows.astype(np.uint8), source=np.array(self.source),
        )
        write_atomically(path, file.getvalue())
        return len(file.getvalue())


def _chained(segments: np.ndarray, gravity: bool) -> np.ndarray:
    """One after another, float32 (6, n): each held as the one before it ended."""
    ramp = np.linspace(0, 1, _OVERLAP, dtype=np.float32)
    out = segments[0]
    for x in segments[1:]:
        turn = rotation_between(x[:3, :_OVERLAP].mean(axis=1), out[:3, -_OVERLAP:].mean(axis=1))
        x = np.concatenate([turn @ x[:3], turn @ x[3:]])
        both = out[:, -_OVERLAP:] * (1 - ramp) + x[:, :_OVERLAP] * ramp
        out = np.concatenate([out[:, :-_OVERLAP], both, x[:, _OVERLAP:]], axis=1)
    if not gravity:
        width = SEGMENT
        slow = np.array([np.convolve(np.pad(a, (width // 2, width - 1 - width // 2), mode="edge"),
                                     np.ones(width) / width, mode="valid") for a in out[:3]])
        out = np.concatenate([out[:3] - slow, out[3:]])
    return out


# --- learning -------------------------------------------------------------


def fit(
    recordings: list[np.ndarray], activity: list[str], source: str, rng: np.random.Generator
) -> Background:
    """recordings: float32 (6, n) at RATE_HZ, with gravity; activity: what each is.

    Raises BeckonError when there is too little.
    """
    names = sorted(set(activity))
    flat, kind = [], []
    seconds = sum(x.shape[1] for x in recordings) / RATE_HZ
    for x, name in zip(recordings, activity, strict=True):
        count = round(_SEGMENTS * x.shape[1] / RATE_HZ / max(seconds, 1.0))
        if x.shape[1] <= SEGMENT:
            continue
        for a in rng.integers(0, x.shape[1] - SEGMENT, max(1, count)):
            segment = _upright(x[:, a : a + SEGMENT], rng)
            if segment is not None:
                flat.append(segment.ravel())
                kind.append(names.index(name))
    if len(flat) < 10 * _GROUPS:
        raise BeckonError(f"{len(flat)} segments of everyday movement; {10 * _GROUPS} are needed")
    data = np.array(flat, np.float32)
    mean = data.mean(axis=0)
    data -= mean
    _, vectors = np.linalg.eigh(data.T @ data)
    basis = vectors[:, ::-1][:, :_COMPONENTS].T.astype(np.float32)
    z = data @ basis.T
    group, centres = _grouped(z, rng)
    spreads = np.stack([z[group == k].std(axis=0) for k in range(len(centres))])
    table = np.zeros((len(names), len(centres)), np.float32)
    np.add.at(table, (np.array(kind), group), 1)
    return Background(mean, basis, centres, spreads, table / table.sum(axis=1, keepdims=True),
                      source)


def _upright(x: np.ndarray, rng) -> np.ndarray | None:
    """The segment turned so that gravity lies along z, any way around it, as asinh."""
    mean = x[:3].mean(axis=1)
    if np.linalg.norm(mean) < LEAST_GRAVITY:
        return None
    turn = _about_z(rng.uniform(0, 2 * np.pi)) @ rotation_between(mean, _UP)
    accel = turn @ x[:3] - _UP[:, None]
    return np.arcsinh(np.concatenate([accel, turn @ x[3:]]) / _UNIT).astype(np.float32)


def _about_z(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32)


def _grouped(z: np.ndarray, rng) -> tuple[np.ndarray, np.ndarray]:
    """k-means (Lloyd 1982): the group of each row, int (n,), and centres, float32 (groups, k).

    A group that loses all its rows starts again at one that is far from its centre.
    """
    centres = z[rng.choice(len(z), _GROUPS, replace=False)]
    size = (z * z).sum(axis=1)
    group = np.zeros(len(z), int)
    for _ in range(_ROUNDS):
        distance = size[:, None] - 2 * z @ centres.T + (centres * centres).sum(axis=1)[None]
        group = distance.argmin(axis=1)
        far = distance[np.arange(len(z)), group]
        for k in range(_GROUPS):
            mine = group == k
            centres[k] = z[mine].mean(axis=0) if mine.any() else z[int(far.argmax())]
    return group, centres
