"""What streams are made of: single gestures cut out of recordings, rest, and everyday movement.

samples are float32 (axes, n) in m/s^2 and deg/s at one rate. Every piece knows the
course of gravity in it, by strapdown integration of the gyroscope (Titterton & Weston,
Strapdown Inertial Navigation Technology, 2004, ch. 3), so that a stroke can be made
stronger, slower or undone while gravity stays as it was.
"""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from host_tools.augment.energy import energy, moving_part
from host_tools.dataset import Dataset, Recording, is_idle

LEAST_GRAVITY = 3.0  # m/s^2; where less remains on the mean, gravity is not in the data
_MARGIN_S = 0.06  # kept at both ends of a movement where the recording has it
_LEAST_S = 0.12  # shorter movements are not cut out
# Energy of a hand that rests, or that only just begins to move: what is slow must be none, too
_REST = 0.7
_LEAST_REST_S = 0.3
_LEAST_CLIP_S = 0.6
_MOST_CLIP_S = 30.0  # longer idle recordings become several clips


@dataclass(frozen=True)
class Piece:
    """One gesture. first, last: its first and last moving sample.

    gravity: float32 (3, n), what of the acceleration is gravity; zeros if none is in the data.
    """

    samples: np.ndarray
    gravity: np.ndarray
    first: int
    last: int
    label: int


@dataclass
class Material:
    """All pieces of a data set at `rate_hz`.

    rest: zero-mean stretches of a hand that holds the sensor still. clips: everyday movement
    and whatever was recorded as no gesture. levels: how the sensor is held at rest, (axes, n).
    """

    rate_hz: float
    axes: int
    pieces: list[Piece] = field(default_factory=list)
    rest: list[np.ndarray] = field(default_factory=list)
    clips: list[np.ndarray] = field(default_factory=list)
    levels: np.ndarray = field(default_factory=lambda: np.zeros((6, 1), np.float32))
    size: float = 0.0  # of gravity, m/s^2; 0 if it is not in the data


