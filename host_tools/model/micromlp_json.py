"""MicroMLP's JSON to and from model files.

    model = model_from_json("net.json", front_end, labels, idle=0, calibration=values)
    json_from_model("net.json", model)

A MicroMLP input is a number 0..1. Here it stands for an input of the model's first layer
(int16, -32768..32767) as `NNValue(-32768, 32768, input)` scales it. A model's front end,
labels and debouncing have no place in the JSON.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from host_tools.files import write_atomically
from host_tools.model.activations import MICROMLP_NAMES, RISING
from host_tools.model.format import CLAMP, FrontEnd, Model, ModelError
from host_tools.model.quantize import FloatLayer, quantise

_HIDDEN = {name: activation for activation, name in MICROMLP_NAMES.items()}
_RISING = [MICROMLP_NAMES[activation] for activation in RISING]


def read_layers(path: str | os.PathLike[str]) -> list[FloatLayer]:
    """The float layers of a network that is fully connected layer by layer.

    Inputs are in units of 32768 counts (-1..1); Gain lies in the weights, and the
    last layer's activation is left out. Raises ModelError.
    """
    try:
        o = json.loads(Path(path).read_text(encoding="utf-8"))
        gain = float(o["Gain"])
        rows = [(row["Func"], row["Neurons"]) for row in o["Layers"]]
        layers = [_layer(i, rows, gain) for i in range(1, len(rows))]
    except OSError as e:
        raise ModelError(f"{path}: {e.strerror or e}") from None
    except ModelError as e:
        raise ModelError(f"{path}: {e}") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as e:
        raise ModelError(f"{path}: not a MicroMLP network ({e!r})") from None
    if not layers:
        raise ModelError(f"{path}: a network needs two layers")
    first = layers[0]  # v = (x + 1) / 2
    w = np.asarray(first.weights) / 2
    layers[0] = FloatLayer(w, np.asarray(first.bias) + w.sum(axis=1), activation=first.activation)
    return layers


def _layer(i: int, rows: list[tuple[str, list[Any]]], gain: float) -> FloatLayer:
    name, neurons = rows[i]
    last = i == len(rows) - 1
    if name not in _HIDDEN:
        raise ModelError(f"unknown activation function {name!r}")
    if last and name not in _RISING:
        raise ModelError(f"the output layer's {name} does not show which class is best; "
                         f"it must be one of {', '.join(_RISING)}")
    w = np.zeros((len(neurons), len(rows[i - 1][1])))
    bias = np.zeros(len(neurons))
    for j, neuron in enumerate(neurons):
        if neuron["Bias"]:
            bias[j] = float(neuron["Bias"]["Val"]) * float(neuron["Bias"]["Wght"])
        for c in neuron["Conn"]:
            if c["LSrc"] != i - 1 or not 0 <= c["NSrc"] < w.shape[1]:
                raise ModelError(f"layer {i} is not connected to the layer before it alone")
            w[j, c["NSrc"]] += float(c["Wght"])
    return FloatLayer(gain * w, gain * bias, activation="identity" if last else _HIDDEN[name])


def model_from_json(
    path: str | os.PathLike[str],
    front_end: FrontEnd,
    labels: Sequence[str],
    idle: int,
    calibration: npt.NDArray[np.int16],
    **settings: Any,
) -> Model:
    """The network in a JSON file as a model; see quantise for the arguments."""
    layers = read_layers(path)
    inputs = front_end.window * len(front_end.axes)
    needed = np.asarray(layers[0].weights).shape[1]
    if needed != inputs:
        raise ModelError(f"{path}: the network has {needed} inputs, the window {inputs} values")
    return quantise(layers, front_end, labels, idle, calibration, **settings)


def float_layers(model: Model) -> list[FloatLayer]:
    """What a model's layers compute, as floats; its last outputs are natural logits.

    Inputs are in units of 32768 counts. Raises ModelError for layers that go through a
    table or are clamped around the middle.
    """
    unit = 1 / 32 if model.fast else 1 / 32768  # of a value between layers
    zero = 31.5 if model.fast else 32768.0
    logit = model.logit_mul / 2**18 * math.log(2) / 2**model.logit_shift
    layers = []
    for i, layer in enumerate(model.layers):
        last = i == len(model.layers) - 1
        if not last and (layer.kind != CLAMP or layer.zero):
            raise ModelError(f"layer {i} of the model is not a ReLU, so it cannot be taken apart")
        w = layer.weights.astype(float)
        # The bias has the inputs' zero point taken off, modulo 2**32.
        bias = (layer.bias + zero * w.sum(axis=1) + 2**31) % 2**32 - 2**31
        half = 0 if last else 1 << layer.shift - 1
        out = logit if last else unit / 2**layer.shift
        layers.append(
            FloatLayer(w / unit * out, (bias - half) * out, layer.positions, layer.step,
                       "identity" if last else "relu", layer.pool)
        )
        zero = 0.0
    axes = len(model.front_end.axes)
    if model.stride != axes:  # the fast form's frames have a value more
        first = layers[0]
        w = np.asarray(first.weights).reshape(-1, model.stride)[:, :axes]
        layers[0] = FloatLayer(
            w.reshape(len(np.asarray(first.bias)), -1), first.bias, first.positions,
            first.step // model.stride * axes, first.activation, first.pool,
        )
    return layers


def json_from_model(path: str | os.PathLike[str], model: Model, output: str = "Sigmoid") -> None:
    """Write a model's network as MicroMLP's JSON, convolutions as single connections.

    output: the output layer's activation, which a model does not have. Raises ModelError
    for what float_layers cannot take apart, and for pooling.
    """
    inputs = model.front_end.window * len(model.front_end.axes)
    write_layers(path, inputs, float_layers(model), output)


def write_layers(
    path: str | os.PathLike[str], inputs: int, layers: Sequence[FloatLayer], output: str = "Sigmoid"
) -> None:
    """Write float layers as MicroMLP's JSON. inputs: how many values the first one reads."""
    if output not in _RISING:
        raise ModelError(f"output {output!r} must be one of {', '.join(_RISING)}")
    none: dict[str, Any] = {"Bias": None, "Conn": []}
    rows: list[dict[str, Any]] = [{"Func": None, "Neurons": [none] * inputs}]
    for i, layer in enumerate(layers):
        w, b = np.asarray(layer.weights, float), np.asarray(layer.bias, float)
        if i == 0:  # x = 2 v - 1
            w, b = 2 * w, b - w.sum(axis=1)
        name = output if i == len(layers) - 1 else MICROMLP_NAMES.get(layer.activation)
        if name is None or layer.pool != 1:
            raise ModelError(f"MicroMLP has nothing like layer {i}'s {layer.activation}"
                             + (f" with pooling by {layer.pool}" if layer.pool != 1 else ""))
        neurons = []
        for place in range(layer.positions):
            for row, bias in zip(w, b, strict=True):
                conn = [{"LSrc": i, "NSrc": place * layer.step + k, "Wght": float(v)}
                        for k, v in enumerate(row)]
                neurons.append({"Bias": {"Val": 1.0, "Wght": float(bias)}, "Conn": conn})
        rows.append({"Func": name, "Neurons": neurons})
    o = {"Eta": 0.3, "Alpha": 0.75, "Gain": 1.0, "Layers": rows}
    write_atomically(path, json.dumps(o).encode())
