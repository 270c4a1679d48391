"""From a float network to a model for the board.

    layers = [FloatLayer(w1, b1, activation="relu"), FloatLayer(w2, b2)]
    model = quantise(layers, front_end, labels, idle=0, calibration=values)
    write_model(path, model)

The float network's inputs are `reference.features(...).values / 32768`, so it
is trained on exactly what the board's integers will be.

8-bit form: int8 weights with one scale a layer, 16-bit values. 6-bit form
(`fast=True`): weights and values of 6 bits, for the engine's two multiplies
in one; what this costs in accuracy is for the caller to measure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from host_tools.model.activations import FUNCTIONS, TABLED, Floats
from host_tools.model.decision import Activity, Decision
from host_tools.model.format import (
    CLAMP,
    TABLE,
    TABLE_SIZE,
    FrontEnd,
    Layer,
    Model,
    ModelError,
)
from host_tools.model.golden import seal
from host_tools.model.reference import inputs, requantise, sums


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """One trained layer.

    weights : float (outputs, inputs). bias : float (outputs,).
    positions, step: the kernel is run at `positions` places of its input,
        `step` values apart (time-major, so `stride_frames * channels`); 1 is a
        plain dense layer. Output is position-major: time-major again.
    pool: maximum over so many neighbouring positions, a divisor of positions.
    activation: relu, sigmoid, tanh, gaussian, heaviside, softplus, or
        identity, which the last layer must have (its outputs are logits).
    """

    weights: npt.ArrayLike
    bias: npt.ArrayLike
    positions: int = 1
    step: int = 0
    activation: str = "identity"
    pool: int = 1


def float_scores(layers: Sequence[FloatLayer], x: npt.ArrayLike) -> Floats:
    """The float network: x (k, values) in units of 32768 counts -> logits (k, classes)."""
    for layer in layers:
        x = _forward(layer, np.asarray(x, float))
    return np.asarray(x)


def _places(layer: FloatLayer, x: npt.NDArray) -> npt.NDArray:
    n = np.shape(layer.weights)[1]
    first = layer.step * np.arange(layer.positions)
    return x[:, first[:, None] + np.arange(n)]


def _forward(layer: FloatLayer, x: Floats) -> Floats:
    z = _places(layer, x) @ np.asarray(layer.weights, float).T + np.asarray(layer.bias, float)
    if layer.activation == "relu":  # the one that training uses: hundreds of times as fast
        z = np.maximum(z, 0)
    elif layer.activation in FUNCTIONS:
        z = FUNCTIONS[layer.activation](z)
    elif layer.activation != "identity":
        known = ", ".join(["identity", *FUNCTIONS])
        raise ModelError(f"activation {layer.activation!r} is not one of {known}")
    k, positions, outputs = z.shape
    return z.reshape(k, positions // layer.pool, layer.pool, outputs).max(axis=2).reshape(k, -1)


def quantise(
    layers: Sequence[FloatLayer],
    front_end: FrontEnd,
    labels: Sequence[str],
    idle: int,
    calibration: npt.NDArray[np.int16],
    *,
    fast: bool = False,
    debounce: bytes = bytes(8),
    notes: str = "",
    temperature: float = 1.0,
    activity: Activity | None = None,
    decision: Decision | None = None,
    spare: float = 1.0,
) -> Model:
    """Quantise a float network; the model is sealed and ready for `write_model`.

    calibration : int16 (k, window * axes), windows such as the network will
        meet, from `reference.features`; a few hundred that include the strongest.
    temperature: confidence is softmax(logits / temperature).
    debounce, activity, decision: as in Model.
    spare: how many times as large as its weights the last layer's could be: what a board
        learns needs larger ones (docs/learning.md).
    Raises ModelError for what the format cannot express.
    """
    if not len(layers):
        raise ModelError("the network has no layers")
    if calibration.ndim != 2 or not len(calibration):
        raise ModelError(f"calibration needs windows, its shape is {calibration.shape}")
    work = [_checked(layer, i) for i, layer in enumerate(layers)]
    if work[-1].activation != "identity" or work[-1].positions != 1:
        raise ModelError("the last layer must be dense with activation identity")
    shell = Model(front_end, (), tuple(labels), idle, 1, 1, bytes(debounce), fast=fast, notes=notes)
    axes = len(front_end.axes)
    if shell.stride != axes:
        work[0] = _pad_first(work[0], axes, shell.stride)
    u = inputs(shell, calibration)
    x = calibration / 32768
    if shell.stride != axes:
        x = _pad_frames(x, axes, shell.stride)
    scale, zero = (1 / 32, 31.5) if fast else (1 / 32768, 32768.0)
    done: list[Layer] = []
    tables: list[npt.NDArray[np.uint16]] = []
    for i, layer in enumerate(work):
        last = i == len(work) - 1
        if fast and not last and len(np.asarray(layer.weights)) % 2:
            layer, work[i + 1] = _even(layer, work[i + 1])
        x = _forward(layer, x)
        if last:
            out, scale = _last(layer, u, scale, zero, fast, spare)
            done.append(out)
            break
        step = (layer, u, x, scale, zero, shell)
        if layer.activation in TABLED:
            out, table, scale, zero = _through_table(*step, len(tables))
            tables.append(table)
            shell = Model(front_end, (), tuple(labels), idle, 1, 1, fast=fast, tables=tuple(tables))
        else:
            out, scale, zero = _clamped(*step)
        u = requantise(shell, out, sums(out, u))
        done.append(out)
    mul, shift = _logit_scale(scale / temperature)
    return seal(
        Model(front_end, tuple(done), tuple(labels), idle, mul, shift, bytes(debounce),
              tuple(tables), fast, notes, activity=activity, decision=decision)
    )


def _checked(layer: FloatLayer, i: int) -> FloatLayer:
    w, b = np.asarray(layer.weights, float), np.asarray(layer.bias, float)
    if w.ndim != 2 or b.shape != (len(w),):
        raise ModelError(f"layer {i}: weights {w.shape} and bias {b.shape} do not fit")
    if not (np.isfinite(w).all() and np.isfinite(b).all()):
        raise ModelError(f"layer {i} has weights that are NaN or infinite")
    return FloatLayer(w, b, layer.positions, layer.step, layer.activation, layer.pool)


def _pad_first(layer: FloatLayer, axes: int, stride: int) -> FloatLayer:
    """The first layer with its frames padded by a value of weight 0."""
    w = np.asarray(layer.weights)
    if w.shape[1] % axes or layer.step % axes:
        raise ModelError(f"the fast form needs a first layer of whole frames of {axes} values")
    return FloatLayer(_pad_frames(w, axes, stride), layer.bias, layer.positions,
                      layer.step // axes * stride, layer.activation, layer.pool)


def _pad_frames(values: Floats, axes: int, stride: int) -> Floats:
    """values (k, frames * axes) -> (k, frames * stride), each frame with zeros behind it."""
    padded = np.zeros((len(values), values.shape[1] // axes, stride))
    padded[:, :, :axes] = values.reshape(*padded.shape[:2], axes)
    return padded.reshape(len(values), -1)


def _even(layer: FloatLayer, after: FloatLayer) -> tuple[FloatLayer, FloatLayer]:
    """The layer with one output more, which the next one ignores."""
    w, nw = np.asarray(layer.weights), np.asarray(after.weights)
    m = len(w)
    if nw.shape[1] % m or after.step % m:
        raise ModelError(f"the fast form needs layers of whole positions of {m} values")
    padded = np.zeros((len(nw), nw.shape[1] // m, m + 1))
    padded[:, :, :m] = nw.reshape(len(nw), -1, m)
    return (
        FloatLayer(np.vstack([w, np.zeros((1, w.shape[1]))]), np.append(layer.bias, 0.0),
                   layer.positions, layer.step, layer.activation, layer.pool),
        FloatLayer(padded.reshape(len(nw), -1), after.bias, after.positions,
                   after.step // m * (m + 1), after.activation, after.pool),
    )


def _integers(
    layer: FloatLayer, u: npt.NDArray, scale: float, zero: float, fast: bool, weight_scale: float
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float64]]:
    """Weights as integers, and the bias in units of scale * weight_scale, not yet rounded."""
    most = 31 if fast else 127
    w = np.clip(np.rint(np.asarray(layer.weights) / weight_scale), -most, most)
    bias = np.asarray(layer.bias) / (scale * weight_scale) - zero * w.sum(axis=1)
    return w.astype(np.int8), bias


def _least_scale(layer: FloatLayer, scale: float, zero: float, fast: bool) -> float:
    """The finest scale of the weights at which no input can overflow 31 bits."""
    w = np.asarray(layer.weights)
    top = 63 if fast else 65535
    finest = max(float(np.abs(w).max()), 1e-9) / (31 if fast else 127)
    # The true sum, bias included, for the worst inputs 0..top; 1 % for rounding.
    reach = np.maximum((np.maximum(w, 0) * (top - zero) + np.maximum(-w, 0) * zero).sum(axis=1),
                       (np.maximum(-w, 0) * (top - zero) + np.maximum(w, 0) * zero).sum(axis=1))
    bound = (reach + np.abs(np.asarray(layer.bias)) / scale).max()
    return max(finest, 1.01 * float(bound) / 2**31)


def _int32(bias: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Rounded; wraps like the engine's sums, in which the excess cancels out."""
    return np.rint(bias).astype(np.int64).astype(np.uint32).astype(np.int32)


