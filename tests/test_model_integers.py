"""Quantising by hand: which integers a float network becomes, and that none is wasted.

Case one, 16-bit form. Inputs are 1/32768 with the zero at 32768. The largest weight, 1.0,
becomes 127, so a sum counts in 1 / (32768 * 127).
"""

import dataclasses
import math

import numpy as np
import pytest

from host_tools.model import reference
from host_tools.model.format import CLAMP, TABLE, Axis, FrontEnd, ModelError
from host_tools.model.quantize import FloatLayer, _least_scale, float_scores, quantise

LABELS = ["none", "a", "b", "c"]


def front_end(axes=6, window=4):
    return FrontEnd(100, 4, 500, tuple(Axis(i) for i in range(axes)), 1, window, window)


def rows(*first, size=24):
    """Calibration windows: the first inputs as given (in units of 32768 counts), then zeros."""
    out = np.zeros((len(first), size), np.int16)
    for row, values in zip(out, first, strict=True):
        row[: len(values)] = np.round(np.array(values) * 32768)
    return out


def two_layers(bias=0.25, activation="relu", **more):
    """z0 = x0 + bias, z1 = -x1 / 2, and a last layer that hands on z0, -z0, z1, 1/2."""
    w = np.zeros((2, 24))
    w[0, 0], w[1, 1] = 1.0, -0.5
    last = np.array([[1.0, 0], [-1, 0], [0, 1], [0, 0]])
    return [FloatLayer(w, np.array([bias, 0]), activation=activation, **more),
            FloatLayer(last, np.array([0, 0, 0, 0.5]))]


def in_units(model, values):
    """The scores as natural logits: logit_mul / 2**(18 + logit_shift) of ln 2 each."""
    return reference.scores(model, values) * (
        model.logit_mul / 2**18 * np.log(2) / 2**model.logit_shift)


