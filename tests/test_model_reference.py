"""The NumPy reference against plain Python, line by line from docs/model-file.md."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.model import reference
from host_tools.model.format import Layer
from tests.random_models import random_frames, random_front_end, random_model


def clamp16(v):
    return max(-32768, min(32767, v))


def plain_front_end(fe, frames):
    out = []
    d = fe.decimation
    for i in range(0, len(frames) - d + 1, d):
        row = []
        for a in fe.axes:
            total = sum(int(frames[i + k][a.axis]) for k in range(d))
            row.append(clamp16(((total - a.offset) * a.mul) >> a.shift))
        out.append(row)
    return out


def fits(v):
    """A sum as the board makes it: 32 bits hold it."""
    assert -(1 << 31) <= v < 1 << 31
    return v


def plain_turned(matrix, row):
    out = []
    for sensor in range(0, len(row), 3):
        v = row[sensor : sensor + 3]
        for m in matrix:
            out.append(clamp16(fits(m[0] * v[0] + m[1] * v[1] + m[2] * v[2] + 8192) >> 14))
    return out


def plain_quaternions(attitude, window):
    """How each frame is turned against the last one, the last one first."""
    w, x, y, z = 16384, 0, 0, 0
    for later, row in zip(window[:0:-1], window[-2::-1], strict=True):
        yield w, x, y, z
        h = [fits((later[i] + row[i]) * attitude.mul) >> attitude.shift for i in (3, 4, 5)]
        h = [max(-12288, min(12288, v)) for v in h]
        a2 = fits(sum(v * v for v in h)) >> 14
        c = 16384 - (a2 * (16384 - (a2 * (16384 - a2 // 30) >> 14) // 12) >> 15)
        s = 16384 - (a2 * (16384 - (a2 * (16384 - a2 // 42) >> 14) // 20) >> 14) // 6
        i, j, k = (-((v * s + 8192) >> 14) for v in h)
        product = (
            w * c - x * i - y * j - z * k,
            w * i + x * c + y * k - z * j,
            w * j - x * k + y * c + z * i,
            w * k + x * j - y * i + z * c,
        )
        w, x, y, z = (fits(v + 8192) >> 14 for v in product)
    yield w, x, y, z


def plain_level(attitude, window):
    if attitude.mul:
        out = []
        frames = zip(window[::-1], plain_quaternions(attitude, window), strict=True)
        for row, (w, x, y, z) in frames:
            matrix = (
                (16384 - ((y * y + z * z) >> 13), (x * y - w * z) >> 13, (x * z + w * y) >> 13),
                ((x * y + w * z) >> 13, 16384 - ((x * x + z * z) >> 13), (y * z - w * x) >> 13),
                ((x * z - w * y) >> 13, (y * z + w * x) >> 13, 16384 - ((x * x + y * y) >> 13)),
            )
            out.insert(0, plain_turned(matrix, row))
        window = out
    if not any(attitude.up):
        return window
    g = [sum(row[i] for row in window) // len(window) >> 2 for i in range(3)]
    size = math.isqrt(sum(v * v for v in g))
    if size < 16:
        return window
    gx, gy, gz = (fits(v * ((1 << 28) // size)) >> 14 for v in g)
    ux, uy, uz = attitude.up
    c = fits(gx * ux + gy * uy + gz * uz) >> 14
    v = [(gy * uz - gz * uy) >> 14, (gz * ux - gx * uz) >> 14, (gx * uy - gy * ux) >> 14]
    k = (1 << 28) // max(16384 + c, 819)
    cross = ((0, -v[2], v[1]), (v[2], 0, -v[0]), (-v[1], v[0], 0))
    matrix = [
        [cross[i][j] + c * (i == j) + (fits((v[i] * v[j] >> 14) * k) >> 14) for j in range(3)]
        for i in range(3)
    ]
    return [plain_turned(matrix, row) for row in window]


def plain_window(fe, window):
    """Normalised values, and whether the window is still."""
    if fe.attitude:
        window = plain_level(fe.attitude, window)
    n, columns = len(window), list(zip(*window, strict=True))
    means = [sum(c) // n for c in columns]
    factors, gated, moving = {0: 1024, 1: 1024}, False, False
    for group in (0, 1):
        use = [i for i, a in enumerate(fe.axes) if (a.axis > 2) == bool(group)]
        away = [abs(v - means[i]) for i in use for v in columns[i]]
        if not away:
            continue
        spread = sum(away) // len(away)
        if fe.gate[group]:
            gated = True
            moving = moving or spread >= fe.gate[group]
        if fe.level[group]:
            size = max(spread if fe.measure else max(away), fe.floor[group])
            factors[group] = (fe.level[group] << 10) // size
    values = []
    for row in window:
        for i, (v, a) in enumerate(zip(row, fe.axes, strict=True)):
            z = clamp16(v - means[i]) if fe.centre >> a.axis & 1 else v
            values.append(clamp16(z * factors[a.axis > 2] >> 10))
    return values, gated and not moving


@given(st.integers(0, 10**6))
@settings(max_examples=120, deadline=None)
def test_features(seed):
    model = random_model(seed)
    fe = model.front_end
    frames = random_frames(model, seed)
    rows = plain_front_end(fe, frames)
    assert np.array_equal(reference.front_end(fe, frames), np.array(rows))
    found = reference.features(fe, frames)
    starts = range(0, len(rows) - fe.window + 1, fe.hop)
    assert [int(e) for e in found.end] == [(s + fe.window) * fe.decimation - 1 for s in starts]
    for k, s in enumerate(starts):
        values, still = plain_window(fe, rows[s : s + fe.window])
        assert bool(found.still[k]) == still
        if not still:
            assert found.values[k].tolist() == values


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_layers(seed):
    model = random_model(seed)
    values = np.random.default_rng(seed).integers(-32768, 32768, (2, model.front_end.window
                                                  * len(model.front_end.axes))).astype(np.int16)
    got = reference.scores(model, values)
    for row, expected in zip(reference.inputs(model, values).tolist(), got, strict=True):
        u = row
        for layer in model.layers:
            out = []
            for p in range(layer.positions):
                part = u[p * layer.step : p * layer.step + layer.inputs]
                for j in range(layer.outputs):
                    w = layer.weights[j].tolist()
                    s = sum(x * y for x, y in zip(part, w, strict=True)) + int(layer.bias[j])
                    s = (s + 2**31) % 2**32 - 2**31
                    out.append(s)
            if layer is model.layers[-1]:
                assert out == expected.tolist()
                break
            out = [max(0, min(layer.top, (s >> layer.shift) + layer.zero)) for s in out]
            if layer.kind:
                out = [int(model.tables[layer.table][v]) for v in out]
            m = layer.outputs
            groups = [out[g * layer.pool * m : (g + 1) * layer.pool * m]
                      for g in range(layer.positions // layer.pool)]
            u = [max(g[j::m]) for g in groups for j in range(m)]


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=2, max_size=8),
       st.integers(1024, 32767), st.integers(1, 31))
@settings(max_examples=300, deadline=None)
def test_confidence_is_the_softmax(scores, mul, shift):
    model = dataclasses.replace(random_model(1), logit_mul=mul, logit_shift=shift)
    got = int(reference.shares(model, np.array([scores], np.int32)).max())
    octaves = [((max(scores) >> shift) - (s >> shift)) * mul / 2**18 for s in scores]
    true = 100 / sum(2.0 ** -min(o, 100) for o in octaves)
    assert abs(got - true) <= 1.5
    assert 0 < got <= 100


def test_two_to_the_minus_f():
    """The polynomial is within 0.4 % of 2**-f."""
    f = np.arange(256)
    got = 32768 - 86 * f + (22 * f * f >> 8)
    assert np.abs(got / 32768 / 2.0 ** (-f / 256) - 1).max() < 0.004


def test_short_recordings_have_no_windows():
    model = random_model(3)
    for n in (0, 1, model.front_end.window * model.front_end.decimation - 1):
        result = reference.run(model, np.zeros((n, 6), np.int16))
        assert [len(x) for x in result] == [0] * 6
        assert result.scores.shape == (0, len(model.labels))


def test_frames_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(n, 6\)"):
        reference.front_end(random_front_end(np.random.default_rng(1)), np.zeros((5, 3)))


def test_a_recording_is_the_same_in_pieces_of_memory(monkeypatch):
    model = random_model(11)
    frames = np.concatenate([random_frames(model, s) for s in range(5)])
    whole = reference.run(model, frames)
    monkeypatch.setattr(reference, "_CHUNK_VALUES", 50)
    for a, b in zip(whole, reference.run(model, frames), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("bias", [0, 1 << 30, -(1 << 31)])
def test_sums_wrap_as_the_engines(bias):
    """Against Python's integers, once within 32 bits and twice beyond."""
    rng = np.random.default_rng(3)
    weights = rng.integers(-127, 128, (3, 600)).astype(np.int8)
    weights[0] = 127
    layer = Layer(weights, np.array([bias, 5, -7], np.int32), positions=4, step=7)
    u = rng.integers(0, 65536, (2, 621)).astype(np.int32)
    u[0] = 65535
    got = reference.sums(layer, u)
    for k, row in enumerate(u.tolist()):
        for p in range(4):
            for j in range(3):
                whole = int(layer.bias[j]) + sum(
                    a * b for a, b in zip(row[7 * p :], weights[j].tolist(), strict=False))
                assert got[k, p, j] == (whole + (1 << 31)) % (1 << 32) - (1 << 31)