def collect(
    data: Dataset, samples: list[np.ndarray], rate_hz: float, labels: tuple[str, ...],
    continuing: frozenset[str] = frozenset(),
) -> Material:
    """samples: each recording's, (axes, n) at rate_hz. continuing: labels that are not cut out."""
    out = Material(rate_hz, len(samples[0]))
    number = {name: k for k, name in enumerate(labels)}
    found = []
    levels = []
    for r, x in zip(data.recordings, samples, strict=True):
        level, rests = _rests(x, rate_hz)
        levels.append(level)
        out.rest += rests
        for a, b in _idle_stretches(r, x.shape[1], rate_hz):
            out.clips += _clips(x[:, a:b], rate_hz)
        for s in r.spans:
            if is_idle(s.label) or s.label in continuing:
                continue
            a, b = _range(s, r, x.shape[1], rate_hz)
            if b - a < _LEAST_S * rate_hz:
                continue
            first, last = moving_part(x[:, a:b], rate_hz)
            found.append((x, a + first, a + last - 1, number[s.label]))
    _add_pieces(out, found)
    levels.sort(key=lambda f: f[0])
    out.levels = np.array([f[1] for f in levels[: max(1, len(levels) // 3)]], np.float32).T
    out.levels[3:] = np.clip(out.levels[3:], -5, 5)
    return out


def _range(span, r: Recording, n: int, rate_hz: float) -> tuple[int, int]:
    a = int(max(0, (span.start_ms - r.start_ms) * rate_hz / 1000))
    return a, min(n, int((span.end_ms - r.start_ms) * rate_hz / 1000) + 1)


def _add_pieces(out: Material, found) -> None:
    if not found:
        return
    margin = round(_MARGIN_S * out.rate_hz)
    cuts, places = [], []
    for x, first, last, _ in found:
        a, b = max(0, first - margin), min(x.shape[1], last + 1 + margin)
        cuts.append(x[:, a:b])
        places.append((first - a, last - a))
    courses, size = gravity_courses(cuts, out.rate_hz)
    out.size = size
    rows = zip(found, cuts, places, courses, strict=True)
    for (_, _, _, label), x, (first, last), g in rows:
        out.pieces.append(Piece(x, g, first, last, label))


def gravity_courses(cuts: list[np.ndarray], rate_hz: float) -> tuple[list[np.ndarray], float]:
    """(3, n) for each of the cuts (axes, n), and the usual size of gravity, 0 without any.

    Mean acceleration in the first sample's attitude is gravity, since a stroke begins and
    ends near rest. All get the usual size.
    """
    lengths = np.array([x.shape[1] for x in cuts])
    n, longest = len(cuts), int(lengths.max())
    turns = np.zeros((longest, n, 3, 3), np.float32)
    turns[0] = np.eye(3)
    accel = np.zeros((longest, n, 3), np.float32)
    rate = np.zeros((longest, n, 3))
    for k, x in enumerate(cuts):
        accel[: lengths[k], k] = x[:3].T
        if len(x) == 6:
            rate[: lengths[k], k] = np.radians(x[3:].T)
    for t in range(1, longest):
        turns[t] = turns[t - 1] @ _small_rotation((rate[t] + rate[t - 1]) / (2 * rate_hz))
    inside = (np.arange(longest)[:, None] < lengths[None])[..., None]
    fixed = np.einsum("tnij,tnj->tni", turns, accel) * inside
    mean = fixed.sum(axis=0) / lengths[:, None]
    sizes = np.linalg.norm(mean, axis=1)
    size = float(np.median(sizes))
    if size < LEAST_GRAVITY:
        return [np.zeros((3, k), np.float32) for k in lengths], 0.0
    mean *= (size / np.maximum(sizes, 1e-3))[:, None]
    course = np.einsum("tnji,nj->tni", turns, mean).astype(np.float32)
    return [course[: lengths[k], k].T.copy() for k in range(n)], size


def _small_rotation(w: np.ndarray) -> np.ndarray:
    """Rotation matrices (n, 3, 3) of rotation vectors w (n, 3), rad (Rodrigues)."""
    angle = np.maximum(np.linalg.norm(w, axis=1), 1e-9)[:, None, None]
    k = np.zeros((len(w), 3, 3))
    k[:, 0, 1], k[:, 0, 2], k[:, 1, 2] = -w[:, 2], w[:, 1], -w[:, 0]
    k -= k.transpose(0, 2, 1)
    k /= angle
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def _rests(x: np.ndarray, rate_hz: float):
    """((unrest, level (axes,)) of the stillest moment, zero-mean stretches of rest)."""
    width = max(2, round(0.2 * rate_hz))
    n = x.shape[1] // width
    if not n:
        return (np.inf, x.mean(axis=1)), []
    blocks = x[:, : n * width].reshape(len(x), n, width)
    unrest = blocks[:3].std(axis=2).max(axis=0)
    k = int(np.argmin(unrest))
    still = energy(x, rate_hz) < _REST
    edges = np.flatnonzero(np.diff(np.concatenate([[0], still.view(np.int8), [0]])))
    out = []
    for a, b in edges.reshape(-1, 2):
        if b - a >= _LEAST_REST_S * rate_hz:
            part = x[:, a:b]
            out.append(part - part.mean(axis=1, keepdims=True))
    return (float(unrest[k]), blocks[:, k].mean(axis=1)), out


def _idle_stretches(r: Recording, n: int, rate_hz: float):
    """Sample ranges without a gesture: idle spans, and all between gestures of a stream."""
    gestures = [s for s in r.spans if not is_idle(s.label)]
    idle = [_range(s, r, n, rate_hz) for s in r.spans if is_idle(s.label)]
    if len(gestures) > 1:
        before = 0
        for s in gestures:
            a, b = _range(s, r, n, rate_hz)
            idle.append((before, a))
            before = b
        idle.append((before, n))
    return idle


def idle_seconds(r: Recording) -> float:
    """How much of the recording becomes clips."""
    n = len(r.samples)
    stretches = [b - a for a, b in _idle_stretches(r, n, r.rate_hz)]
    return sum(k for k in stretches if k >= _LEAST_CLIP_S * r.rate_hz) / r.rate_hz


def _clips(x: np.ndarray, rate_hz: float) -> list[np.ndarray]:
    """Stretches with movement in them, of _MOST_CLIP_S at most."""
    most = round(_MOST_CLIP_S * rate_hz)
    parts = [x[:, a : a + most] for a in range(0, x.shape[1], most)]
    return [p for p in parts if p.shape[1] >= _LEAST_CLIP_S * rate_hz]
