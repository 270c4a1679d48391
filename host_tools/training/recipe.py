"""Everything that decides how a model is trained, in one value; `choose` fills it from data."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from host_tools.augment.continuing import continuing_labels
from host_tools.augment.energy import moving_part
from host_tools.augment.kinds import Augment
from host_tools.dataset import Dataset, is_idle
from host_tools.errors import BeckonError
from host_tools.model.format import FILE_MAX
from host_tools.units import (
    ACCEL_COUNTS_PER_G,
    GRAVITY,
    GYRO_COUNTS_PER_DPS,
    accel_counts,
    gyro_counts,
)

FEATURE_HZ = 25.0  # frames per second of the network: a hand moves below 12 Hz
_GRAVITY_SEEN = (0.7, 1.3)  # mean acceleration of most gestures, in g, if gravity is in the data
_USUAL = 2000.0  # int16 value of a usual deviation: peaks of 16 times that still fit
_LEAST_FLOOR = (0.3, 8.0)  # m/s^2, deg/s: what tremor reaches
_WEAKER = 0.6  # part of the weakest gestures' size
_FITS = 0.94  # part of the single gestures that must be in the window as a whole
_FITS_STREAM = 0.75  # in a dense stream what went before must not be in it (docs/training.md)
_CUT = 0.1  # part of a label's gestures: so many longer than the window are worth a notice
LONGEST_S = 4.4  # of a gesture in the window: more would not fit into the file
_WAIT = 10  # frames by which the window is longer, since a gesture is called after its end
_CLIPPED = 0.2  # part of the samples: so often beyond the gyroscope's range, attitude is a guess
_LONG = 60  # frames, from which on a third convolution pays
_CONV = ((8, 24, 2), (5, 28, 2))
_CONV_LONG = ((8, 16, 2), (5, 24, 2), (4, 32, 2))


@dataclass(frozen=True)
class Recipe:
    """How a model is made. Lengths are frames after decimation unless named otherwise."""

    rate_hz: int = 100
    axes: int = 6
    accel_g: int = 4
    gyro_dps: int = 500
    decimation: int = 4
    window: int = 48
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
    conv: tuple[tuple[int, ...], ...] = _CONV  # kernel, outputs, step [, pool]
    hidden: tuple[int, ...] = (48,)
    steps: int = 6000
    batch: int = 128
    rate: float = 3e-3
    decay: float = 0.2
    label_smoothing: float = 0.02
    dropout: float = 0.3
    weights: tuple[tuple[str, float], ...] = ()  # label and how much its windows count, if not 1
    average: float = 0.998
    quantised_share: float = 0.2  # last part of the steps, with weights rounded as in the model
    most_bytes: int = FILE_MAX  # of the model file
    ended_after: int = 3  # frames of rest after which a gesture has ended
    draws: int = 9000  # gestures in the simulated streams
    background: bool = True  # generated everyday movement, where little of it was recorded
    continuing: tuple[str, ...] = ()  # labels of movements that go on
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
    moves = movements(data)
    names = {m.label for m in moves}
    if not names:
        raise BeckonError("{data}: all spans are idle ({labels}); label a gesture", data=data.name,
                          labels=', '.join(data.labels))
    continuing = continuing_labels((m.label, m.seconds) for m in moves)
    decimation = max(1, round(rate_hz / FEATURE_HZ))
    lengths = [m.seconds for m in moves if m.label not in continuing]
    streams = sum(sum(not is_idle(s.label) for s in r.spans) > 1 for r in data.recordings)
    fits = _FITS_STREAM if streams * 2 > len(data.recordings) else _FITS
    length_s = float(np.quantile(lengths, fits)) * 1.05 if lengths else 2.0
    window = round(float(np.clip(length_s, 0.6, LONGEST_S)) * rate_hz / decimation) + _WAIT
    # The gestures decide the ranges: of other movement it does not matter how strong it is
    held = [r for r in data.recordings if any(not is_idle(s.label) for s in r.spans)]
    accel = max(float(np.abs(r.samples[:, :3]).max()) for r in held)
    gyro = max((float(np.abs(r.samples[:, 3:]).max()) for r in held if r.axes == 6), default=0)
    sizes = [m.size for m in moves]
    up = _up([m.mean_g for m in moves])
    accel_g = _smallest(ACCEL_COUNTS_PER_G, accel / GRAVITY)
    gyro_dps = _smallest(GYRO_COUNTS_PER_DPS, gyro)
    recipe = Recipe(
        rate_hz=rate_hz,
        axes=data.axes,
        accel_g=accel_g,
        gyro_dps=gyro_dps,
        levelled=bool(data.axes == 6 or any(up)) and _clipped(data, gyro_dps) < _CLIPPED,
        up=up,
        gain=_gains(sizes, accel_counts(accel_g), gyro_counts(gyro_dps)),
        decimation=decimation,
        window=window,
        floor=_least_size(sizes),
        labels=("none", *sorted(names)),
        conv=_CONV_LONG if window > _LONG else _CONV,
        continuing=continuing,
    )
    if isinstance(by_hand.get("augment"), dict):
        by_hand["augment"] = replace(recipe.augment, **by_hand["augment"])
    return replace(recipe, **{k: v for k, v in by_hand.items() if v is not None})


@dataclass(frozen=True)
class Movement:
    """A labelled movement: how long it moves, its mean acceleration in g, its size.

    size: mean deviation of accelerometer (m/s^2) and gyroscope (deg/s) in its last second.
    """

    label: str
    seconds: float
    mean_g: np.ndarray
    size: tuple[float, float]


def movements(data: Dataset) -> list[Movement]:
    """All gestures of the data set, by what moves in their spans."""
    out = []
    for r in data.recordings:
        for s in r.spans:
            first, last = round(r.index(s.start_ms)), round(r.index(s.end_ms)) + 1
            x = r.samples[max(0, first) : min(last, len(r.samples))]
            if is_idle(s.label) or not len(x):
                continue
            a, b = moving_part(x.T, r.rate_hz)
            out.append(Movement(
                s.label, (b - a) / r.rate_hz, x[:, :3].mean(axis=0) / GRAVITY,
                _size(x[max(0, b - round(r.rate_hz)) : b]),
            ))
    return out


def cut_labels(data: Dataset, recipe: Recipe) -> dict[str, float]:
    """Labels of whose gestures many are longer than the window holds: which part of each."""
    longest_s = (recipe.window - _WAIT) / recipe.feature_hz
    out = {}
    found = [m for m in movements(data) if m.label not in recipe.continuing]
    for k in sorted({m.label for m in found}):
        part = float(np.mean([m.seconds > longest_s + 0.2 for m in found if m.label == k]))
        if part > _CUT:
            out[k] = part
    return out


def _clipped(data: Dataset, gyro_dps: int) -> float:
    """Part of the gestures' samples in which the gyroscope is at the end of its range."""
    if data.axes < 6:
        return 0.0
    inside = clipped = 0
    for r in data.recordings:
        top = 0.995 * min(gyro_dps, float(np.abs(r.samples[:, 3:]).max()))
        for s in r.spans:
            if not is_idle(s.label):
                a, b = max(0, round(r.index(s.start_ms))), round(r.index(s.end_ms)) + 1
                turning = np.abs(r.samples[a:b, 3:]).max(axis=1, initial=0.0)
                inside += len(turning)
                clipped += int((turning > max(top, 0.95 * gyro_dps)).sum())
    return clipped / max(1, inside)


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
            return full_scale
    return max(ranges)
