"""The engine's integers with NumPy, for many windows at once.

    values = features(front_end, frames)    # what training learns from
    result = run(model, frames)             # what the board would say

Every function gives exactly the integers of `firmware/lib/microMLP_engine.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from host_tools.model.attitude import level
from host_tools.model.decision import COMPONENT_MAX, Activity
from host_tools.model.format import MEAN, TABLE, Axis, FrontEnd, Layer, Model

_CHUNK_VALUES = 1 << 15  # of windows at a time: what fits in a cache is several times as fast


class Features(NamedTuple):
    """The windows of a recording.

    end : int64 (k,), index of each window's last raw frame.
    values : int16 (k, window * axes), time-major: the first layer's inputs.
    still : bool (k,), windows that are idle without the network: those which the gate calls
        so, and all while the hand rests. values are 0 there, or not used.
    activity : int64 (k,), 1/16 of what a resting hand may; 0 if the model does not measure it.
    """

    end: npt.NDArray[np.int64]
    values: npt.NDArray[np.int16]
    still: npt.NDArray[np.bool_]
    activity: npt.NDArray[np.int64]


class Result(NamedTuple):
    """What the engine says at each window of a recording.

    end : int64 (k,), index of the window's last raw frame.
    scores : int32 (k, classes), 0 for still windows.
    label : int64 (k,). confidence : int64 (k,), percent.
    shares : uint8 (k, classes), percent of every label.
    activity : int64 (k,), as in Features.
    """

    end: npt.NDArray[np.int64]
    scores: npt.NDArray[np.int32]
    label: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.int64]
    shares: npt.NDArray[np.uint8]
    activity: npt.NDArray[np.int64]


def front_end(description: FrontEnd, frames: npt.ArrayLike) -> npt.NDArray[np.int16]:
    """Decimate, offset and scale raw counts.

    frames : int16 (n, 6), counts at the model's ranges and rate, ax .. gz.
    Returns int16 (n // decimation, axes).
    """
    raw = np.asarray(frames)
    if raw.ndim != 2 or raw.shape[1] != 6:
        raise ValueError(f"frames must have the shape (n, 6), not {raw.shape}")
    d = description.decimation
    n = len(raw) // d
    out = np.empty((n, len(description.axes)), np.int16)
    for i, a in enumerate(description.axes):
        total = raw[: n * d, a.axis].astype(np.int64).reshape(n, d).sum(axis=1)
        out[:, i] = np.clip((total - a.offset) * a.mul >> a.shift, -32768, 32767)
    return out


def activity(
    measure: Activity, axes: Sequence[Axis], y: npt.NDArray[np.int16]
) -> npt.NDArray[np.int64]:
    """How much the hand moves at each frame, as Activity describes it: (n,).

    y : int16 (n, axes), from `front_end`, the whole of a gapless recording.
    """
    now = y.astype(np.int64)
    change = np.zeros_like(now)
    change[measure.lag :] = now[measure.lag :] - now[: -measure.lag]
    accel = np.array([a.axis < 3 for a in axes])
    parts = np.where(accel, change * measure.accel_mul >> measure.accel_shift,
                     now * measure.gyro_mul >> measure.gyro_shift)
    np.clip(parts, -COMPONENT_MAX, COMPONENT_MAX, out=parts)
    size = np.sqrt((parts * parts).sum(axis=1)).astype(np.int64) >> 2
    before = np.concatenate([np.zeros(1, np.int64), size])[:-1]
    return size + before >> 1


def _awake(measure: Activity, level: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """At which frames the network runs, for their activity (n,)."""
    if not measure.awake_frames:
        return np.ones(len(level), bool)
    n = np.arange(len(level))
    last = np.maximum.accumulate(np.where(level >= measure.wake_at, n, -measure.awake_frames))
    return n - last < measure.awake_frames


def _activity_of_windows(
    measure: Activity | None, fe: FrontEnd, y: npt.NDArray[np.int16]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Of each window in frames y: the greatest activity of its last `hop` frames; awake."""
    last = np.arange(fe.window - 1, len(y), fe.hop)
    if measure is None:
        return np.zeros(len(last), np.int64), np.ones(len(last), bool)
    level = activity(measure, fe.axes, y)
    greatest = level[last]
    for i in range(1, fe.hop):
        np.maximum(greatest, level[last - i], out=greatest)
    return greatest, _awake(measure, level)[last]


def normalise(
    description: FrontEnd, windows: npt.NDArray[np.int16]
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
    """Level, centre, scale and gate windows.

    windows : int16 (k, window, axes), slices of `front_end`'s result.
    Returns int16 (k, window, axes) and still : bool (k,).
    """
    fe = description
    k = len(windows)
    still = np.zeros(k, bool)
    if not fe.prepared:
        return windows, still
    y = windows.astype(np.int32)
    if fe.attitude is not None:
        y = level(fe.attitude, y.transpose(2, 0, 1)).transpose(1, 2, 0)
    # The engine's mean is that of y + 32768, rounded down: the same after taking it off.
    mean = y.sum(axis=1, keepdims=True) // fe.window
    gyro = np.array([a.axis > 2 for a in fe.axes])
    centred = np.array([bool(fe.centre >> a.axis & 1) for a in fe.axes])
    z = np.clip(y - np.where(centred, mean, 0), -32768, 32767)
    if not any(fe.gate) and not any(fe.level):
        return z.astype(np.int16), still
    away = np.abs(y - mean)
    gated = False
    moving = np.zeros(k, bool)
    factor = np.full((k, 1, len(fe.axes)), 1024, np.int32)
    for group in (0, 1):
        use = gyro == bool(group)
        if not use.any():
            continue
        values = away[:, :, use].reshape(k, -1)
        spread = values.sum(axis=1, dtype=np.int64) // values.shape[1]
        if fe.gate[group]:
            gated = True
            moving |= spread >= fe.gate[group]
        if fe.level[group]:
            size = spread if fe.measure == MEAN else values.max(axis=1)
            part = (fe.level[group] << 10) // np.maximum(size, fe.floor[group])
            factor[:, 0, use] = part[:, None]
    if gated:
        still = ~moving
    return np.clip(z * factor >> 10, -32768, 32767).astype(np.int16), still


def features(description: FrontEnd | Model, frames: npt.ArrayLike) -> Features:
    """All windows of a gapless recording, as the first layer sees them.

    frames : int16 (n, 6), raw counts. Float networks train on values / 32768.
    """
    if isinstance(description, Model):
        return _features(description.front_end, description.activity, [frames])[0]
    return _features(description, None, [frames])[0]


def _features(
    fe: FrontEnd, measure: Activity | None, pieces: Sequence[npt.ArrayLike]
) -> tuple[Features, list[int]]:
    """The windows of all pieces, one piece after another, and how many each has."""
    scaled = [front_end(fe, frames) for frames in pieces]
    found = [_windows(y, fe) for y in scaled]
    moved = [_activity_of_windows(measure, fe, y) for y in scaled]
    counts = [len(windows) for windows in found]
    windows = found[0] if len(found) == 1 else np.concatenate(found)
    ends = [(np.arange(n) * fe.hop + fe.window) * fe.decimation - 1 for n in counts]
    size = fe.window * len(fe.axes)
    chunk = max(1, _CHUNK_VALUES * (1 + 7 * bool(fe.attitude)) // size)
    values = np.zeros((len(windows), size), np.int16)
    awake = np.concatenate([awake for _, awake in moved])
    still = ~awake
    rows = np.flatnonzero(awake)  # the others cost nothing here either
    for i in range(0, len(rows), chunk):
        some = rows[i : i + chunk]
        part, still[some] = normalise(fe, windows[some])
        values[some] = part.reshape(len(part), -1)
    level = np.concatenate([level for level, _ in moved])
    return Features(np.concatenate(ends), values, still, level), counts


def _windows(y: npt.NDArray[np.int16], fe: FrontEnd) -> npt.NDArray[np.int16]:
    """Views of frames y (n, axes): (k, window, axes)."""
    if len(y) < fe.window:
        return np.empty((0, fe.window, y.shape[1]), np.int16)
    return sliding_window_view(y, fe.window, axis=0)[:: fe.hop].transpose(0, 2, 1)


def scores(model: Model, values: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
    """The last layer's sums.

    values : int16 (k, window * axes), as from `features`. Returns int32 (k, classes).
    """
    out = np.empty((len(values), len(model.labels)), np.int32)
    most = max(values.shape[1], *(x.outputs * x.positions for x in model.layers))
    chunk = max(1, _CHUNK_VALUES // most)
    for i in range(0, len(values), chunk):
        out[i : i + chunk] = _run_layers(model, values[i : i + chunk])
    return out


def inputs(model: Model, values: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
    """The first layer's unsigned inputs (k, window * stride)."""
    u = values.astype(np.int32) + 32768
    if model.fast:
        u >>= 10
    axes = len(model.front_end.axes)
    if model.stride == axes:
        return u
    k = len(values)
    padded = np.zeros((k, model.front_end.window, model.stride), np.int32)
    padded[:, :, :axes] = u.reshape(k, -1, axes)
    return padded.reshape(k, -1)


def _run_layers(model: Model, values: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
    return sums(model.layers[-1], last_inputs(model, values))[:, 0]


def last_inputs(model: Model, values: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
    """What the last layer reads of windows from `features`: unsigned (k, values)."""
    u = inputs(model, values)
    for layer in model.layers[:-1]:
        u = requantise(model, layer, sums(layer, u))
    return u


def sums(layer: Layer, u: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """A layer's sums for its unsigned inputs u (k, values): int32 (k, positions, outputs)."""
    # Doubles hold these sums exactly: 16 + 7 + 11 bits at most. A product a place, since
    # the places overlap and side by side would be several times as long as the input.
    x = u.astype(np.float64)
    weights = np.ascontiguousarray(layer.weights.T, np.float64)
    total = np.empty((len(x), layer.positions, layer.outputs))
    for i in range(layer.positions):
        start = i * layer.step
        np.matmul(x[:, start : start + layer.inputs], weights, out=total[:, i])
    total += layer.bias
    most = np.abs(weights).sum(axis=0).max() * 65535 + np.abs(layer.bias.astype(np.int64)).max()
    if most < 1 << 31:
        return total.astype(np.int32)
    return total.astype(np.int64).astype(np.int32)  # wraps as the engine's


def requantise(model: Model, layer: Layer, total: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """What the layer hands on: (k, values), unsigned."""
    u = total >> layer.shift  # by 1 at least, so that nothing overflows
    u += layer.zero
    np.clip(u, 0, layer.top, out=u)
    if layer.kind == TABLE:
        u = model.tables[layer.table][u].astype(np.int32)
    k, positions, outputs = u.shape
    if layer.pool > 1:
        u = u.reshape(k, positions // layer.pool, layer.pool, outputs).max(axis=2)
    return u.reshape(k, -1)


def shares(model: Model, values: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """Softmax of int32 scores (k, classes), in percent: (k, classes).

    2**-f for f in [0, 1) is taken as 1 - 0.67157 f + 0.17157 f**2.
    """
    shifted = values.astype(np.int64) >> model.logit_shift
    below = np.minimum(shifted.max(axis=1, keepdims=True) - shifted, 32767) * model.logit_mul >> 10
    f = below & 255
    power = below >> 8
    part = np.where(power < 16, 32768 - 86 * f + (22 * f * f >> 8) >> np.minimum(power, 31), 0)
    total = part.sum(axis=1, keepdims=True)
    return ((100 * part + (total >> 1)) // total).astype(np.uint8)


def decide(model: Model, found: Features) -> Result:
    """The engine's answers for windows from `features`."""
    ran = ~found.still
    value = np.zeros((len(ran), len(model.labels)), np.int32)
    value[ran] = scores(model, found.values[ran])
    percent = np.zeros(value.shape, np.uint8)
    percent[ran] = shares(model, value[ran])
    percent[found.still, model.idle] = 100
    label = np.where(ran, value.argmax(axis=1), model.idle)
    sure = percent[np.arange(len(label)), label].astype(np.int64)
    return Result(found.end, value, label, sure, percent, found.activity)


def run(model: Model, frames: npt.ArrayLike) -> Result:
    """What the engine says over a gapless recording of raw frames, int16 (n, 6)."""
    return run_all(model, [frames])[0]


def run_all(model: Model, pieces: Sequence[npt.ArrayLike]) -> list[Result]:
    """What `run` says of each piece; together, many short ones take a part of the time."""
    if not pieces:
        return []
    found, counts = _features(model.front_end, model.activity, pieces)
    parts = zip(*(np.split(x, np.cumsum(counts)[:-1]) for x in decide(model, found)), strict=True)
    return [Result(*part) for part in parts]


def golden_frames(model: Model) -> npt.NDArray[np.int16]:
    """Raw frames of the golden window: noise of four loudnesses, int16 (n, 6)."""
    n = model.front_end.window * model.front_end.decimation
    x = model.seed
    out = np.empty((n, 6), np.int16)
    for i in range(n):
        for k in range(6):
            x ^= x << 7 & 65535
            x ^= x >> 9
            x ^= x << 8 & 65535
            out[i, k] = x - 32768 >> (i >> 3 & 3)
    return out


class Golden(NamedTuple):
    """scores : int32 (classes,). still, activity: as in Features."""

    scores: npt.NDArray[np.int32]
    still: bool
    activity: int


def golden(model: Model) -> Golden:
    """What the engine says of the golden window."""
    found = features(model, golden_frames(model))
    scores = decide(model, found).scores[0]
    return Golden(scores, bool(found.still[0]), int(found.activity[0]))
