"""The model file: to bytes and back, bad bytes, atomic writing."""

import dataclasses
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.errors import BeckonError
from host_tools.model import format as fmt
from host_tools.model.format import ModelError, decode, encode
from host_tools.model.golden import read_model, write_model
from tests.random_models import random_model


def same(a, b):
    """Whether two models say the same."""
    if encode(a) != encode(b):
        return False
    for name in ("front_end", "labels", "idle", "debounce", "fast", "notes", "golden", "seed"):
        if getattr(a, name) != getattr(b, name):
            return False
    for x, y in zip(a.layers, b.layers, strict=True):
        if not (np.array_equal(x.weights, y.weights) and np.array_equal(x.bias, y.bias)):
            return False
    return True


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_round_trip(seed):
    model = random_model(seed)
    assert same(decode(encode(model)), model)


def test_header_is_as_documented():
    model = random_model(3)
    data = encode(model)
    fe = model.front_end
    assert data[:4] == b"BMLP"
    assert struct.unpack_from("<HHIII", data, 4) == (
        1, 68, zlib.crc32(data[12:]), len(data), fmt.work_bytes(model)
    )  # fmt: skip
    assert struct.unpack_from("<HBBH", data, 20) == (
        fe.rate_hz, fe.accel_g, len(model.labels), fe.gyro_dps
    )  # fmt: skip
    assert data[26] == fe.mask and data[27] == fe.decimation
    assert struct.unpack_from("<HH", data, 28) == (fe.window, fe.hop)
    assert data[36:44] == model.debounce
    assert model.model_id == f"{zlib.crc32(data[12:]):08x}"


def resigned(data):
    data = bytearray(data)
    struct.pack_into("<I", data, 8, zlib.crc32(data[12:]))
    return bytes(data)


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_every_flipped_byte_is_seen(seed):
    data = encode(random_model(seed, longest=4))
    for at in range(len(data)):
        bad = bytearray(data)
        bad[at] ^= 1 << at % 8
        with pytest.raises(ModelError):
            decode(bytes(bad))
        try:
            decode(resigned(bad))  # sound or refused; anything else is a fault of ours
        except ModelError:
            pass


def test_every_cut_is_seen():
    data = encode(random_model(5, longest=4))
    for n in range(len(data)):
        with pytest.raises(ModelError):
            decode(data[:n])
    with pytest.raises(ModelError):
        decode(data + b"\0")


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_foreign_bytes_are_refused(data):
    with pytest.raises(ModelError):
        decode(data)
    with pytest.raises(ModelError):
        decode(b"BMLP" + data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ("a", "a")}, "repeat"),
        ({"labels": ("a", "")}, "empty"),
        ({"idle": 9}, "idle 9"),
        ({"debounce": b"123"}, "3 bytes"),
        ({"layers": ()}, "layers"),
        ({"logit_shift": 0}, "scale"),
        ({"golden": ()}, "sealed"),
        ({"notes": "x" * 70000}, "notes"),
    ],
)
def test_what_cannot_be_expressed_is_named(change, message):
    model = dataclasses.replace(random_model(2), labels=("a", "b"), idle=0)
    model = dataclasses.replace(model, layers=(dense(model, 2),), golden=(0, 0), tables=())
    with pytest.raises(ModelError, match=message):
        encode(dataclasses.replace(model, **change))


def dense(model, classes):
    inputs = model.front_end.window * model.stride
    return fmt.Layer(np.zeros((classes, inputs), np.int8), np.zeros(classes, np.int32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decimation": 65}, "decimation"),
        ({"window": 2000}, "window 2000"),
        ({"hop": 0}, "hop 0"),
        ({"axes": ()}, "axes"),
        ({"axes": (fmt.Axis(0), fmt.Axis(0))}, "ascending"),
        ({"axes": (fmt.Axis(0, mul=32767, offset=2**30),)}, "overflows"),
        ({"centre": 1 << 5, "axes": (fmt.Axis(0),)}, "centred"),
        ({"level": (320, 0), "floor": (10, 0)}, "level 320"),
        ({"rate_hz": 0}, "rate"),
    ],
)
def test_what_the_front_end_cannot_be_is_named(change, message):
    model = random_model(2)
    changed = dataclasses.replace(model.front_end, **change)
    with pytest.raises(ModelError, match=message):
        encode(dataclasses.replace(model, front_end=changed))


def test_the_size_limit_is_named():
    model = random_model(2)
    fe = dataclasses.replace(random_model(2).front_end, window=1024, hop=1, centre=0, attitude=None,
                             axes=(fmt.Axis(0), fmt.Axis(1)))
    big = fmt.Layer(np.zeros((11, 2048), np.int8), np.zeros(11, np.int32))
    model = dataclasses.replace(
        model, front_end=fe, layers=(big,), labels=tuple("abcdefghijk"), golden=(0,) * 11, tables=()
    )
    with pytest.raises(ModelError, match="20000"):
        encode(dataclasses.replace(model, fast=False))


def test_files(tmp_path):
    model = random_model(7)
    path = tmp_path / "m.mlp"
    assert write_model(path, model) == len(encode(model)) == path.stat().st_size
    assert same(read_model(path), model)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(BeckonError, match=r"nowhere.mlp: No such file"):
        read_model(tmp_path / "nowhere.mlp")
    path.write_bytes(b"BM")
    with pytest.raises(BeckonError, match="m.mlp: model: 2 bytes"):
        read_model(path)
    with pytest.raises(BeckonError, match="m.mlp: model: scores of the golden window differ"):
        write_model(path, dataclasses.replace(model, golden=tuple(v ^ 1 for v in model.golden)))
        read_model(path)


def test_a_failed_write_leaves_the_old_model(tmp_path, monkeypatch):
    path = tmp_path / "m.mlp"
    write_model(path, random_model(7))
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BeckonError, match="No space left"):
        write_model(path, random_model(8))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(BeckonError, match="nowhere"):
        write_model(Path(tmp_path / "nowhere" / "m.mlp"), random_model(8))
