"""Quantising: close to the float network, on real gestures, too; MicroMLP's JSON both ways."""

import dataclasses
import gzip
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from host_tools.model import reference
from host_tools.model.choose_form import choose_form, points_lost
from host_tools.model.codec import decode, encode
from host_tools.model.format import PEAK, Axis, FrontEnd, ModelError
from host_tools.model.micromlp_json import (
    float_layers,
    json_from_model,
    model_from_json,
    read_layers,
    write_layers,
)
from host_tools.model.quantize import FloatLayer, float_scores, quantise

LIB = Path(__file__).parents[1] / "firmware" / "lib"
LABELS = ["none", "a", "b", "c"]


def front_end(axes=6, window=20, decimation=1, **more):
    scaled = tuple(Axis(i) for i in range(axes))
    return FrontEnd(100, 4, 500, scaled, decimation, window, 5, **more)


def walk(rng, n=3000):
    steps = np.cumsum(rng.normal(0, 900, (n, 6)), axis=0)
    return ((steps + 15000) % 30000 - 15000).astype(np.int16)


def net(rng, sizes, activation="relu"):
    layers = [
        FloatLayer(rng.normal(0, 1.5 / n**0.5, (m, n)), rng.normal(0, 0.1, m), 1, 0, activation)
        for n, m in zip(sizes, sizes[1:], strict=False)
    ]
    return [*layers[:-1], FloatLayer(layers[-1].weights, layers[-1].bias)]


def logits(model, values):
    """The scores in natural units."""
    unit = model.logit_mul / 2**18 * np.log(2) / 2**model.logit_shift
    return reference.scores(model, values) * unit


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "gaussian", "softplus"])
@pytest.mark.parametrize("fast", [False, True])
def test_close_to_the_float_network(activation, fast):
    rng = np.random.default_rng(4)
    fe = front_end()
    values = reference.features(fe, walk(rng)).values
    layers = net(rng, [120, 16, 4], activation)
    model = quantise(layers, fe, LABELS, 0, values[:200], fast=fast)
    expected = float_scores(layers, values / 32768)
    off = np.abs(logits(model, values) - expected).max() / expected.std()
    assert off < (0.9 if fast else 0.12)
    p = np.exp(expected - expected.max(axis=1, keepdims=True))
    percent = 100 * p.max(axis=1) / p.sum(axis=1)
    got = reference.shares(model, reference.scores(model, values)).max(axis=1)
    assert np.abs(got - percent).mean() < (4 if fast else 1)
    assert model.golden and encode(decode(encode(model))) == encode(model)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("axes", [3, 6])
def test_convolutions(fast, axes):
    """Kernel of 5 frames each 2 frames, one of 3 places each place with pooling, dense."""
    rng = np.random.default_rng(5)
    fe = front_end(axes, window=21)
    values = reference.features(fe, walk(rng)).values
    layers = [
        FloatLayer(rng.normal(0, 0.3, (5, 5 * axes)), rng.normal(0, 0.1, 5), 9, 2 * axes, "relu"),
        FloatLayer(rng.normal(0, 0.3, (6, 15)), rng.normal(0, 0.1, 6), 6, 5, "relu", 3),
        FloatLayer(rng.normal(0, 0.3, (4, 12)), rng.normal(0, 0.1, 4)),
    ]
    model = quantise(layers, fe, LABELS, 0, values if fast else values[:200], fast=fast)
    expected = float_scores(layers, values / 32768)
    got = logits(model, values)
    assert np.abs(got - expected).mean() < (0.12 if fast else 0.02) * expected.std()
    assert (got.argmax(axis=1) == expected.argmax(axis=1)).mean() > (0.96 if fast else 0.985)


def test_temperature_flattens_the_confidence():
    rng = np.random.default_rng(6)
    fe = front_end()
    values = reference.features(fe, walk(rng)).values
    layers = net(rng, [120, 8, 4])
    percent = []
    for temperature in (0.1, 1.0, 10.0):
        model = quantise(layers, fe, LABELS, 0, values[:99], temperature=temperature)
        shares = reference.shares(model, reference.scores(model, values))
        percent.append(shares.max(axis=1).mean())
    assert percent[0] > percent[1] > percent[2] >= 25


@pytest.mark.parametrize("scale", [1e-6, 1, 1e4])
def test_weights_of_any_size_fit(scale):
    """600 inputs, all weights alike and all inputs at their end: no sum overflows."""
    fe = front_end(window=100)
    values = np.vstack([np.full((2, 600), v, np.int16) for v in (-32768, 32767, 0)])
    layers = [
        FloatLayer(np.full((8, 600), scale), np.zeros(8), activation="relu"),
        FloatLayer(np.full((4, 8), 1.0) * [[1], [-1], [2], [0.5]], np.zeros(4)),
    ]
    model = quantise(layers, fe, LABELS, 0, values)
    expected = float_scores(layers, values / 32768)
    got = logits(model, values)
    assert (got.argmax(axis=1) == expected.argmax(axis=1))[2:4].all()