def _clamped(
    layer: FloatLayer, u: npt.NDArray, x: Floats, scale: float, zero: float, shell: Model
) -> tuple[Layer, float, float]:
    """ReLU (values from 0) or identity (around the middle): shift and clamp."""
    top = 63 if shell.fast else 65535
    middle = 0 if layer.activation == "relu" else (top + 1) // 2
    finest = _least_scale(layer, scale, zero, shell.fast)
    reach = max(float(np.abs(x).max()), 1e-9)
    if not shell.fast:  # 16 bits have one to spare for what the calibration did not meet
        reach *= 2
    best: tuple[float, Layer, float] | None = None
    # A step of the output is scale * weight_scale * 2**shift. Coarser weights
    # let that step fit what is met; few-bit values also gain from clipping.
    for clip in (1.0, 0.9, 0.8, 0.7) if shell.fast else (1.0,):
        wanted = reach * clip / (top - middle)
        for stretch in (1.0, 1.15, 1.3, 1.5, 1.75) if shell.fast else (1.0,):
            weight_scale = finest * stretch
            shift = max(1, math.ceil(math.log2(wanted / (scale * weight_scale)) - 1e-9))
            if shift > 31:
                raise ModelError("a layer's outputs are too far from its inputs' scale")
            if stretch > 1 and shell.fast:
                weight_scale = max(weight_scale, wanted / scale / 2**shift)
            w, bias = _integers(layer, u, scale, zero, shell.fast, weight_scale)
            out = Layer(w, _int32(bias + (1 << shift - 1)), layer.positions, layer.step, layer.pool,
                        CLAMP, shift, middle, top)
            unit = scale * weight_scale * 2**shift
            got = (requantise(shell, out, sums(out, u)) - middle) * unit
            error = float(np.square(got - x).mean())
            if best is None or error < best[0]:
                best = error, out, unit
    assert best is not None
    return best[1], best[2], float(middle)


