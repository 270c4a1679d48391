"""Takes as points in a plane: takes that look alike to the network lie beside each other.

    x = hidden_layer(model, data)         # float32 (takes, units), or
    x = signal_features(data)             # where there is no model
    found = plane(x)                      # (takes, 2), and the part of the variance that it shows

Takes are all spans, recording after recording in the order of the data.
"""
from __future__ import annotations

import numpy as np

from host_tools.augment.energy import moving_part
from host_tools.dataset import Dataset, Recording, Span
from host_tools.evaluation.emulator import Board
from host_tools.evaluation.span_accuracy import movement_end_ms
from host_tools.model import reference
from host_tools.model.format import Model

_AFTER = (3, 6)  # frames after the last movement, among those that decide
_BINS = 6  # of a take's time, for signal_features


def takes_of(data: Dataset) -> list[tuple[Recording, Span]]:
    """All spans in their order."""
    return [(r, s) for r in data.recordings for s in r.spans]


def hidden_layer(model: Model, data: Dataset) -> np.ndarray:
    """What the last layer reads, at each take's end: float32 (takes, units).

    The board's integers, but those of unsigned values around their zero.
    """
    board, fe = Board(model), model.front_end
    length = fe.window * fe.decimation
    windows = []
    for r in data.recordings:
        if not r.spans:
            continue
        raw = board.raw(r)
        for s in r.spans:
            last = round((movement_end_ms(r, s) - r.start_ms) * fe.rate_hz / 1000)
            last = min(last, len(raw) - 1)
            for later in _AFTER:
                at = np.arange(last - length + 1, last + 1) + later * fe.decimation
                window = raw[np.clip(at, 0, len(raw) - 1)]
                window[(at < 0) | (at >= len(raw)), 3:] = 0
                windows.append(reference.front_end(fe, window))
    if not windows:
        return np.zeros((0, 1), np.float32)
    values, _ = reference.normalise(fe, np.stack(windows))
    out = []
    for part in np.array_split(values.reshape(len(values), -1), -(-len(values) // 512)):
        u = reference.inputs(model, part)
        for layer in model.layers[:-1]:
            u = reference.requantise(model, layer, reference.sums(layer, u))
        out.append(u.astype(np.float32))
    return np.concatenate(out).reshape(-1, len(_AFTER), out[0].shape[1]).mean(axis=1)


def signal_features(data: Dataset) -> np.ndarray:
    """How each take moves, float32 (takes, features): per axis the mean over six parts of its
    movement, its size, and the logarithm of how long it moves. Gravity is taken off with the
    take's mean."""
    rows = []
    for r, s in takes_of(data):
        a = max(0, round(r.index(s.start_ms)))
        x = r.samples[a : max(a + 2, round(r.index(s.end_ms)) + 1), : data.axes].T
        first, last = moving_part(x, r.rate_hz)
        x = x[:, first:last] if last - first >= 2 else x
        away = x - x.mean(axis=1, keepdims=True)
        size = away.std(axis=1) + 1e-6
        at = np.linspace(0, x.shape[1] - 1, _BINS * 4)
        shape = np.stack([np.interp(at, np.arange(x.shape[1]), axis) for axis in away])
        shape = shape.reshape(len(x), _BINS, 4).mean(axis=2)
        group = np.repeat([size[g : g + 3].max() for g in range(0, len(x), 3)], 3)[:, None]
        rows.append(np.concatenate([(shape / group).ravel(), np.log(size),
                                    [np.log(max(2, x.shape[1]) / r.rate_hz)]]))
    return np.array(rows, np.float32).reshape(len(rows), -1)


def plane(x: np.ndarray) -> tuple[np.ndarray, float]:
    """The plane in which the points x (n, features) differ most: float32 (n, 2), and the part of
    the variance that lies in it.

    Principal components of the standardised features, by the singular values of x (Jolliffe,
    "Principal Component Analysis", 2002, chapter 2). Features that never change are left out.
    The sign is chosen so that the farthest point is on the positive side: the same data give
    the same picture.
    """
    spread = x.std(axis=0)
    kept = spread > 1e-6 * max(1e-12, float(spread.max(initial=0)))
    if len(x) < 3 or not kept.any():
        out = np.zeros((len(x), 2), np.float32)
        out[:, 0] = np.arange(len(x))
        return out, 1.0
    z = (x[:, kept] - x[:, kept].mean(axis=0)) / spread[kept]
    _, sizes, axes = np.linalg.svd(z.astype(np.float64), full_matrices=False)
    found = np.zeros((len(x), 2))
    found[:, : min(2, len(axes))] = z @ axes[:2].T
    far = found[np.abs(found).argmax(axis=0), np.arange(2)]
    found *= np.where(far < 0, -1, 1)
    return found.astype(np.float32), float((sizes[:2] ** 2).sum() / (sizes**2).sum())
