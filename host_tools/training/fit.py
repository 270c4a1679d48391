"""The training loop: draw windows, forward, back-propagate, update; then average the weights.

    net = fit(recipe, StreamBank(data, recipe), progress)

Deterministic: the same recipe (seed included) and recordings give the same weights.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from host_tools.errors import BeckonError
from host_tools.model.format import FILE_MAX
from host_tools.training.network import LINEAR, Adam, Layer, Network, cross_entropy
from host_tools.training.recipe import Recipe
from host_tools.training.stream_batches import StreamBank

_DRAW = 2048  # windows made at a time
_LEAST_CHANNELS = 16  # of the last convolution, when a file would be too large
_LEAST_HIDDEN = 8
_NARROWER = 0.05  # part of the layers' widths at a time, for a smaller file
_MINED_AT = (0.3, 0.55)  # parts of the steps after which hard everyday movement is searched
_WARM_UP = 100  # steps over which the learning rate rises


def layers_of(recipe: Recipe) -> list[Layer]:
    """The recipe's layers: convolutions in time, hidden layers, one score a class."""
    frames, channels = recipe.window, recipe.axes
    layers = []
    for kernel, outputs, step, *rest in recipe.conv:
        pool: list[int] = list(rest)
        kernel = min(kernel, frames)
        positions = (frames - kernel) // step + 1
        size = min(pool[0], positions) if pool else 1
        positions -= positions % size
        layers.append(Layer(kernel * channels, outputs, positions, step * channels, pool=size))
        frames, channels = positions // size, outputs
    size = frames * channels
    for outputs in recipe.hidden:
        layers.append(Layer(size, outputs))
        size = outputs
    layers.append(Layer(size, len(recipe.labels), activation=LINEAR))
    return layers


def model_bytes(recipe: Recipe) -> int:
    """About what the model file will take: rows of weights padded to 16, biases, the rest."""
    layers = layers_of(recipe)
    weights = sum(-(-x.kernel // 16) * 16 * x.outputs + 4 * x.outputs + 20 for x in layers)
    return weights + 300 + sum(len(label.encode()) + 5 for label in recipe.labels)


def fitted(recipe: Recipe) -> Recipe:
    """The recipe with its layers narrowed, if need be, until the file has `most_bytes` or less.

    Up to a full file the last convolution gives way first: a wide hidden layer is worth
    more (docs/training.md). For a smaller file all layers are narrowed alike.
    Raises BeckonError when even narrow layers are too large.
    """
    whole = recipe
    if recipe.most_bytes < FILE_MAX:
        for share in np.arange(1.0, 0.0, -_NARROWER):
            recipe = _scaled(whole, float(share))
            if model_bytes(recipe) <= recipe.most_bytes:
                return recipe
    while model_bytes(recipe) > recipe.most_bytes:
        if recipe.conv and recipe.conv[-1][1] > _LEAST_CHANNELS:
            *before, (kernel, outputs, *rest) = recipe.conv
            recipe = replace(recipe, conv=(*before, (kernel, outputs - 4, *rest)))
        elif recipe.hidden and min(recipe.hidden) > _LEAST_HIDDEN:
            recipe = replace(recipe, hidden=tuple(h - 4 for h in recipe.hidden))
        else:
            raise BeckonError("a model of {size} bytes; {most_bytes} are allowed: choose a "
                              "shorter window or smaller layers", size=model_bytes(recipe),
                              most_bytes=recipe.most_bytes)
    return recipe


def _scaled(recipe: Recipe, share: float) -> Recipe:
    """All layers with this part of their outputs."""
    conv = tuple(
        (kernel, max(_LEAST_HIDDEN, round(outputs * share)), *rest)
        for kernel, outputs, *rest in recipe.conv
    )
    hidden = tuple(max(_LEAST_HIDDEN, round(h * share)) for h in recipe.hidden)
    return replace(recipe, conv=conv, hidden=hidden)


@dataclass
class Report:
    """What the progress display gets after each draw."""

    step: int
    steps: int
    loss: float


def fit(recipe: Recipe, bank: StreamBank, progress=None) -> Network:
    """Train a network by the recipe. progress(Report) is called now and then.

    Adam with a warm-up and a cosine-shaped learning rate (Loshchilov & Hutter
    2017, arXiv:1608.03983), cross-entropy with smoothed labels; what is given is
    the exponential average of the weights over the steps. In the last part of
    the steps forward uses the weights rounded to 8 bits, so that the network
    learns to live with them. Now and then the everyday movement that the network takes
    for gestures is added to what it learns.
    """
    rng = np.random.default_rng(recipe.seed)
    net = Network.create(layers_of(recipe), recipe.window * recipe.axes, rng)
    weights = net.parameters()
    adam = Adam(weights, recipe.rate, recipe.decay)
    average = [w.copy() for w in weights]
    eye = np.eye(len(recipe.labels), dtype=np.float32)
    eye = eye * (1 - recipe.label_smoothing) + np.float32(recipe.label_smoothing / len(eye))
    importance = class_weights(recipe)
    mine_at = [round(part * recipe.steps) for part in _MINED_AT]
    rounding_from = recipe.steps * (1 - recipe.quantised_share)
    step, loss = 0, 0.0
    while step < recipe.steps:
        x, labels = bank.draw(max(_DRAW, recipe.batch), rng)
        for i in range(0, len(x) - recipe.batch + 1, recipe.batch):
            if step == recipe.steps:
                break
            if step >= rounding_from and net.effective is None:
                net.effective = rounded
            chosen = labels[i : i + recipe.batch]
            logits = net.forward(x[i : i + recipe.batch], rng, recipe.dropout)
            loss, gradient = cross_entropy(logits, eye[chosen], importance[chosen])
            net.backward(gradient)
            adam.step(net.gradients, recipe.rate * schedule(step, recipe.steps))
            step += 1
            keep = min(recipe.average, (1 + step) / (10 + step))
            for slow, fast in zip(average, weights, strict=True):
                slow += (1 - keep) * (fast - slow)
        if mine_at and step >= mine_at[0]:
            mine_at.pop(0)
            bank.mine(net.with_parameters(average))
        if progress is not None:
            progress(Report(step, recipe.steps, loss))
    return net.with_parameters(average)


def class_weights(recipe: Recipe) -> np.ndarray:
    """How much a window of each class counts, float32 (classes,): 1 unless set by hand.

    Rare classes need none: all gestures are drawn equally often.
    """
    by_hand = dict(recipe.weights)
    return np.array([by_hand.get(label, 1.0) for label in recipe.labels], np.float32)


def schedule(step: int, steps: int) -> float:
    """Part of the full learning rate at this step: up in a line, down in half a cosine."""
    rise = min(1.0, (step + 1) / _WARM_UP)
    return rise * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 1e-4


def rounded(weights: np.ndarray, layer: int) -> np.ndarray:
    """Weights as int8 holds them: 127 steps to the largest of the layer."""
    step = np.abs(weights).max() / np.float32(127) + np.float32(1e-12)
    return np.rint(weights / step) * step
