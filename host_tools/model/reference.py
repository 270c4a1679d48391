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
from host_tools.model.format import MEAN, TABLE, FrontEnd, Layer, Model

_CHUNK_VALUES = 1 << 15  # of windows at a time: what fits in a cache is several times as fast


class Features(NamedTuple):
    """The windows of a recording.

    end : int64 (k,), index of each window's last raw frame.
    values : int16 (k, window * axes), time-major: the first layer's inputs.
    still : bool (k,), windows that the gate calls idle; values are not used there.
    """

    end: npt.NDArray[np.int64]
    values: npt.NDArray[np.int16]
    still: npt.NDArray[np.bool_]


class Result(NamedTuple):
    """What the engine says at each window of a recording.

    end : int64 (k,), index of the window's last raw frame.
    scores : int32 (k, classes), 0 for still windows.
    label : int64 (k,). confidence : int64 (k,), percent.
    """

    end: npt.NDArray[np.int64]
    scores: npt.NDArray[np.int32]
    label: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.int64]


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
    fe = description.front_end if isinstance(description, Model) else description
    return _features(fe, [frames])[0]


def _features(fe: FrontEnd, pieces: Sequence[npt.ArrayLike]) -> tuple[Features, list[int]]:
    """The windows of all pieces, one piece after another, and how many each has."""
    found = [_windows(front_end(fe, frames), fe) for frames in pieces]
    counts = [len(windows) for windows in found]
    windows = found[0] if len(found) == 1 else np.concatenate(found)
    ends = [(np.arange(n) * fe.hop + fe.window) * fe.decimation - 1 for n in counts]
    size = fe.window * len(fe.axes)
    chunk = max(1, _CHUNK_VALUES * (1 + 7 * bool(fe.attitude)) // size)
    values = np.empty((len(windows), size), np.int16)
    still = np.empty(len(windows), bool)
    for i in range(0, len(windows), chunk):
        part, still[i : i + chunk] = normalise(fe, windows[i : i + chunk])
        values[i : i + chunk] = part.reshape(len(part), -1)
    return Features(np.concatenate(ends), values, still), counts


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
    u = inputs(model, values)
    for layer in model.layers[:-1]:
        u = requantise(model, layer, sums(layer, u))
    return sums(model.layers[-1], u)[:, 0]


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


def confidence(model: Model, values: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Softmax of the best of int32 scores (k, classes), in percent: (k,).

    2**-f for f in [0, 1) is taken as 1 - 0.67157 f + 0.17157 f**2.
    """
    shifted = values.astype(np.int64) >> model.logit_shift
    below = np.minimum(shifted.max(axis=1, keepdims=True) - shifted, 32767) * model.logit_mul >> 10
    f = below & 255
    power = below >> 8
    part = np.where(power < 16, 32768 - 86 * f + (22 * f * f >> 8) >> np.minimum(power, 31), 0)
    total = part.sum(axis=1)
    return (100 * 32768 + (total >> 1)) // total


def decide(model: Model, found: Features) -> Result:
    """The engine's answers for windows from `features`."""
    value = scores(model, found.values)
    label = value.argmax(axis=1)
    percent = confidence(model, value)
    value[found.still] = 0
    label[found.still] = model.idle
    percent[found.still] = 100
    return Result(found.end, value, label, percent)


def run(model: Model, frames: npt.ArrayLike) -> Result:
    """What the engine says over a gapless recording of raw frames, int16 (n, 6)."""
    return run_all(model, [frames])[0]


def run_all(model: Model, pieces: Sequence[npt.ArrayLike]) -> list[Result]:
    """What `run` says of each piece; together, many short ones take a part of the time."""
    if not pieces:
        return []
    found, counts = _features(model.front_end, pieces)
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


def golden(model: Model) -> tuple[npt.NDArray[np.int32], bool]:
    """The golden window's scores, int32 (classes,), and whether it is still."""
    found = features(model, golden_frames(model))
    return decide(model, found).scores[0], bool(found.still[0])
