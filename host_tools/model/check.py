"""What a model file can express, and what the engine can run."""

from __future__ import annotations

import numpy as np

from host_tools.model.attitude import ONE, Attitude
from host_tools.model.decision import (
    DECISION_RANGES,
    MUL_MAX,
    SHIFT_MAX,
    Activity,
    Decision,
)
from host_tools.model.format import (
    CLAMP,
    FIRST_UNKNOWN,
    LAST_TAG,
    MEAN,
    PEAK,
    TABLE,
    TABLE_SIZE,
    WORK_MAX,
    Layer,
    Model,
    ModelError,
    work_bytes,
)


def need(condition: object, *why: object) -> None:
    if not condition:
        raise ModelError("model: " + " ".join(str(part) for part in why))


def check(model: Model) -> None:
    """Raise ModelError unless the model can be expressed and run."""
    fe = model.front_end
    n, hop = fe.window, fe.hop
    need(0 < fe.rate_hz < 65536 and 0 < fe.accel_g < 256 and 0 < fe.gyro_dps < 65536,
          "rate or range is outside the format")
    order = [a.axis for a in fe.axes]
    need(order and order == sorted(set(order)) and 0 <= order[0] and order[-1] < 6,
          "axes must be some of 0 to 5, ascending, not", order)
    need(0 < fe.decimation <= 64, "decimation", fe.decimation, "is not in 1..64")
    need(0 < n <= 1024 and 0 < hop <= n,
          "window", n, "must be in 1..1024, hop", hop, "at most that")
    for a in fe.axes:
        need(0 <= a.shift < 32 and -32768 <= a.mul < 32768, "axis", a.axis, "mul or shift")
        need((abs(a.offset) + 32768 * fe.decimation) * abs(a.mul) < 1 << 31,
              "axis", a.axis, "overflows: mul", a.mul, "offset", a.offset)
    need(0 <= fe.centre and fe.centre & ~fe.mask == 0, "centred axes are not all in use")
    for level, low, gate in zip(fe.level, fe.floor, fe.gate, strict=True):
        need(0 <= level < 32768 and 0 <= low < 32768 and level <= 31 * low,
              "level", level, "must be at most 31 times floor", low)
        need(0 <= gate < 65536, "gate", gate)
    need(fe.measure in (PEAK, MEAN), "measure", fe.measure)
    if fe.attitude is not None:
        _check_attitude(fe.attitude, fe.mask)
    need(2 <= len(model.labels) <= 32, len(model.labels), "labels, 2 to 32 are possible")
    need(len(set(model.labels)) == len(model.labels), "labels repeat:", ", ".join(model.labels))
    for label in model.labels:
        need(0 < len(label.encode()) < 256, "label", repr(label), "is empty or too long")
    need(0 <= model.idle < len(model.labels), "idle", model.idle, "is not a label's index")
    need(len(model.debounce) == 8, "debounce has", len(model.debounce), "bytes, not 8")
    _check_version(model)
    if model.activity is not None:
        _check_activity(model.activity)
    if model.decision is not None:
        _check_decision(model.decision, len(model.labels))
    need(0 <= model.logit_mul < 32768 and 0 < model.logit_shift < 32, "scale of the scores")
    need(0 < model.seed < 65536, "seed", model.seed)
    need(0 < len(model.layers) <= 8 and len(model.tables) <= 4, "more than 8 layers or 4 tables")
    for table in model.tables:
        need(table.shape == (TABLE_SIZE,) and table.dtype == np.uint16,
              "a table is not uint16 (1024,)")
        need(not model.fast or table.max() < 64, "a table's values need more than 6 bits")
    given = n * model.stride
    for i, layer in enumerate(model.layers):
        _check_layer(model, i, layer, given)
        given = layer.values
    need(given == len(model.labels) and model.layers[-1].positions == 1,
          "the last layer gives", given, "scores for", len(model.labels), "labels")
    work = work_bytes(model)
    need(work <= WORK_MAX, "needs", work, "bytes of memory,", WORK_MAX, "are allowed")


def _check_version(model: Model) -> None:
    need(model.version in (1, 2), "version", model.version, "is not known, 1 and 2 are")
    later = model.activity is not None or model.decision is not None or model.unknown
    need(model.version == 2 or not later, "a file of version 1 has no place for a decision")
    tags = [tag for tag, _ in model.unknown]
    need(tags == sorted(set(tags)) and all(FIRST_UNKNOWN <= tag < LAST_TAG for tag in tags),
         "unknown sections have the tags", tags)


def _check_activity(a: Activity) -> None:
    need(0 <= a.accel_mul <= MUL_MAX and 0 <= a.gyro_mul <= MUL_MAX, "activity: mul")
    need(0 <= a.accel_shift <= SHIFT_MAX and 0 <= a.gyro_shift <= SHIFT_MAX, "activity: shift")
    need(1 <= a.lag <= 8, "activity: lag", a.lag, "is not in 1..8")
    need(0 <= a.wake_at < 65536, "activity: wake_at", a.wake_at, "is not in 0..65535")
    need(0 <= a.awake_frames < 256, "activity: awake_frames", a.awake_frames, "is not in 0..255")
    need(0 <= a.golden < 65536, "activity: golden", a.golden)


def _check_decision(d: Decision, labels: int) -> None:
    for name, (low, high) in DECISION_RANGES.items():
        value = getattr(d, name)
        need(low <= value <= high, "decision:", name, value, f"is not in {low}..{high}")
    need(len(d.thresholds) in (0, labels), "decision: thresholds for", len(d.thresholds),
         "labels, the model has", labels)
    need(all(1 <= t <= 100 for t in d.thresholds), "decision: thresholds", d.thresholds,
         "are not all in 1..100")


def _check_attitude(a: Attitude, mask: int) -> None:
    need(mask == 63 or mask == 7 and not a.mul, "levelling needs ax to az, turning all axes")
    need(0 <= a.mul < 32768 and 0 <= a.shift < 32, "levelling: mul or shift")
    size = sum(u * u for u in a.up) / ONE**2
    need(max(map(abs, a.up)) < 32768 and (0.96 <= size <= 1.04 or a.mul and not any(a.up)),
          "levelling: up", a.up)


def _check_layer(model: Model, i: int, layer: Layer, given: int) -> None:
    reads = (layer.positions - 1) * layer.step + layer.inputs
    most = 31 if model.fast else 127
    need(layer.weights.dtype == np.int8 and layer.bias.dtype == np.int32, "layer", i, "types")
    need(layer.bias.shape == (layer.outputs,), "layer", i, "bias has shape", layer.bias.shape)
    need(layer.weights.size and layer.positions > 0 and reads <= given,
          "layer", i, "reads", reads, "values of", given)
    need(0 <= layer.step < 65536, "layer", i, "step", layer.step)
    need(np.abs(layer.weights.astype(int)).max() <= most, "layer", i, "has weights beyond", most)
    need(layer.pool > 0 and layer.positions % layer.pool == 0,
          "layer", i, "pools", layer.positions, "positions by", layer.pool)
    need(layer.kind in (CLAMP, TABLE) and 0 < layer.shift < 32, "layer", i, "kind or shift")
    limit = TABLE_SIZE if layer.kind == TABLE else 64 if model.fast else 65536
    need(0 <= layer.zero <= layer.top < limit, "layer", i, "zero", layer.zero, "top", layer.top)
    need(layer.kind == CLAMP or layer.table < len(model.tables), "layer", i, "has no table")
    last = i == len(model.layers) - 1
    need(not model.fast or last or not (layer.step | layer.outputs) & 1,
          "layer", i, "has an odd step or an odd number of outputs in the fast form")