def test_a_layer_as_worked_by_hand():
    """The largest output met is 0.75 (x0 = 0.5); with one bit to spare the 65536 steps reach
    to 1.5. 1.5 / 65535 is 95.2 units of the sum, so the shift is 7: 128 units."""
    values = rows([0.5, -1.0], [0.0, 0.0], [-1.0, 0.999])
    model = quantise(two_layers(), front_end(), LABELS, 0, values)
    first, last = model.layers
    assert (first.kind, first.shift, first.zero, first.top) == (CLAMP, 7, 0, 65535)
    assert first.weights[0, 0] == 127 and first.weights[1, 1] == -64  # -63.5 to the even one
    assert np.count_nonzero(first.weights) == 2
    # The bias in units of the sum, less the zero times the weights, and half of a step.
    assert first.bias.tolist() == [32768 * 127 // 4 - 32768 * 127 + 64, 32768 * 64 + 64]
    # Its steps are 128 / (32768 * 127) apart, and those of the scores a 127th of that.
    unit = 128 / (32768 * 127)
    assert last.weights.tolist() == [[127, 0], [-127, 0], [0, 127], [0, 0]]
    assert last.bias.tolist() == [0, 0, 0, round(0.5 / unit * 127)]
    octaves = unit / 127 / math.log(2) * 2**18
    assert model.logit_shift == math.floor(math.log2(32767 / octaves))
    assert model.logit_mul == round(octaves * 2**model.logit_shift)


def test_shifting_rounds_to_the_nearest_and_not_down():
    """Without the half in the bias every value between the layers is half a step too low."""
    x0 = np.arange(-20000, 20000, 7) / 32768
    values = rows(*[[x] for x in x0])
    model = quantise(two_layers(0.75), front_end(), LABELS, 0, values)
    layer = model.layers[0]
    u = reference.inputs(model, values)
    got = reference.requantise(model, layer, reference.sums(layer, u))[:, 0]
    step = 2**layer.shift / (32768 * 127)
    off = got - np.maximum(values[:, 0] / 32768 + 0.75, 0) / step
    assert abs(off.mean()) < 0.05 and np.abs(off).max() <= 0.5 + 1e-6


def test_twice_the_strongest_movement_met_still_fits():
    """16 bits keep one of them free for what the calibration did not meet."""
    met = rows([0.249, 0.0], [0.0, -0.498])
    model = quantise(two_layers(0.0), front_end(), LABELS, 0, met)
    layer = model.layers[0]
    assert layer.top >> layer.shift  # there is something to overflow
    strong = rows([0.498, 0.0], [0.0, -0.996])
    got = in_units(model, strong)
    assert got[:, [0, 2]] == pytest.approx(np.array([[0.498, 0], [0, 0.498]]), abs=5e-3)
    # And no more than one: the next octave would be twice as coarse.
    wanted = 2 * 0.249 / 65535 * 32768 * 127
    assert layer.shift == math.ceil(math.log2(wanted))


def test_identity_counts_from_the_middle():
    """Of a layer without a ReLU both signs reach as far."""
    met = rows([0.5, 0.5], [-0.5, -0.5])
    model = quantise(two_layers(0.0, "identity"), front_end(), LABELS, 0, met)
    layer = model.layers[0]
    assert (layer.zero, layer.top) == (32768, 65535)
    # One bit to spare: 1.0 in 32767 steps.
    assert layer.shift == math.ceil(math.log2(1.0 / 32767 * 32768 * 127))
    got = in_units(model, rows([-0.9], [0.9]))
    assert got[:, 0] == pytest.approx([-0.9, 0.9], abs=2e-3)


def test_a_table_as_worked_by_hand():
    """tanh: 1024 places from -4 to 4, each the function in its middle, as 65536 steps of
    -1 to 1."""
    met = rows([0.5], [-0.5])
    model = quantise(two_layers(0.0, "tanh"), front_end(), LABELS, 0, met)
    layer = model.layers[0]
    place = 2**layer.shift / (32768 * 127)
    assert layer.shift == math.ceil(math.log2(4 / 512 * 32768 * 127))
    assert (layer.kind, layer.zero, layer.top, layer.table) == (TABLE, 512, 1023, 0)
    middle = (np.arange(1024) - 511.5) * place
    want = np.round((np.tanh(middle) + 1) / 2 * 65535)
    assert np.abs(model.tables[0] - want).max() == 0
    # No half: the place is the whole stretch between two limits.
    assert layer.bias.tolist() == [-32768 * 127, 32768 * 64]
    got = in_units(model, rows([0.9], [-0.3]))
    assert got[:, 0] == pytest.approx(np.tanh([0.9, -0.3]), abs=place)


@pytest.mark.parametrize(("activation", "low", "high", "edge", "function"), [
    ("sigmoid", 0, 1, 8, lambda z: 1 / (1 + math.exp(-z))),
    ("tanh", -1, 1, 4, math.tanh),
    ("gaussian", 0, 1, 3, lambda z: math.exp(-z * z)),
    ("heaviside", 0, 1, 1, lambda z: float(z >= 0)),
    ("softplus", 0, 8, 8, lambda z: math.log1p(math.exp(z))),
])
@pytest.mark.parametrize("fast", [False, True])
def test_every_table_holds_its_function(activation, low, high, edge, function, fast):
    met = rows([0.5], [-0.5])
    model = quantise(two_layers(0.0, activation), front_end(), LABELS, 0, met, fast=fast)
    layer = model.layers[0]
    scale = 1 / (32 * 31) if fast else 1 / (32768 * 127)
    place = 2**layer.shift * scale
    assert edge / 512 <= place < 2 * edge / 512 or layer.shift == 1  # reaches, and not too far
    top = 63 if fast else 65535
    for i in range(0, 1024, 31):
        z = (i - 511.5) * place
        want = min(top, max(0, round((function(z) - low) / (high - low) * top)))
        assert abs(int(model.tables[0][i]) - want) <= (0 if fast else 1), (i, z)
    x = np.array([[-0.9], [-0.1], [0.1], [0.9]])
    z = float_scores(two_layers(0.0, activation), rows(*x) / 32768)[:, 0]
    assert z == pytest.approx([function(v) for v in np.round(x[:, 0] * 32768) / 32768])


def test_a_second_table_has_its_own_number():
    layers = [*two_layers(0.0, "tanh")[:1],
              FloatLayer(np.eye(2), np.zeros(2), activation="sigmoid"), two_layers()[1]]
    met = rows([0.5, -0.5], [-0.5, 0.9])
    model = quantise(layers, front_end(), LABELS, 0, met)
    assert [layer.table for layer in model.layers[:2]] == [0, 1] and len(model.tables) == 2
    got, want = in_units(model, met), float_scores(layers, met / 32768)
    assert got == pytest.approx(want, abs=0.02)


def candidates(weights, bias, x, u, middle):
    """What each clip and each stretch of the weights would cost in the 6-bit form: the mean
    square error between the values handed on and the float ones, worked out once more here."""
    finest = np.abs(weights).max() / 31
    for clip in (1.0, 0.9, 0.8, 0.7):
        wanted = np.abs(x).max() * clip / (63 - middle)
        for stretch in (1.0, 1.15, 1.3, 1.5, 1.75):
            step = finest * stretch
            shift = max(1, math.ceil(math.log2(wanted * 32 / step) - 1e-9))
            if stretch > 1:
                step = max(step, wanted * 32 / 2**shift)
            w = np.clip(np.rint(weights / step), -31, 31)
            b = np.rint(bias / (step / 32) - 31.5 * w.sum(axis=1) + 2 ** (shift - 1))
            total = (u @ w.T + b).astype(np.int64) >> shift
            got = (np.clip(total + middle, 0, 63) - middle) * 2**shift * step / 32
            yield float(np.square(got - x).mean()), w.astype(int).tolist(), shift, b.tolist()


# Among these each stretch is the best of one, and a smaller clip of some.
@pytest.mark.parametrize("seed", [0, 1, 3, 9, 11, 12, 24, 33, 48, 66, 95, 107, 133, 253])
@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_the_six_bit_form_takes_the_best_of_twenty(seed, activation):
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(0, 0.5, (6, 24)) ** 3, rng.normal(0, 0.3, 6)
    if seed % 2:
        weights = rng.uniform(-1, 1, (2, 24)) * (rng.random((2, 24)) < 0.1)
        bias = rng.uniform(0, 2, 2)
    last = rng.normal(0, 1, (4, len(bias)))
    layers = [FloatLayer(weights, bias, activation=activation), FloatLayer(last, np.zeros(4))]
    met = (rng.normal(0, 0.25, (60, 24)).clip(-1, 0.999) * 32768).astype(np.int16)
    model = quantise(layers, front_end(), LABELS, 0, met, fast=True)
    u = (met.astype(np.int64) + 32768) >> 10
    x = met / 32768 @ weights.T + bias
    middle = 32
    if activation == "relu":
        x, middle = np.maximum(x, 0), 0
    found = list(candidates(weights, bias, x, u, middle))
    layer = model.layers[0]
    best = min(found)
    assert (layer.weights.tolist(), layer.shift, layer.bias.tolist()) == best[1:]
    assert (layer.zero, layer.top) == (middle, 63)


def test_three_axes_in_the_six_bit_form_get_a_fourth():
    """The engine takes two values at once: a frame of 3 axes is padded, as are odd layers."""
    rng = np.random.default_rng(3)
    layers = [FloatLayer(rng.normal(0, 0.5, (3, 6)), rng.normal(0, 0.1, 3), 3, 3, "relu"),
              FloatLayer(rng.normal(0, 0.5, (5, 6)), rng.normal(0, 0.1, 5), 2, 3, "relu", 2),
              FloatLayer(rng.normal(0, 0.5, (4, 5)), np.zeros(4))]
    met = (rng.normal(0, 0.3, (80, 12)).clip(-1, 0.999) * 32768).astype(np.int16)
    model = quantise(layers, front_end(3), LABELS, 0, met, fast=True)
    one, two, three = model.layers
    assert (one.weights.shape, one.positions, one.step, one.pool) == ((4, 8), 3, 4, 1)
    assert (two.weights.shape, two.positions, two.step, two.pool) == ((6, 8), 2, 4, 2)
    assert (three.weights.shape, three.positions) == ((4, 6), 1)
    assert not one.weights[:, 3::4].any() and not one.weights[3].any()
    assert not two.weights[:, 3::4].any() and not two.weights[5].any()
    assert not three.weights[:, 5].any()
    want = float_scores(layers, met / 32768)
    assert np.abs(in_units(model, met) - want).mean() < 0.15 * want.std()
    # The 16-bit form needs none of it, and comes out as it went in.
    wide = quantise(layers, front_end(3), LABELS, 0, met)
    assert [layer.weights.shape for layer in wide.layers] == [(3, 6), (5, 6), (4, 5)]
    assert [(layer.step, layer.pool) for layer in wide.layers] == [(3, 1), (3, 2), (0, 1)]
    assert np.abs(in_units(wide, met) - want).max() < 0.04 * want.std()


def test_the_negative_end_of_three_axes_is_met_as_well():
    """The least input is 0 in the 6-bit form, as is what pads a frame: not to be confused."""
    w = np.zeros((2, 12))
    w[0, 0] = -1.0
    last = FloatLayer(np.array([[1.0, 0], [-1, 0], [0, 1], [0, 0]]), np.zeros(4))
    met = rows([-1.0], [-0.25], size=12)
    model = quantise([FloatLayer(w, np.zeros(2), activation="relu"), last], front_end(3), LABELS,
                     0, met, fast=True)
    assert in_units(model, met)[:, 0] == pytest.approx([1, 0.25], abs=0.06)


def test_a_first_layer_of_broken_frames_is_refused():
    met = rows([0.5], size=12)
    last = FloatLayer(np.ones((4, 4)), np.zeros(4))
    for kernel, step in ((4, 3), (3, 4)):
        layer = FloatLayer(np.ones((2, kernel)), np.zeros(2), 2, step, "relu")
        with pytest.raises(ModelError, match="whole frames of 3 values"):
            quantise([layer, last], front_end(3), LABELS, 0, met, fast=True)


def test_an_odd_layer_before_one_of_broken_positions_is_refused():
    rng = np.random.default_rng(3)
    for kernel, step in ((4, 3), (3, 2)):
        layers = [FloatLayer(rng.normal(0, 0.5, (3, 12)), np.zeros(3), 3, 6, "relu"),
                  FloatLayer(rng.normal(0, 0.5, (4, kernel)), np.zeros(4), 2, step, "relu"),
                  FloatLayer(rng.normal(0, 0.5, (4, 8)), np.zeros(4))]
        met = rows([0.5])
        with pytest.raises(ModelError, match="whole positions of 3 values"):
            quantise(layers, front_end(), LABELS, 0, met, fast=True)


@pytest.mark.parametrize(("fast", "least"), [
    (False, 4 / 512 * 32768 * 127 / 2**31), (True, 4 / 512 * 32 * 31 / 2**31)])
def test_a_table_too_far_from_its_inputs_is_refused(fast, least):
    """Weights so small that the inputs must be shifted by 32 bits, which the engine cannot."""
    for size, fits in ((1.001 * least, True), (0.999 * least, False)):
        layers = two_layers(0.0, "tanh")
        layers[0] = dataclasses.replace(layers[0], weights=np.asarray(layers[0].weights) * size)
        if fits:
            model = quantise(layers, front_end(), LABELS, 0, rows([0.5]), fast=fast)
            assert model.layers[0].shift == 31
        else:
            with pytest.raises(ModelError, match="too far"):
                quantise(layers, front_end(), LABELS, 0, rows([0.5]), fast=fast)


def test_no_sum_can_leave_31_bits():
    """A bias far beyond the weights makes them coarser: 1 % below 2^31 in all, and no more."""
    model = quantise(two_layers(100.0), front_end(), LABELS, 0, rows([0.5], [-0.5]))
    layer = model.layers[0]
    # The true sum for the worst input, x0 = 32767 / 32768 with its bias.
    step = (32767 / 32768 + 100) / 2**31 * 1.01
    assert layer.weights[0, 0] == round(1 / max(1 / 127, step * 32768))
    worst = int(layer.weights[0, 0]) * 65535 + int(layer.bias[0])
    assert 0.97 * 2**31 < worst < 2**31 or layer.weights[0, 0] == 127


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("zero", [0.0, 20_000.0, 32_768.0])
def test_the_finest_scale_is_that_of_the_worst_inputs(fast, zero):
    """Each input at the end, 0 or the top, that adds most; once with a sum that goes up and
    once with one that goes down."""
    top = 63 if fast else 65535
    zero = min(zero, 31.5) if fast else zero
    rng = np.random.default_rng(5)
    for sign in (1, -1):
        w = sign * rng.uniform(-0.2, 1, (3, 2000))
        bias = sign * np.array([0.0, 5e9, 6e9 if fast else 0.0])
        layer, scale = FloatLayer(w, bias), 1 / 32
        worst = 0.0
        for row, b in zip(w, bias, strict=True):
            up = sum(max(v * (0 - zero), v * (top - zero)) for v in row)
            down = sum(min(v * (0 - zero), v * (top - zero)) for v in row)
            worst = max(worst, max(up, -down) + abs(b) / scale)
        found = _least_scale(layer, scale, zero, fast)
        assert found == pytest.approx(1.01 * worst / 2**31, rel=1e-10)
    plain = FloatLayer(np.array([[0.5, -0.25]]), np.zeros(1))
    assert _least_scale(plain, 1 / 32, zero, fast) == 0.5 / (31 if fast else 127)
    nothing = FloatLayer(np.zeros((1, 2)), np.zeros(1))
    assert _least_scale(nothing, 1 / 32, zero, fast) == 1e-9 / (31 if fast else 127)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_finest_scale_counts_the_inputs_of_a_wide_layer(sign):
    """Without a bias: 2000 weights of the 16-bit form, most of them of one sign."""
    w = sign * np.random.default_rng(5).uniform(-0.2, 1, (1, 2000))
    for zero in (0.0, 20_000.0, 32_768.0):
        up = sum(max(v * (0 - zero), v * (65535 - zero)) for v in w[0])
        down = sum(min(v * (0 - zero), v * (65535 - zero)) for v in w[0])
        want = max(1.01 * max(up, -down) / 2**31, np.abs(w).max() / 127)
        found = _least_scale(FloatLayer(w, np.zeros(1)), 1 / 32768, zero, False)
        assert found == pytest.approx(want, rel=1e-10)


def test_one_weight_that_is_not_a_number_is_enough():
    for part, where in (("weights", (1, 2)), ("bias", (1,))):
        layers = two_layers()
        values = np.array(getattr(layers[0], part))
        values[where] = np.nan
        with pytest.raises(ModelError, match="NaN or infinite"):
            quantise([dataclasses.replace(layers[0], **{part: values}), layers[1]], front_end(),
                     LABELS, 0, rows([0.5]))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_temperature_divides_the_logits(temperature):
    met = rows([0.5, -1.0], [0.0, 0.5])
    hot = quantise(two_layers(), front_end(), LABELS, 0, met, temperature=temperature)
    want = float_scores(two_layers(), met / 32768) / temperature
    assert in_units(hot, met) == pytest.approx(want, rel=0.01, abs=1e-3)


def test_what_is_handed_on_with_the_model():
    model = quantise(two_layers(), front_end(), LABELS, 2, rows([0.5]), notes="made by hand",
                     debounce=bytes([50, 3, 0, 5, 0, 0, 0, 0]))
    assert (model.idle, model.notes, model.labels) == (2, "made by hand", tuple(LABELS))
    assert model.debounce == bytes([50, 3, 0, 5, 0, 0, 0, 0])
    assert quantise(two_layers(), front_end(), LABELS, 0, rows([0.5])).debounce == bytes(8)


@pytest.mark.parametrize(("scale", "shift"), [(1e-12, 31), (1e5, 1), (1e7, 1)])
def test_logits_of_any_size_have_a_factor_that_fits(scale, shift):
    layers = two_layers()
    layers[1] = FloatLayer(np.asarray(layers[1].weights) * scale, np.zeros(4))
    model = quantise(layers, front_end(), LABELS, 0, rows([0.5]))
    assert model.logit_shift == shift and 1 <= model.logit_mul <= 32767


@pytest.mark.parametrize(("change", "message"), [
    ({"weights": np.zeros(24)}, "layer 0: weights .24,. and bias .2,. do not fit"),
    ({"bias": np.zeros(3)}, "layer 0: weights .2, 24. and bias .3,. do not fit"),
    ({"weights": np.full((2, 24), np.inf)}, "layer 0 has weights that are NaN"),
    ({"bias": np.full(2, np.nan)}, "layer 0 has weights that are NaN"),
])
def test_weights_that_cannot_be_are_named(change, message):
    layers = two_layers()
    with pytest.raises(ModelError, match=message):
        quantise([dataclasses.replace(layers[0], **change), layers[1]], front_end(), LABELS, 0,
                 rows([0.5]))


def test_no_layers_and_no_known_activation():
    with pytest.raises(ModelError, match="the network has no layers"):
        quantise([], front_end(), LABELS, 0, rows([0.5]))
    with pytest.raises(ModelError, match="'swish' is not one of identity, [a-z]+, [a-z, ]+$"):
        quantise(two_layers(0.0, "swish"), front_end(), LABELS, 0, rows([0.5]))


def test_the_last_layer_must_be_dense():
    wide = FloatLayer(np.ones((4, 1)), np.zeros(4), positions=2, step=1)
    with pytest.raises(ModelError, match="last layer must be dense"):
        quantise([two_layers()[0], wide], front_end(), LABELS, 0, rows([0.5]))


@pytest.mark.parametrize("values", [np.zeros((0, 24), np.int16), np.zeros(24, np.int16)])
def test_calibration_must_be_windows(values):
    with pytest.raises(ModelError, match="calibration needs windows"):
        quantise(two_layers(), front_end(), LABELS, 0, values)
