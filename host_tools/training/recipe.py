"""Everything that decides how a model is trained, in one value; `choose` fills it from data."""
from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from host_tools.dataset import Dataset, is_idle
from host_tools.dataset.movement import find_movement
from host_tools.errors import BeckonError
from host_tools.units import (
    ACCEL_COUNTS_PER_G,
    GRAVITY,
    GYRO_COUNTS_PER_DPS,
    accel_counts,
    gyro_counts,
)

FEATURE_HZ = 25.0  # frames a second that the network sees: movement of a hand lies below 12 Hz
_GRAVITY_SEEN = (0.7, 1.3)  # mean acceleration of most gestures, in g, if gravity is in the data
_USUAL = 2000.0  # int16 value of a usual deviation: peaks of 16 times that still fit
_LEAST_FLOOR = (0.3, 8.0)  # m/s^2, deg/s: what tremor reaches
_WEAKER = 0.6  # part of the weakest gestures' size
CONTINUOUS_S = 5.0  # a longer span is a movement that goes on, not one gesture

# In a stream the beginning of a gesture may look like another one as a whole (a shake begins
# with a swipe), so that it is called only when the hand comes to rest.
_STREAM: dict[str, Any] = {
    "begun": 1.0, "settle_s": 0.16, "negatives": 3.0, "negative_parts": (0.6, 0.1, 0.1),
}
_MOST_NEGATIVES = 3.0
_FEW = 5  # gestures; the more there are, the more often a part of one is another
_STREAM_SHIFT_S = 0.08  # whose spans end where the movement does, and the end is what counts


@dataclass(frozen=True)
class Augment:
    """Amounts of each augmentation; 0 switches one off. See docs/data.md for their meaning."""

    shift_s: float = 0.12
    speed: float = 0.25
    tempo_share: float = 1.0
    warp: float = 0.03
    scale: float = 0.15
    scale_warp: float = 0.05
    stretch: float = 0.3
    rotate_deg: float = 20.0
    accel_bias: float = 0.3
    gyro_bias: float = 5.0
    accel_noise: float = 0.1
    gyro_noise: float = 1.0
    drift_accel: float = 0.1
    drift_gyro: float = 1.0
    smooth: float = 0.3
    drop: float = 0.002


@dataclass(frozen=True)
class Recipe:
    """How a model is made. Lengths are frames after decimation unless named otherwise."""

    rate_hz: int = 100
    timed: bool = False  # spans begin with the movement and last equally long
    axes: int = 6
    accel_g: int = 4
    gyro_dps: int = 500
    decimation: int = 4
    window: int = 38
    hop: int = 1
    levelled: bool = False  # windows are turned into the attitude at their end, gravity to `up`,
    up: tuple[float, float, float] = (0.0, 0.0, 0.0)  # which is 0 when it is not in the data
    centre: tuple[bool, bool] = (True, False)  # take the window's mean off: accel, gyro
    normalise: tuple[bool, bool] = (False, False)  # divide by the window's size: accel, gyro
    gain: tuple[float, float] = (1.0, 1.0)  # of the counts: accel, gyro
    floor: tuple[float, float] = (0.5, 8.0)  # m/s^2, deg/s: weaker windows are not scaled up more
    gate: tuple[float, float] = (0.0, 0.0)  # m/s^2, deg/s: mean deviation of a still window
    labels: tuple[str, ...] = ()
    idle: int = 0
    conv: tuple[tuple[int, ...], ...] = ((8, 24, 2), (5, 32, 2))  # kernel, outputs, step [, pool]
    hidden: tuple[int, ...] = (48,)
    steps: int = 3000
    batch: int = 128
    reuse: int = 4  # batches that each augmented window takes part in
    rate: float = 3e-3
    decay: float = 0.2
    label_smoothing: float = 0.05
    dropout: float = 0.3
    weights: tuple[tuple[str, float], ...] = ()  # label and how much its windows count, if not 1
    average: float = 0.998
    quantised_share: float = 0.2  # last part of the steps, with weights rounded as in the model
    negatives: float = 1.0  # windows of no gesture for every window of an average class
    begun: float = 0.5  # up to this part inside, a movement is taught to be nothing yet
    settle_s: float = 0.0  # a gesture is one only when its movement is over for so long
    negative_parts: tuple[float, float, float] = (0.3, 0.15, 0.2)  # partial, undone, made up
    like_within: float = math.inf  # times its size: a made-up one so near to a gesture is left out
    seed: int = 1
    augment: Augment = field(default_factory=Augment)

    @property
    def feature_hz(self) -> float:
        return self.rate_hz / self.decimation

    @property
    def window_s(self) -> float:
        return self.window / self.feature_hz


