"""The network in floating point: forward pass, back-propagation and update side by side.

    net = Network.create([Layer.conv(...), Layer.dense(...)], rng)
    logits = net.forward(x)                 # keeps what backward needs
    net.backward(softmax_cross_entropy_gradient(logits, targets))
    adam.step(net)

Every layer is the same thing: a dense kernel run at `positions` places of its
input, `step` values apart. Since a window lies in memory sample after sample,
that is a convolution in time; with one position it is a plain dense layer.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

RELU, LINEAR = "relu", "linear"


@dataclass
class Layer:
    """weights: float32 (kernel, outputs); bias: float32 (outputs).

    Output: position after position, `outputs` values each; of `pool`
    neighbouring positions only the largest values.
    """

    kernel: int
    outputs: int
    positions: int = 1
    step: int = 0
    activation: str = RELU
    pool: int = 1
    weights: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False)
    bias: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32), repr=False)

    @property
    def inputs_used(self) -> int:
        return self.kernel + (self.positions - 1) * self.step

    @property
    def size(self) -> int:
        return self.positions // self.pool * self.outputs

    def columns(self, x: np.ndarray) -> np.ndarray:
        """x (n, inputs) -> (n * positions, kernel), one row for each place of the kernel."""
        if self.positions == 1:
            return x if x.shape[1] == self.kernel else np.ascontiguousarray(x[:, : self.kernel])
        n = len(x)
        view = np.lib.stride_tricks.as_strided(
            x,
            (n, self.positions, self.kernel),
            (x.strides[0], self.step * x.strides[1], x.strides[1]),
            writeable=False,
        )
        return view.reshape(n * self.positions, self.kernel)


class Network:
    """Layers one after another; parameters() lists the arrays that training changes."""

    def __init__(self, layers: list[Layer], inputs: int):
        size = inputs
        for i, layer in enumerate(layers):
            if layer.inputs_used > size:
                raise ValueError(f"layer {i} reads {layer.inputs_used} values of {size}")
            size = layer.size
        self.layers = layers
        self.inputs = inputs
        self._kept: list[tuple] = []
        self.gradients: list[np.ndarray] = []
        # (weights, layer index) -> the weights that forward uses; None: as they are
        self.effective: Callable[[np.ndarray, int], np.ndarray] | None = None

    @classmethod
    def create(cls, layers: list[Layer], inputs: int, rng: np.random.Generator) -> Network:
        """Fresh weights, He et al. 2015 (arXiv:1502.01852, eq. 10): std = sqrt(2 / fan-in)."""
        for layer in layers:
            gain = 2.0 if layer.activation == RELU else 1.0
            layer.weights = rng.normal(
                0, np.sqrt(gain / layer.kernel), (layer.kernel, layer.outputs)
            ).astype(np.float32)
            layer.bias = np.zeros(layer.outputs, np.float32)
        return cls(layers, inputs)

    def parameters(self) -> list[np.ndarray]:
        return [p for layer in self.layers for p in (layer.weights, layer.bias)]

    def with_parameters(self, values: list[np.ndarray]) -> Network:
        """A network of the same layers with copies of these parameters."""
        layers = [
            replace(layer, weights=values[2 * i].copy(), bias=values[2 * i + 1].copy())
            for i, layer in enumerate(self.layers)
        ]
        return Network(layers, self.inputs)

    def forward(self, x: np.ndarray, rng=None, dropout: float = 0.0) -> np.ndarray:
        """Logits (n, classes) of x (n, inputs). With rng, dropout before the last layer."""
        self._kept = []
        for i, layer in enumerate(self.layers):
            mask = None
            if rng is not None and dropout and i == len(self.layers) - 1:
                mask = (rng.random(x.shape, np.float32) >= dropout) * np.float32(1 / (1 - dropout))
                x = x * mask
            columns = layer.columns(x)
            weights = layer.weights if self.effective is None else self.effective(layer.weights, i)
            z = columns @ weights
            z += layer.bias
            if layer.activation == RELU:
                np.maximum(z, 0, out=z)
            shape = x.shape
            winners = None
            if layer.pool > 1:
                groups = z.reshape(-1, layer.pool, layer.outputs)
                winners = groups.argmax(axis=1)[:, None]
                pooled = np.take_along_axis(groups, winners, axis=1)
            x = (z if winners is None else pooled).reshape(len(x), layer.size)
            self._kept.append((columns, weights, z, shape, mask, winners))
        return x

    def backward(self, gradient: np.ndarray) -> None:
        """Gradients of the loss for every parameter from d loss / d logits (n, classes).

        Straight-through for quantised weights: the gradient of the rounded
        weight is taken for that of the weight (Bengio et al. 2013).
        """
        self.gradients = []
        for i in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[i]
            columns, weights, z, shape, mask, winners = self._kept[i]
            if winners is None:
                d = gradient.reshape(z.shape)
            else:  # only the largest of a pool had any effect
                d = np.zeros((len(winners), layer.pool, layer.outputs), np.float32)
                np.put_along_axis(d, winners, gradient.reshape(winners.shape), axis=1)
                d = d.reshape(z.shape)
            if layer.activation == RELU:
                d = d * (z > 0)
            self.gradients[:0] = [columns.T @ d, d.sum(axis=0)]
            if i == 0:
                return
            d_columns = d @ weights.T
            if layer.positions == 1 and shape[1] == layer.kernel:
                gradient = d_columns
            else:
                gradient = np.zeros(shape, np.float32)
                d_columns = d_columns.reshape(shape[0], layer.positions, layer.kernel)
                for p in range(layer.positions):
                    gradient[:, p * layer.step : p * layer.step + layer.kernel] += d_columns[:, p]
            if mask is not None:
                gradient *= mask


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray):
    """Mean loss and its gradient for logits (n, classes).

    targets: (n, classes), each row a distribution; weights: (n,) importance
    of each row. d loss / d logits is softmax - target.
    """
    p = softmax(logits)
    share = (weights / weights.sum())[:, None].astype(np.float32)
    loss = float(-(targets * np.log(p + 1e-12) * share).sum())
    return loss, (p - targets) * share


class Adam:
    """Adam with decoupled weight decay (Kingma & Ba 2015; Loshchilov & Hutter 2019).

    Decay touches weights only, never biases.
    """

    def __init__(self, parameters, rate=1e-3, decay=0.0, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.rate, self.decay, self.epsilon = rate, decay, epsilon
        self.beta1, self.beta2 = beta1, beta2
        self._m = [np.zeros_like(p) for p in parameters]
        self._v = [np.zeros_like(p) for p in parameters]
        self._t = 0

    def step(self, gradients, rate: float | None = None) -> None:
        """Change the parameters in place by one step against the gradients."""
        rate = self.rate if rate is None else rate
        self._t += 1
        fix1, fix2 = 1 - self.beta1**self._t, 1 - self.beta2**self._t
        for p, g, m, v in zip(self.parameters, gradients, self._m, self._v, strict=True):
            m += (1 - self.beta1) * (g - m)
            v += (1 - self.beta2) * (g * g - v)
            if self.decay and p.ndim == 2:
                p *= 1 - rate * self.decay
            p -= (rate / fix1) * m / (np.sqrt(v / fix2) + self.epsilon)