def _through_table(
    layer: FloatLayer,
    u: npt.NDArray,
    x: Floats,
    scale: float,
    zero: float,
    shell: Model,
    number: int,
) -> tuple[Layer, npt.NDArray[np.uint16], float, float]:
    low, high, edge = TABLED[layer.activation]
    top = 63 if shell.fast else 65535
    weight_scale = _least_scale(layer, scale, zero, shell.fast)
    # 512 steps of the table must reach the edge on either side.
    shift = max(1, math.ceil(math.log2(edge / (TABLE_SIZE // 2) / (scale * weight_scale)) - 1e-9))
    if shift > 31:
        raise ModelError("a layer's outputs are too far from its inputs' scale")
    w, bias = _integers(layer, u, scale, zero, shell.fast, weight_scale)
    z = (np.arange(TABLE_SIZE) - TABLE_SIZE // 2 + 0.5) * scale * weight_scale * 2**shift
    unit = (high - low) / top
    values = FUNCTIONS[layer.activation](z)
    table = np.clip(np.rint((values - low) / unit), 0, top).astype(np.uint16)
    out = Layer(w, _int32(bias), layer.positions, layer.step, layer.pool, TABLE, shift,
                TABLE_SIZE // 2, TABLE_SIZE - 1, number)
    return out, table, unit, -low / unit


def _last(
    layer: FloatLayer, u: npt.NDArray, scale: float, zero: float, fast: bool, spare: float
) -> tuple[Layer, float]:
    weight_scale = _least_scale(layer, scale, zero, fast) * spare
    w, bias = _integers(layer, u, scale, zero, fast, weight_scale)
    return Layer(w, _int32(bias), layer.positions, layer.step), scale * weight_scale


def _logit_scale(unit: float) -> tuple[int, int]:
    """logit_mul, logit_shift for scores in `unit`s of a natural logit."""
    octaves = unit * math.log2(math.e) * 256 * 1024
    shift = max(1, min(31, math.floor(math.log2(32767 / octaves))))
    return min(32767, max(1, round(octaves * 2**shift))), shift
