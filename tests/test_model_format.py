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
from host_tools.evaluation.emulator import share_debounce_module
from host_tools.model import format as fmt
from host_tools.model.codec import SECTIONS, decode, encode
from host_tools.model.decision import Decision, settings_of
from host_tools.model.format import ModelError
from host_tools.model.golden import read_model, write_model
from tests.random_models import random_model

rule = share_debounce_module().ShareDebouncer


def same(a, b):
    """Whether two models say the same."""
    if encode(a) != encode(b):
        return False
    for name in ("front_end", "labels", "idle", "debounce", "fast", "notes", "golden", "seed",
                 "activity", "decision", "version", "unknown"):
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


def of_version(version):
    """A model of that version; of version 2, one with every section."""
    for seed in range(1000):
        model = random_model(seed, longest=5)
        full = model.activity and model.decision and model.unknown and model.tables
        if model.version == version and (version == 1 or full):
            return model
    raise AssertionError(version)


def test_header_of_version_1_is_as_documented():
    model = of_version(1)
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


def sections(data):
    """(tag, payload) of each section, in order."""
    found, at = [], 20
    while at < len(data):
        tag, length = struct.unpack_from("<HH", data, at)
        found.append((tag, data[at + 4 : at + 4 + length]))
        at += 4 + length + -length % 4
    return found


def of_sections(data, found):
    """A file of version 2 with these sections and the head of data, sizes and CRC-32 set right."""
    body = b"".join(
        struct.pack("<HH", tag, len(payload)) + payload + bytes(-len(payload) % 4)
        for tag, payload in found
    )
    data = bytearray(data[:20] + body)
    struct.pack_into("<I", data, 12, len(data))
    return resigned(data)


def test_version_2_is_a_head_and_sections():
    model = of_version(2)
    data = encode(model)
    fe = model.front_end
    assert data[:4] == b"BMLP"
    assert struct.unpack_from("<HHIII", data, 4) == (
        2, 20, zlib.crc32(data[12:]), len(data), fmt.work_bytes(model)
    )  # fmt: skip
    found = dict(sections(data))
    assert list(found) == [n for n in range(1, 15) if n != 5 or fe.attitude] + [254, 255]
    assert found[1][:2] == struct.pack("<H", fe.rate_hz) and found[1][6] == fe.mask
    assert found[2] == model.debounce and found[11] == model.notes.encode()
    a, d = model.activity, model.decision
    assert struct.unpack("<HHBBBBHH", found[12]) == (
        a.accel_mul, a.gyro_mul, a.accel_shift, a.gyro_shift, a.lag, a.awake_frames, a.wake_at,
        a.golden,
    )  # fmt: skip
    assert struct.unpack("<5BH3B", found[13][:10]) == (
        d.span, d.threshold_percent, d.by_gesture, d.calm_windows, d.calm_ratio, d.calm_floor,
        d.peak_windows, d.quiet, d.refractory,
    )  # fmt: skip
    assert tuple(found[13][10:]) == d.thresholds
    assert of_sections(data, sections(data)) == data


def test_unknown_sections_are_kept():
    model = of_version(2)
    data = encode(model)
    found = [(tag, payload) for tag, payload in sections(data) if tag not in (14, 254)]
    assert decode(of_sections(data, found)).unknown == ()
    more = sorted([*found, (100, b"x"), (200, b"")])
    assert decode(of_sections(data, more)).unknown == ((100, b"x"), (200, b""))
    assert encode(decode(of_sections(data, more))) == of_sections(data, more)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_sections_that_are_wrong_are_refused(data):
    """Left out, twice, in another order, cut or longer: a ModelError, or the same file again."""
    good = encode(of_version(2))
    found = sections(good)
    for _ in range(data.draw(st.integers(1, 3))):
        i = data.draw(st.integers(0, len(found) - 1))
        how = data.draw(st.integers(0, 4))
        tag, payload = found[i]
        if how == 0:
            found[i:i] = [found[data.draw(st.integers(0, len(found) - 1))]]
        elif how == 1 and len(found) > 1:
            del found[i]
        elif how == 2:
            found[i] = (tag, payload[: data.draw(st.integers(0, len(payload)))])
        elif how == 3:
            found[i] = (tag, payload + data.draw(st.binary(min_size=1, max_size=9)))
        else:
            found[i] = (data.draw(st.integers(0, 300)), payload)
    bad = of_sections(good, found)
    try:
        again = encode(decode(bad))
    except ModelError:
        return
    # The head of 20 bytes may ask for more memory than is needed, as without `activity`.
    assert again[20:] == bad[20:]