def good():
    rng = np.random.default_rng(1)
    fe = front_end(window=4)
    return net(rng, [24, 4, 4]), fe, np.zeros((3, 24), np.int16)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda n: [], "no layers"),
        (lambda n: n[:1], "identity"),
        (lambda n: [dataclasses.replace(n[0], weights=np.full((4, 24), np.nan)), n[1]], "NaN"),
        (lambda n: [dataclasses.replace(n[0], bias=np.full(4, np.inf)), n[1]], "infinite"),
        (lambda n: [dataclasses.replace(n[0], bias=np.zeros(3)), n[1]], "do not fit"),
        (lambda n: [dataclasses.replace(n[0], activation="swish"), n[1]], "swish"),
    ],
)
def test_what_cannot_be_quantised_is_named(change, message):
    layers, fe, values = good()
    with pytest.raises(ModelError, match=message):
        quantise(change(layers), fe, LABELS, 0, values)


def test_calibration_is_needed():
    layers, fe, values = good()
    with pytest.raises(ModelError, match="calibration"):
        quantise(layers, fe, LABELS, 0, values[:0])


# Real gestures


def recordings(folder, every):
    """label -> list of int16 (n, 6), raw counts at 4 g and 500 deg/s."""
    found = {}
    with open(folder / "labels.csv") as file:
        for line in list(file)[1::every]:
            name, _, _, label, _ = line.strip().split(",")
            with gzip.open(folder / "recordings" / f"{name}.csv.gz", "rt") as rows:
                values = np.loadtxt(rows, delimiter=",", skiprows=1)[:, 1:]
            counts = values / [9.80665 * 4] * 32768
            counts[:, 3:] = values[:, 3:] / 500 * 32768
            found.setdefault(label, []).append(np.clip(counts, -32768, 32767).astype(np.int16))
    return found


def trained(x, y, classes, seed=0, epochs=30):
    """A [n, 16, classes] network by Adam, good enough to have an accuracy to lose."""
    rng = np.random.default_rng(seed)
    n = x.shape[1]
    w = [rng.normal(0, (2 / n) ** 0.5, (16, n)), np.zeros(16),
         rng.normal(0, 0.3, (classes, 16)), np.zeros(classes)]
    m, v, step = [0 * p for p in w], [0 * p for p in w], 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for part in np.array_split(order, max(1, len(x) // 64)):
            a = np.maximum(x[part] @ w[0].T + w[1], 0)
            z = a @ w[2].T + w[3]
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(part)), y[part]] -= 1
            back = (p @ w[2]) * (a > 0)
            grads = [back.T @ x[part], back.sum(0), p.T @ a, p.sum(0)]
            step += 1
            for k, g in enumerate(grads):
                g = g / len(part) + 1e-4 * w[k]
                m[k] = 0.9 * m[k] + 0.1 * g
                v[k] = 0.999 * v[k] + 0.001 * g * g
                rate = 3e-3 * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
                w[k] = w[k] - rate * m[k] / (v[k] ** 0.5 + 1e-8)
    return [FloatLayer(w[0], w[1], activation="relu"), FloatLayer(w[2], w[3])]


@pytest.mark.parametrize(
    ("name", "decimation", "window", "every"),
    [("waves_flicks_mpu6050", 1, 40, 1), ("cyberry_wand_mpu6050", 3, 40, 2)],
)
def test_accuracy_is_kept_on_real_gestures(shared_data, name, decimation, window, every, capsys):
    """At most 0.1 points lost against float over thousands of windows never trained on."""
    fe = FrontEnd(100, 4, 500, tuple(Axis(i) for i in range(6)), decimation, window, 1,
                  centre=0b111, level=(16000, 16000), floor=(1000, 1000), measure=PEAK)
    data = recordings(shared_data / name, every)
    x, y, tests, truth = [], [], [], []
    for label, (_, parts) in enumerate(sorted(data.items())):
        for i, frames in enumerate(parts):
            values = reference.features(fe, frames).values
            (x if i % 2 else tests).append(values)
            (y if i % 2 else truth).append(np.full(len(values), label))
    x, y, tests, truth = map(np.concatenate, (x, y, tests, truth))
    layers = trained(x / 32768, y, len(data))
    labels = [f"{i}" for i in range(len(data))]
    expected = (float_scores(layers, tests / 32768).argmax(axis=1) == truth).mean()
    lost = {}
    for fast in (False, True):
        model = quantise(layers, fe, labels, 0, x[::10], fast=fast)
        lost[fast] = points_lost(model, layers, tests, truth)
    with capsys.disabled():
        print(f"\n{name}: {len(tests)} windows, float {100 * expected:.2f} %, "
              f"lost {lost[False]:.3f} points, 6 bits {lost[True]:.3f}")
    assert expected > 0.75
    assert lost[False] <= 0.1
    chosen = choose_form(layers, fe, labels, 0, x[::10], tests, truth)
    assert chosen.fast == (lost[True] <= 0.1)


