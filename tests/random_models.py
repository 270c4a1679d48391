"""Random models for the tests: every field of the format, saturation, odd sizes."""

from dataclasses import replace

import numpy as np

from host_tools.model.attitude import ONE, Attitude
from host_tools.model.decision import Activity, Decision
from host_tools.model.format import (
    CLAMP,
    TABLE,
    TABLE_SIZE,
    Axis,
    FrontEnd,
    Layer,
    Model,
)
from host_tools.model.golden import filled_in


def random_front_end(rng, longest=12):
    axes = sorted(int(a) for a in rng.choice(6, rng.integers(1, 7), replace=False))
    if levelled := rng.random() < 0.3:
        axes = list(range(int(rng.choice([3, 6]))))
    decimation = int(rng.integers(1, 5))
    window = int(rng.integers(2, longest + 1))
    scaled = []
    for axis in axes:
        offset = int(rng.integers(-20000, 20000))
        most = min(32767, (1 << 31) // (32768 * decimation + abs(offset) + 1))
        mul = int(rng.integers(-most, most + 1))
        shift = int(np.log2(abs(mul) * decimation + 1)) + int(rng.integers(-2, 3))
        scaled.append(Axis(axis, offset, mul, max(0, min(31, shift))))
    mask = sum(1 << a for a in axes)
    level, floor, gate = [0, 0], [0, 0], [0, 0]
    if rng.random() < 0.5:
        for group in range(2):
            if rng.random() < 0.6:
                floor[group] = int(rng.integers(1, 3000))
                level[group] = int(rng.integers(1, min(32767, 31 * floor[group]) + 1))
            if rng.random() < 0.4:
                gate[group] = int(rng.integers(0, int(rng.choice([3000, 30000]))))
    return FrontEnd(
        int(rng.integers(1, 1000)), int(rng.choice([2, 4, 8, 16])),
        int(rng.choice([250, 500, 1000, 2000])), tuple(scaled), decimation, window,
        int(rng.integers(1, window + 1)),
        centre=mask & int(rng.integers(0, 64)) if rng.random() < 0.6 else 0,
        level=tuple(level), floor=tuple(floor), gate=tuple(gate), measure=int(rng.integers(2)),
        attitude=random_attitude(rng, axes) if levelled else None,
    )  # fmt: skip


def random_attitude(rng, axes):
    """Slow and fast turning, up to what no window can follow."""
    up = rng.normal(size=3) if rng.random() < 0.8 else np.eye(3)[rng.integers(3)]
    up = np.rint(up / np.linalg.norm(up) * ONE)
    mul = int(rng.integers(0, 32768)) if len(axes) == 6 else 0
    if mul and rng.random() < 0.2:
        up[:] = 0
    return Attitude(tuple(int(u) for u in up), mul, int(rng.integers(0, 32)))


def random_model(seed, longest=12):
    """A sound model, golden window included; the same for the same seed."""
    rng = np.random.default_rng(seed)
    front_end = random_front_end(rng, longest)
    fast = bool(rng.integers(2))
    axes = len(front_end.axes)
    given = front_end.window * (axes + axes % 2 if fast else axes)
    classes = int(rng.integers(2, 7))
    layers, tables = [], []
    count = int(rng.integers(1, 4))
    for i in range(count):
        last = i == count - 1
        layer, table = _random_layer(rng, given, classes if last else 0, fast, len(tables))
        if table is not None:
            tables.append(table)
        layers.append(layer)
        given = layer.values
    model = Model(
        front_end, tuple(layers), tuple(f"label {i} é" for i in range(classes)),
        int(rng.integers(classes)), int(rng.integers(0, 32768)), int(rng.integers(1, 32)),
        bytes(int(x) for x in rng.integers(0, 256, 8)), tuple(tables), fast, "notes ü",
        int(rng.integers(1, 65536)),
    )  # fmt: skip
    if rng.random() < 0.3:
        model = replace(model, version=1)
    else:
        model = replace(
            model,
            activity=random_activity(rng) if rng.random() < 0.7 else None,
            decision=random_decision(rng, classes) if rng.random() < 0.7 else None,
            unknown=((14, b"later"), (254, bytes(7))) if rng.random() < 0.2 else (),
        )
    return filled_in(model)  # not seal: a golden window may be still here


def random_activity(rng):
    """From one that sees the least noise to one that hardly sees anything, asleep and awake."""
    return Activity(
        int(rng.integers(0, 16384)), int(rng.integers(6, 22)), int(rng.integers(0, 16384)),
        int(rng.integers(6, 22)), int(rng.integers(1, 9)), int(rng.integers(0, 2000)),
        int(rng.integers(0, 6)),
    )  # fmt: skip


def random_decision(rng, classes):
    """Settings with which random shares and activities give events."""
    return Decision(
        int(rng.integers(1, 9)), int(rng.integers(1, 101)), bool(rng.integers(2)),
        int(rng.integers(0, 4)), int(rng.integers(0, 65)), int(rng.integers(0, 100)),
        int(rng.integers(1, 12)), int(rng.integers(1, 5)), int(rng.integers(0, 12)),
        tuple(int(x) for x in rng.integers(1, 101, classes)) if rng.random() < 0.5 else (),
    )  # fmt: skip


def _random_layer(rng, given, classes, fast, number):
    most, top = (31, 63) if fast else (127, 65535)
    positions, step, pool = 1, 0, 1
    inputs = int(rng.integers(1, given + 1))
    outputs = classes or int(rng.integers(1, 9))
    if classes and rng.random() < 0.7:
        inputs = given
    if not classes:
        outputs += fast and outputs % 2
        if rng.random() < 0.6 and given - inputs >= 2:
            step = int(rng.integers(1, given - inputs + 1))
            step = max(2, step & -2) if fast else step
            if step <= given - inputs:
                positions = min(12, (given - inputs) // step + 1)
                pool = int(rng.choice([d for d in range(1, positions + 1) if positions % d == 0]))
    w = rng.integers(-most, most + 1, (outputs, inputs)).astype(np.int8)
    if rng.random() < 0.2:
        w[:] = most * rng.choice([-1, 1])
    if rng.random() < 0.2:
        bias = rng.integers(-(2**31), 2**31, outputs)
    else:
        zero = (32 if fast else 32768) if rng.random() < 0.7 else 0
        bias = rng.integers(-1000, 1000, outputs) - zero * w.astype(int).sum(axis=1)
    bias = bias.astype(np.uint32).astype(np.int32)
    size = np.log2(inputs * most * top / 8 + 2) + rng.integers(-2, 3)
    if not classes and rng.random() < 0.5:
        shift = int(np.clip(size - 9, 1, 31))
        table = rng.integers(0, top + 1, TABLE_SIZE).astype(np.uint16)
        return Layer(w, bias, positions, step, pool, TABLE, shift, 512, 1023, number), table
    zero = 0 if rng.random() < 0.5 else (top + 1) // 2
    end = top if rng.random() < 0.8 else max(zero, top // 2)
    shift = int(np.clip(size - (5 if fast else 15), 1, 31))
    return Layer(w, bias, positions, step, pool, CLAMP, shift, zero, end), None


def random_frames(model, seed):
    """int16 (n, 6): three windows' worth, loud and quiet, a tenth at the lower end."""
    rng = np.random.default_rng(seed + 1_000_000)
    n = model.front_end.window * model.front_end.decimation * 3
    frames = rng.integers(-32768, 32768, (n, 6)) >> rng.integers(0, 8, (n, 1))
    frames[rng.random((n, 6)) < 0.1] = -32768
    return frames.astype(np.int16)