def choose(data: Dataset, rate_hz: int = 100, **by_hand) -> Recipe:
    """A recipe for this data. by_hand: fields of Recipe that the user set (None: not set).

    augment among them may be a dict of some amounts; the others stay as chosen.
    """
    gestures, sizes, means, names = [], [], [], set()
    for r in data.recordings:
        for s in r.spans:
            if is_idle(s.label):
                continue
            names.add(s.label)
            first, last = round(r.index(s.start_ms)), round(r.index(s.end_ms)) + 1
            last = min(last, len(r.samples))
            if first < last:
                means.append(r.samples[first:last, :3].mean(axis=0) / GRAVITY)
            if s.length_ms <= 1000 * CONTINUOUS_S:
                a, b = find_movement(r.samples, r.rate_hz, first, last)
                gestures.append((b - a) / r.rate_hz)
                sizes.append(_size(r.samples[max(0, b - round(r.rate_hz)) : b]))
    floor = _least_size(sizes)
    if not names:
        raise BeckonError(
            f"{data.name}: all spans are idle ({', '.join(data.labels)}); label a gesture"
        )
    decimation = max(1, round(rate_hz / FEATURE_HZ))
    # In a stream a shorter window is better: the first one comes sooner, and less of what
    # went before is in it. A single recording must fit as a whole.
    streams = sum(sum(not is_idle(s.label) for s in r.spans) > 1 for r in data.recordings)
    stream = streams * 2 > len(data.recordings)
    part = 0.75 if stream else 0.97
    length_s = float(np.quantile(gestures, part)) * 1.1 if gestures else 2.0
    length_s = float(np.clip(length_s, 0.6, 3.0))
    accel = max(float(np.abs(r.samples[:, :3]).max()) for r in data.recordings)
    gyro = max(
        (float(np.abs(r.samples[:, 3:]).max()) for r in data.recordings if r.axes == 6), default=0
    )
    spans = [s for r in data.recordings for s in r.spans if not is_idle(s.label)]
    lengths = np.array([s.length_ms for s in spans])
    up = _up(means)
    accel_g = _smallest(ACCEL_COUNTS_PER_G, accel / GRAVITY)
    gyro_dps = _smallest(GYRO_COUNTS_PER_DPS, gyro)
    recipe = Recipe(
        rate_hz=rate_hz,
        timed=bool(len(lengths) > 3 and lengths.std() < 0.02 * lengths.mean()),
        axes=data.axes,
        accel_g=accel_g,
        gyro_dps=gyro_dps,
        levelled=data.axes == 6 or any(up),
        up=up,
        gain=_gains(sizes, accel_counts(accel_g), gyro_counts(gyro_dps)),
        decimation=decimation,
        window=round(length_s * rate_hz / decimation),
        floor=floor,
        labels=("none", *sorted(names)),
        augment=Augment(shift_s=_STREAM_SHIFT_S) if stream else Augment(),
        **(_STREAM if stream else _negatives(data, length_s, len(gestures), len(names))),
    )
    if isinstance(by_hand.get("augment"), dict):
        by_hand["augment"] = replace(recipe.augment, **by_hand["augment"])
    return replace(recipe, **{k: v for k, v in by_hand.items() if v is not None})


def _negatives(data: Dataset, window_s: float, gestures: int, classes: int) -> dict[str, Any]:
    """As many windows of no gesture as were recorded, counted in gestures of an average class.

    Everyday movement is of more kinds than a gesture, and not seen often enough it is
    learned by heart. What is made of gestures grows with the root only. Many gestures and
    nothing else are there to be told apart: what is nearly one must not be taught to be none.
    """
    idle_s = sum(s.length_ms for r in data.recordings for s in r.spans if is_idle(s.label)) / 1000
    n = idle_s / window_s * classes / max(gestures, classes)
    n = float(np.clip(n, 1.0, _MOST_NEGATIVES))
    parts = tuple(x / n**0.5 for x in Recipe.negative_parts)
    within = 1.0 if idle_s or classes <= _FEW else math.inf
    return {"negatives": n, "negative_parts": parts, "like_within": within}


def _up(means: list[np.ndarray]) -> tuple[float, float, float]:
    """The usual direction of gravity in gestures, of length 1; zeros if it is not in the data.

    means: acceleration over each gesture, g.
    """
    g = np.array(means).reshape(-1, 3)
    size = np.linalg.norm(g, axis=1)
    if not len(g) or not _GRAVITY_SEEN[0] < np.median(size) < _GRAVITY_SEEN[1]:
        return 0.0, 0.0, 0.0
    mean = (g / np.maximum(size, 1e-9)[:, None]).mean(axis=0)
    if np.linalg.norm(mean) < 1e-3:  # held all ways: one is as good as another
        mean = g[0]
    x, y, z = mean / np.linalg.norm(mean)
    return float(x), float(y), float(z)


def _size(x: np.ndarray) -> tuple[float, float]:
    """Mean deviation of accelerometer and gyroscope over some samples."""
    away = np.abs(x - x.mean(axis=0))
    return float(away[:, :3].mean()), float(away[:, 3:].mean()) if x.shape[1] == 6 else 0.0


def _gains(sizes, accel_counts: float, gyro_counts: float) -> tuple[float, float]:
    """Factors that bring both sensors' usual deviation in a gesture to _USUAL."""
    if not sizes:
        return 1.0, 1.0
    accel, gyro = np.median(np.array(sizes), axis=0)
    return (
        _USUAL / max(accel * accel_counts, 1.0),
        _USUAL / max(gyro * gyro_counts, 1.0) if gyro else 1.0,
    )


def _least_size(sizes) -> tuple[float, float]:
    """Below this a movement is weaker than the gestures are, and must look so to the network."""
    if not sizes:
        return _LEAST_FLOOR
    weak = np.quantile(np.array(sizes), 0.05, axis=0) * _WEAKER
    return max(_LEAST_FLOOR[0], float(weak[0])), max(_LEAST_FLOOR[1], float(weak[1]))


def _smallest(ranges: Iterable[int], peak: float) -> int:
    """The smallest range that covers the data; what clipped at a range clips there again."""
    for full_scale in ranges:
        if peak <= full_scale * 1.005:
            break
    return full_scale