# MicroMLP's JSON


def micromlp():
    sys.path.insert(0, str(LIB))
    from microMLP import MicroMLP

    return MicroMLP


@pytest.mark.parametrize("output", ["Sigmoid", "TanH", "ReLU"])
def test_a_network_of_micromlp_becomes_a_model(tmp_path, output):
    mlp_class = micromlp()
    random.seed(4)
    net = mlp_class.Create([24, 6, 4], ["TanH", output], mlp_class.LayersFullConnectScaled)
    net.SaveToFile(str(tmp_path / "n.json"))
    fe = front_end(window=4)
    values = np.random.default_rng(2).integers(-32768, 32768, (400, 24)).astype(np.int16)
    model = model_from_json(tmp_path / "n.json", fe, LABELS, 0, values)
    sums = float_scores(read_layers(tmp_path / "n.json"), values / 32768)
    agree = 0
    for row, z, label in zip(values, sums, reference.scores(model, values).argmax(axis=1),
                             strict=True):
        net.Predict([mlp_class.NNValue(-32768, 32768, int(v)) for v in row])
        outs = [n.ComputedOutput for n in net.GetOutputLayer().Neurons]
        f = mlp_class.GetActivationFunction(output)
        assert np.allclose([f(v) for v in z], outs, atol=1e-5)
        agree += label == int(np.argmax(z))
    assert agree >= 396


@pytest.mark.parametrize("fast", [False, True])
def test_a_model_becomes_a_network_of_micromlp(tmp_path, fast):
    """A convolution and a dense layer; MicroMLP's best output is the model's label."""
    mlp_class = micromlp()
    rng = np.random.default_rng(8)
    fe = front_end(3, window=8)
    values = reference.features(fe, walk(rng)).values[:300]
    layers = [
        FloatLayer(rng.normal(0, 0.5, (4, 9)), rng.normal(0, 0.1, 4), 3, 6, "relu"),
        FloatLayer(rng.normal(0, 0.5, (4, 12)), rng.normal(0, 0.1, 4)),
    ]
    model = quantise(layers, fe, LABELS, 0, values, fast=fast)
    expected = logits(model, values)
    taken_apart = float_scores(float_layers(model), values / 32768)
    assert np.abs(taken_apart - expected).max() < (0.6 if fast else 0.01) * expected.std()
    json_from_model(tmp_path / "n.json", model)
    net = mlp_class.LoadFromFile(str(tmp_path / "n.json"))
    for row, z in list(zip(values, taken_apart, strict=True))[::20]:
        got = net.Predict([mlp_class.NNValue(-32768, 32768, int(v)) for v in row])
        assert np.allclose([v.AsAnalogSignal for v in got], 1 / (1 + np.exp(-z)), atol=1e-6)


def test_what_has_no_counterpart_is_named(tmp_path):
    rng = np.random.default_rng(8)
    fe = front_end(window=4)
    values = reference.features(fe, walk(rng)).values[:50]
    model = quantise(net(rng, [24, 4, 4], "tanh"), fe, LABELS, 0, values)
    with pytest.raises(ModelError, match="not a ReLU"):
        json_from_model(tmp_path / "n.json", model)
    with pytest.raises(ModelError, match="Gaussian"):
        write_layers(tmp_path / "n.json", 24, net(rng, [24, 4, 4]), "Gaussian")
    mlp_class = micromlp()
    random.seed(1)
    for names, message in ((["TanH", "Gaussian"], "which class"), (["TanH", "TanH"], "24 inputs")):
        small = mlp_class.Create([24, 3, 4], names, mlp_class.LayersFullConnect)
        small.SaveToFile(str(tmp_path / "n.json"))
        with pytest.raises(ModelError, match=message):
            model_from_json(tmp_path / "n.json", front_end(window=5), LABELS, 0, values)
    (tmp_path / "n.json").write_text('{"Gain": 1, "Layers": [{}]}')
    with pytest.raises(ModelError, match="n.json"):
        read_layers(tmp_path / "n.json")
    with pytest.raises(ModelError, match="No such file"):
        read_layers(tmp_path / "nowhere.json")