@pytest.mark.parametrize("tag", [1, 2, 3, 4, 6, 7, 8, 10, 255])
def test_a_section_that_is_needed_is_asked_for(tag):
    good = encode(of_version(2))
    with pytest.raises(ModelError, match="section|sizes|labels are cut|layers"):
        decode(of_sections(good, [x for x in sections(good) if x[0] != tag]))


def test_version_1_has_no_place_for_a_decision():
    model = of_version(2)
    with pytest.raises(ModelError, match="version 1"):
        encode(dataclasses.replace(model, version=1))
    with pytest.raises(ModelError, match="version 3"):
        encode(dataclasses.replace(model, version=3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"span": 0}, "span 0 is not in 1..64"),
        ({"span": 65}, "span 65"),
        ({"threshold_percent": 0}, "threshold_percent 0"),
        ({"threshold_percent": 101}, "threshold_percent 101"),
        ({"calm_ratio": 65}, "calm_ratio 65"),
        ({"calm_floor": 65536}, "calm_floor"),
        ({"calm_windows": 256}, "calm_windows"),
        ({"peak_windows": 0}, "peak_windows"),
        ({"quiet": 0}, "quiet"),
        ({"refractory": 256}, "refractory"),
        ({"thresholds": (1,)}, "thresholds for 1"),
        ({"thresholds": (1, 0, 5)}, "thresholds .1, 0, 5."),
    ],
)
def test_what_a_decision_cannot_be_is_named(change, message):
    model = next(m for m in map(random_model, range(99)) if m.decision and len(m.labels) == 3)
    decision = dataclasses.replace(Decision(), **change)
    with pytest.raises(ModelError, match=message):
        encode(dataclasses.replace(model, decision=decision))
    if "thresholds" not in change:  # and such settings the rule itself refuses, too
        with pytest.raises(ValueError):
            rule(3, 0, *settings_of(decision))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accel_mul": 16384}, "mul"),
        ({"gyro_mul": -1}, "mul"),
        ({"accel_shift": 32}, "shift"),
        ({"lag": 0}, "lag 0"),
        ({"lag": 9}, "lag 9"),
        ({"wake_at": 65536}, "wake_at"),
        ({"awake_frames": 256}, "awake_frames"),
    ],
)
def test_what_an_activity_cannot_be_is_named(change, message):
    model = of_version(2)
    with pytest.raises(ModelError, match=message):
        encode(dataclasses.replace(model, activity=dataclasses.replace(model.activity, **change)))


def test_the_engine_knows_the_same_sections():
    source = (Path(__file__).parents[1] / "firmware" / "lib" / "microMLP_loader.py").read_text()
    for name in ("description", "scaling", "axes", "activity", "decision"):
        assert f'"{SECTIONS[name][1]}"' in source, name
    for name in ("levelling", "layers"):
        assert f'"{SECTIONS[name][1].rstrip("x")}"' in source, name


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
    model = dataclasses.replace(random_model(2), labels=("a", "b"), idle=0, decision=None)
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
        model, front_end=fe, layers=(big,), labels=tuple("abcdefghijk"), golden=(0,) * 11,
        tables=(), decision=None,
    )  # fmt: skip
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
