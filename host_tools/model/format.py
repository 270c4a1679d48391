"""The model file (`*.mlp`), version 1: what it holds, to bytes and back.

docs/model-file.md describes every field. `decode` and `encode` raise ModelError
with one line that says what is wrong. Whatever decodes here loads on the board,
and the other way round. host_tools.model.golden reads and writes files.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from host_tools.errors import BeckonError
from host_tools.model.attitude import ONE, Attitude
from host_tools.model.decision import Activity, Decision

FILE_MAX = 20_000  # bytes
WORK_MAX = 32_768  # bytes
AXES = ("ax", "ay", "az", "gx", "gy", "gz")
PEAK, MEAN = 0, 1  # FrontEnd.measure
CLAMP, TABLE = 0, 1  # Layer.kind
TABLE_SIZE = 1024

_MAGIC = b"BMLP"
_VERSION = 1
_HEADER = struct.Struct("<4sHHIII HBBHBB HHBBBB 8s HBB HHHHHH BBHHH")
_AXIS = struct.Struct("<ihBB")
_ATTITUDE = struct.Struct("<hhhHBxxx")
_LAYER = struct.Struct("<HHHHHBBHHBxxx")
_STATE_WORDS = 64  # more than the engine has, so that it can grow
_LAYER_WORDS = 16


class ModelError(BeckonError, ValueError):
    """A model that cannot be used, or cannot be expressed in the format."""


@dataclass(frozen=True)
class Axis:
    """One axis in use: y = clamp16(((sum - offset) * mul) >> shift).

    axis: 0..5 for ax ay az gx gy gz. sum: over `decimation` raw counts.
    """

    axis: int
    offset: int = 0
    mul: int = 1
    shift: int = 0


@dataclass(frozen=True)
class FrontEnd:
    """From raw int16 counts to the first layer's int16 inputs.

    rate_hz, accel_g, gyro_dps: the sensor's sample rate and ranges.
    axes: the axes in use, ascending.
    decimation: raw frames summed to one frame, 1..64.
    window, hop: frames (after decimation) a window and between windows.
    centre: mask (bit 0 ax .. bit 5 gz) of axes from which the window's mean
        is taken off.
    level, floor: for accelerometer and gyroscope, 0 or the value to which the
        window's amplitude is scaled, and the smallest amplitude scaled so:
        factor = level / max(amplitude, floor). level <= 31 * floor.
    measure: amplitude is the PEAK or the MEAN of |y - mean|.
    gate: for accelerometer and gyroscope, 0 or the mean of |y - mean| from
        which on the window counts as moving; a window that moves in neither
        is `idle` without the network being asked.
    attitude: how windows are levelled before that; None: they are not. Needs
        all axes of the accelerometer, or all six.
    """

    rate_hz: int
    accel_g: int
    gyro_dps: int
    axes: tuple[Axis, ...]
    decimation: int
    window: int
    hop: int
    centre: int = 0
    level: tuple[int, int] = (0, 0)
    floor: tuple[int, int] = (0, 0)
    gate: tuple[int, int] = (0, 0)
    measure: int = PEAK
    attitude: Attitude | None = None

    @property
    def mask(self) -> int:
        return sum(1 << a.axis for a in self.axes)

    @property
    def prepared(self) -> bool:
        """Whether windows are normalised or gated before the first layer."""
        return bool(self.centre or any(self.level) or any(self.gate) or self.attitude)

    @property
    def window_ms(self) -> float:
        return 1000 * self.window * self.decimation / self.rate_hz

    @property
    def hop_ms(self) -> float:
        return 1000 * self.hop * self.decimation / self.rate_hz


@dataclass(frozen=True, eq=False)
class Layer:
    """The dense kernel `weights` at `positions` places of its input, `step` apart.

    weights : int8 (outputs, inputs). bias : int32 (outputs,), for unsigned
    inputs: the inputs' zero point times the sum of the weights is taken off.
    A value between layers is clamp((sum >> shift) + zero, 0, top), through
    table number `table` if kind is TABLE, then the largest of `pool` positions.
    The last layer's int32 sums are the scores.
    """

    weights: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int32]
    positions: int = 1
    step: int = 0
    pool: int = 1
    kind: int = CLAMP
    shift: int = 1
    zero: int = 0
    top: int = 0
    table: int = 0

    @property
    def outputs(self) -> int:
        return self.weights.shape[0]

    @property
    def inputs(self) -> int:
        return self.weights.shape[1]

    @property
    def values(self) -> int:
        """How many values the layer hands on."""
        return self.positions // self.pool * self.outputs

    @property
    def macs(self) -> int:
        return self.weights.size * self.positions


@dataclass(frozen=True, eq=False)
class Model:
    """All that a model file holds.

    debounce: 8 bytes: threshold_percent, min_count, min_span, quiet,
        refractory, majority_of and two reserved zeros: the counting rule, not
        used when there is a decision.
    activity: how movement is measured; None: it is not.
    decision: the rule on shares; None: the counting rule.
    tables : uint16 (1024,) each. fast: weights of 6 bits, values of 6 bits.
    logit_mul, logit_shift: (difference of scores >> logit_shift) * logit_mul
        is in units of 2**-18 of a factor of two (see reference.confidence).
    golden: the scores of the golden window; `seal` fills them in.
    """

    front_end: FrontEnd
    layers: tuple[Layer, ...]
    labels: tuple[str, ...]
    idle: int
    logit_mul: int
    logit_shift: int
    debounce: bytes = bytes(8)
    tables: tuple[npt.NDArray[np.uint16], ...] = ()
    fast: bool = False
    notes: str = ""
    seed: int = 1
    golden: tuple[int, ...] = field(default=())
    activity: Activity | None = None
    decision: Decision | None = None

    @property
    def stride(self) -> int:
        """Values a frame in the first layer's input; even in the fast form."""
        axes = len(self.front_end.axes)
        return axes + 1 & -2 if self.fast else axes

    @property
    def model_id(self) -> str:
        return f"{struct.unpack_from('<I', encode(self), 8)[0]:08x}"

    @property
    def macs(self) -> int:
        """Multiply-accumulates an inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def ram_bytes(self) -> int:
        """The engine's memory: file, state, history and the layers' values."""
        return len(encode(self)) + work_bytes(self)


def work_bytes(model: Model) -> int:
    """Bytes that the engine needs beside the file."""
    fe = model.front_end
    n = fe.window * model.stride
    size = 4 * (_STATE_WORDS + _LAYER_WORDS * len(model.layers))
    if model.fast:
        size += sum(_padded(layer) * layer.outputs for layer in model.layers)
    size += 4 * n + 32
    if fe.prepared:
        size += 2 * n + 35 & -4
    for layer in model.layers[:-1]:
        size += 2 * layer.values + 35 & -4
    return size


def _padded(layer: Layer) -> int:
    return layer.inputs + 15 & -16


def _need(condition: object, *why: object) -> None:
    if not condition:
        raise ModelError("model: " + " ".join(str(part) for part in why))


def check(model: Model) -> None:
    """Raise ModelError unless the model can be expressed and run."""
    fe = model.front_end
    n, hop = fe.window, fe.hop
    _need(0 < fe.rate_hz < 65536 and 0 < fe.accel_g < 256 and 0 < fe.gyro_dps < 65536,
          "rate or range is outside the format")
    order = [a.axis for a in fe.axes]
    _need(order and order == sorted(set(order)) and 0 <= order[0] and order[-1] < 6,
          "axes must be some of 0 to 5, ascending, not", order)
    _need(0 < fe.decimation <= 64, "decimation", fe.decimation, "is not in 1..64")
    _need(0 < n <= 1024 and 0 < hop <= n,
          "window", n, "must be in 1..1024, hop", hop, "at most that")
    for a in fe.axes:
        _need(0 <= a.shift < 32 and -32768 <= a.mul < 32768, "axis", a.axis, "mul or shift")
        _need((abs(a.offset) + 32768 * fe.decimation) * abs(a.mul) < 1 << 31,
              "axis", a.axis, "overflows: mul", a.mul, "offset", a.offset)
    _need(0 <= fe.centre and fe.centre & ~fe.mask == 0, "centred axes are not all in use")
    for level, low, gate in zip(fe.level, fe.floor, fe.gate, strict=True):
        _need(0 <= level < 32768 and 0 <= low < 32768 and level <= 31 * low,
              "level", level, "must be at most 31 times floor", low)
        _need(0 <= gate < 65536, "gate", gate)
    _need(fe.measure in (PEAK, MEAN), "measure", fe.measure)
    if fe.attitude is not None:
        _check_attitude(fe.attitude, fe.mask)
    _need(2 <= len(model.labels) <= 32, len(model.labels), "labels, 2 to 32 are possible")
    _need(len(set(model.labels)) == len(model.labels), "labels repeat:", ", ".join(model.labels))
    for label in model.labels:
        _need(0 < len(label.encode()) < 256, "label", repr(label), "is empty or too long")
    _need(0 <= model.idle < len(model.labels), "idle", model.idle, "is no label's index")
    _need(len(model.debounce) == 8, "debounce has", len(model.debounce), "bytes, not 8")
    _need(0 <= model.logit_mul < 32768 and 0 < model.logit_shift < 32, "scale of the scores")
    _need(0 < model.seed < 65536, "seed", model.seed)
    _need(0 < len(model.layers) <= 8 and len(model.tables) <= 4, "more than 8 layers or 4 tables")
    for table in model.tables:
        _need(table.shape == (TABLE_SIZE,) and table.dtype == np.uint16,
              "a table is not uint16 (1024,)")
        _need(not model.fast or table.max() < 64, "a table's values need more than 6 bits")
    given = n * model.stride
    for i, layer in enumerate(model.layers):
        _check_layer(model, i, layer, given)
        given = layer.values
    _need(given == len(model.labels) and model.layers[-1].positions == 1,
          "the last layer gives", given, "scores for", len(model.labels), "labels")
    work = work_bytes(model)
    _need(work <= WORK_MAX, "needs", work, "bytes of memory,", WORK_MAX, "are allowed")


def _check_attitude(a: Attitude, mask: int) -> None:
    _need(mask == 63 or mask == 7 and not a.mul, "levelling needs ax to az, turning all axes")
    _need(0 <= a.mul < 32768 and 0 <= a.shift < 32, "levelling: mul or shift")
    size = sum(u * u for u in a.up) / ONE**2
    _need(max(map(abs, a.up)) < 32768 and (0.96 <= size <= 1.04 or a.mul and not any(a.up)),
          "levelling: up", a.up)


def _check_layer(model: Model, i: int, layer: Layer, given: int) -> None:
    need = (layer.positions - 1) * layer.step + layer.inputs
    most = 31 if model.fast else 127
    _need(layer.weights.dtype == np.int8 and layer.bias.dtype == np.int32, "layer", i, "types")
    _need(layer.bias.shape == (layer.outputs,), "layer", i, "bias has shape", layer.bias.shape)
    _need(layer.weights.size and layer.positions > 0 and need <= given,
          "layer", i, "reads", need, "values of", given)
    _need(0 <= layer.step < 65536, "layer", i, "step", layer.step)
    _need(np.abs(layer.weights.astype(int)).max() <= most, "layer", i, "has weights beyond", most)
    _need(layer.pool > 0 and layer.positions % layer.pool == 0,
          "layer", i, "pools", layer.positions, "positions by", layer.pool)
    _need(layer.kind in (CLAMP, TABLE) and 0 < layer.shift < 32, "layer", i, "kind or shift")
    limit = TABLE_SIZE if layer.kind == TABLE else 64 if model.fast else 65536
    _need(0 <= layer.zero <= layer.top < limit, "layer", i, "zero", layer.zero, "top", layer.top)
    _need(layer.kind == CLAMP or layer.table < len(model.tables), "layer", i, "has no table")
    last = i == len(model.layers) - 1
    _need(not model.fast or last or not (layer.step | layer.outputs) & 1,
          "layer", i, "has an odd step or an odd number of outputs in the fast form")


def encode(model: Model) -> bytes:
    """The bytes of a model file. The model must have been sealed."""
    check(model)
    _need(len(model.golden) == len(model.labels), "not sealed")
    fe = model.front_end
    body = b"".join(_AXIS.pack(a.offset, a.mul, a.shift, a.axis) for a in fe.axes)
    if fe.attitude is not None:
        body += _ATTITUDE.pack(*fe.attitude.up, fe.attitude.mul, fe.attitude.shift)
    for layer in model.layers:
        body += _LAYER.pack(layer.inputs, layer.outputs, layer.positions, layer.step, layer.pool,
                            layer.kind, layer.shift, layer.zero, layer.top, layer.table)
    body += np.array(model.golden, "<i4").tobytes()
    body += b"".join(layer.bias.astype("<i4").tobytes() for layer in model.layers)
    body += b"".join(table.astype("<u2").tobytes() for table in model.tables)
    labels = b"".join(bytes([len(x.encode())]) + x.encode() for x in model.labels)
    notes = model.notes.encode()
    _need(len(notes) < 65536, "notes are too long")
    body += labels + notes
    body += bytes(-(_HEADER.size + len(body)) % 4)
    zero = 32 if model.fast else 128
    for layer in model.layers:
        rows = np.full((layer.outputs, _padded(layer)), zero, np.uint8)
        rows[:, : layer.inputs] = layer.weights.astype(int) + zero
        body += rows.tobytes()
    size = _HEADER.size + len(body)
    _need(size <= FILE_MAX, "has", size, "bytes, at most", FILE_MAX, "are allowed")
    head = _HEADER.pack(
        _MAGIC, _VERSION, _HEADER.size, 0, size, work_bytes(model),
        fe.rate_hz, fe.accel_g, len(model.labels), fe.gyro_dps, fe.mask, fe.decimation,
        fe.window, fe.hop, len(model.layers), model.fast, model.idle, len(model.tables),
        model.debounce, model.logit_mul, model.logit_shift, fe.centre,
        *fe.level, *fe.floor, *fe.gate, fe.measure,
        fe.attitude is not None, model.seed, len(labels), len(notes),
    )
    data = bytearray(head + body)
    struct.pack_into("<I", data, 8, zlib.crc32(data[12:]))
    return bytes(data)


def decode(data: bytes) -> Model:
    """The model in the bytes of a model file, checked but for its golden window."""
    size = len(data)
    _need(_HEADER.size <= size <= FILE_MAX,
          size, "bytes, a model has", _HEADER.size, "to", FILE_MAX)
    (
        magic, version, head_size, crc, length, work,
        rate_hz, accel_g, classes, gyro_dps, mask, decimation,
        window, hop, layer_count, fast, idle, table_count,
        debounce, logit_mul, logit_shift, centre,
        level_a, level_g, floor_a, floor_g, gate_a, gate_g, measure, levelled, seed,
        labels_size, notes_size,
    ) = _HEADER.unpack_from(data)
    _need(magic == _MAGIC, "not a Beckon model")
    _need(version == _VERSION and head_size == _HEADER.size,
          "version", version, "is not known, 1 is")
    _need(length == size, "cut:", size, "of", length, "bytes")
    _need(zlib.crc32(data[12:]) == crc, "damaged, its CRC-32 is wrong")
    _need(fast <= 1 and levelled <= 1 and layer_count <= 8 and table_count <= 4, "unknown flags")
    at = _HEADER.size
    axes_count = bin(mask).count("1")
    fixed = at + _AXIS.size * axes_count + _ATTITUDE.size * levelled
    fixed += _LAYER.size * layer_count + 4 * classes
    _need(fixed <= size, "too short for its layers")
    axes = []
    for _ in range(axes_count):
        offset, mul, shift, axis = _AXIS.unpack_from(data, at)
        axes.append(Axis(axis, offset, mul, shift))
        at += _AXIS.size
    _need(sum(1 << a.axis for a in axes if a.axis < 8) == mask, "axes do not fit their mask")
    attitude = None
    if levelled:
        x, y, z, mul, shift = _ATTITUDE.unpack_from(data, at)
        attitude = Attitude((x, y, z), mul, shift)
        at += _ATTITUDE.size
    rows = []
    for _ in range(layer_count):
        rows.append(_LAYER.unpack_from(data, at))
        at += _LAYER.size
    golden = tuple(int(v) for v in np.frombuffer(data, "<i4", classes, at))
    at += 4 * classes
    pads = [row[0] + 15 & -16 for row in rows]
    after = at + sum(4 * row[1] for row in rows) + 2 * TABLE_SIZE * table_count
    text = after
    after = after + labels_size + notes_size + 3 & -4
    _need(after + sum(p * row[1] for p, row in zip(pads, rows, strict=True)) == size,
          "sizes do not add up")
    biases = []
    for row in rows:
        biases.append(np.frombuffer(data, "<i4", row[1], at).astype(np.int32))
        at += 4 * row[1]
    tables = []
    for _ in range(table_count):
        tables.append(np.frombuffer(data, "<u2", TABLE_SIZE, at).astype(np.uint16))
        at += 2 * TABLE_SIZE
    labels, notes = _decode_text(data, text, labels_size, notes_size, classes)
    at = after
    zero = 32 if fast else 128
    layers = []
    for row, pad, bias in zip(rows, pads, biases, strict=True):
        inputs, outputs, positions, step, pool, kind, shift, z, top, table = row
        raw = np.frombuffer(data, np.uint8, outputs * pad, at).astype(int) - zero
        raw = raw.reshape(outputs, pad)
        at += outputs * pad
        _need(not raw[:, inputs:].any(), "padding of a layer is not zero")
        _need(raw.size == 0 or raw.max() < zero, "weights of more than 6 bits")
        layers.append(Layer(raw[:, :inputs].astype(np.int8), bias, positions, step, pool, kind,
                            shift, z, top, table))
    front_end = FrontEnd(rate_hz, accel_g, gyro_dps, tuple(axes), decimation, window, hop, centre,
                         (level_a, level_g), (floor_a, floor_g), (gate_a, gate_g), measure,
                         attitude)
    model = Model(front_end, tuple(layers), labels, idle, logit_mul, logit_shift, debounce,
                  tuple(tables), bool(fast), notes, seed, golden)
    check(model)
    _need(work_bytes(model) <= work <= WORK_MAX, "work memory of", work, "bytes")
    return model


def _decode_text(
    data: bytes, at: int, labels_size: int, notes_size: int, classes: int
) -> tuple[tuple[str, ...], str]:
    end = at + labels_size
    labels = []
    try:
        for _ in range(classes):
            _need(at < end and at + 1 + data[at] <= end, "labels are cut")
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        _need(at == end, "labels are too long")
        return tuple(labels), data[end : end + notes_size].decode()
    except UnicodeError:
        raise ModelError("model: labels or notes are not UTF-8") from None
