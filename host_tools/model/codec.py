"""A model as the bytes of a model file, and back.

    data = encode(model)        # a sealed model
    model = decode(data)

Both raise ModelError with one line that says what is wrong. Whatever decodes here
loads on the board, and the other way round; the same model is always the same bytes.
A file of version 2 is a head and sections. Version 1 has the first eleven sections and
the weights in the same order, without tags, so that both are taken apart here alike.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from host_tools.errors import BeckonError
from host_tools.model.attitude import Attitude
from host_tools.model.check import check, need
from host_tools.model.decision import Activity, Decision, settings_of
from host_tools.model.format import (
    FILE_MAX,
    LAST_TAG,
    TABLE_SIZE,
    WORK_MAX,
    Axis,
    FrontEnd,
    Layer,
    Model,
    ModelError,
    padded,
    work_bytes,
)
from host_tools.model.kept import MAGIC, MOST_BYTES, Kept

# Name: tag, and how one row of it is packed. firmware/lib/microMLP_loader.py has the same.
SECTIONS = {
    "description": (1, "<HBBHBBHHBBBB"),
    "counting": (2, "<8s"),
    "scaling": (3, "<HBBHHHHHHBBH"),
    "axes": (4, "<ihBB"),
    "levelling": (5, "<hhhHBxxx"),
    "layers": (6, "<HHHHHBBHHBxxx"),
    "golden": (7, "<i"),
    "biases": (8, "<i"),
    "tables": (9, f"<{TABLE_SIZE}H"),
    "labels": (10, "<c"),
    "notes": (11, "<c"),
    "activity": (12, "<HHBBBBHH"),
    "decision": (13, "<5BH3B"),
    "weights": (LAST_TAG, "<B"),
}
_NAMES = {tag: name for name, (tag, _) in SECTIONS.items()}
_MAGIC = b"BMLP"
_HEAD = struct.Struct("<4sHHIII")  # magic, version, size of the head, CRC-32, size, work memory
_SIZES_1 = struct.Struct("<HH")  # of version 1, behind `scaling`: bytes of labels, of notes
_IN_HEAD_1 = ("description", "counting", "scaling")
_AFTER_HEAD_1 = ("axes", "levelling", "layers", "golden", "biases", "tables", "labels", "notes")
_HEAD_1 = _HEAD.size + 44 + _SIZES_1.size
_SECTION = struct.Struct("<HH")  # tag, length

Payloads = dict[str, bytes]


def encode(model: Model) -> bytes:
    """The bytes of a model file, kept examples behind it. The model must have been sealed."""
    check(model)
    need(len(model.golden) == len(model.labels), "not sealed")
    parts = _payloads(model)
    for name in ("labels", "notes"):
        need(len(parts[name]) < 65536, name, "are too long")
    body = _body_1(parts) if model.version == 1 else _body_2(parts, model.unknown)
    head_size = _HEAD_1 if model.version == 1 else _HEAD.size
    size = _HEAD.size + len(body)
    need(size <= FILE_MAX, "has", size, "bytes, at most", FILE_MAX, "are allowed")
    head = _HEAD.pack(_MAGIC, model.version, head_size, 0, size, work_bytes(model))
    data = bytearray(head + body)
    crc = zlib.crc32(data[12:])
    struct.pack_into("<I", data, 8, crc)
    return bytes(data) + (model.kept.to_bytes(crc) if model.kept is not None else b"")


def _payloads(model: Model) -> Payloads:
    fe = model.front_end
    zero = 32 if model.fast else 128
    rows = []
    for layer in model.layers:
        row = np.full((layer.outputs, padded(layer)), zero, np.uint8)
        row[:, : layer.inputs] = layer.weights.astype(int) + zero
        rows.append(row.tobytes())
    out = {
        "description": _pack(
            "description", fe.rate_hz, fe.accel_g, len(model.labels), fe.gyro_dps, fe.mask,
            fe.decimation, fe.window, fe.hop, len(model.layers), model.fast, model.idle,
            len(model.tables),
        ),
        "counting": model.debounce,
        "scaling": _pack(
            "scaling", model.logit_mul, model.logit_shift, fe.centre, *fe.level, *fe.floor,
            *fe.gate, fe.measure, fe.attitude is not None, model.seed,
        ),
        "axes": b"".join(_pack("axes", a.offset, a.mul, a.shift, a.axis) for a in fe.axes),
        "layers": b"".join(
            _pack("layers", x.inputs, x.outputs, x.positions, x.step, x.pool, x.kind, x.shift,
                  x.zero, x.top, x.table)
            for x in model.layers
        ),
        "golden": np.array(model.golden, "<i4").tobytes(),
        "biases": b"".join(layer.bias.astype("<i4").tobytes() for layer in model.layers),
        "tables": b"".join(table.astype("<u2").tobytes() for table in model.tables),
        "labels": b"".join(bytes([len(x.encode())]) + x.encode() for x in model.labels),
        "notes": model.notes.encode(),
        "weights": b"".join(rows),
    }
    if fe.attitude is not None:
        out["levelling"] = _pack("levelling", *fe.attitude.up, fe.attitude.mul, fe.attitude.shift)
    a = model.activity
    if a is not None:
        out["activity"] = _pack("activity", a.accel_mul, a.gyro_mul, a.accel_shift, a.gyro_shift,
                                a.lag, a.awake_frames, a.wake_at, a.golden)
    if model.decision is not None:
        *numbers, thresholds = settings_of(model.decision)
        out["decision"] = _pack("decision", *numbers) + thresholds
    return out


def _pack(name: str, *values: object) -> bytes:
    return struct.pack(SECTIONS[name][1], *values)


def _body_1(parts: Payloads) -> bytes:
    body = b"".join(parts[name] for name in _IN_HEAD_1)
    body += _SIZES_1.pack(len(parts["labels"]), len(parts["notes"]))
    body += b"".join(parts.get(name, b"") for name in _AFTER_HEAD_1)
    return body + bytes(-(_HEAD.size + len(body)) % 4) + parts["weights"]


def _body_2(parts: Payloads, unknown: tuple[tuple[int, bytes], ...]) -> bytes:
    tagged = {SECTIONS[name][0]: payload for name, payload in parts.items() if payload}
    tagged.update(unknown)
    need(all(len(payload) < 65536 for payload in tagged.values()), "a section is too long")
    return b"".join(
        _SECTION.pack(tag, len(tagged[tag])) + tagged[tag] + bytes(-len(tagged[tag]) % 4)
        for tag in sorted(tagged)
    )


def decode(data: bytes) -> Model:
    """The model in the bytes of a model file, checked but for its golden window."""
    size = len(data)
    need(_HEAD.size <= size <= FILE_MAX + MOST_BYTES,
         size, "bytes, a model has", _HEAD.size, "to", FILE_MAX)
    magic, version, head_size, crc, length, work = _HEAD.unpack_from(data)
    need(magic == _MAGIC, "not a Beckon model")
    need((version, head_size) in ((1, _HEAD_1), (2, _HEAD.size)),
         "version", version, "is not known, 1 and 2 are")
    sound = head_size <= length <= size and data[length : length + 4] in (b"", MAGIC)
    need(sound, "cut:", size, "of", length, "bytes")
    data, behind = data[:length], data[length:]
    size = length
    need(size <= FILE_MAX, size, "bytes, a model has", _HEAD.size, "to", FILE_MAX)
    need(zlib.crc32(data[12:]) == crc, "damaged, its CRC-32 is wrong")
    need(size % 4 == 0, "sizes do not add up")
    unknown: dict[int, bytes] = {}
    parts = _parts_1(data) if version == 1 else _parts_2(data, unknown)
    model = _model(parts, version, tuple(unknown.items()))
    need(work_bytes(model) <= work <= WORK_MAX and work % 4 == 0, "work memory of", work, "bytes")
    if behind:
        try:
            kept = Kept.from_bytes(behind, crc, model.layers[-1].inputs, len(model.labels))
        except BeckonError as error:
            raise ModelError(str(error)) from None
        model = replace(model, kept=kept)
    return model


def _parts_2(data: bytes, unknown: dict[int, bytes]) -> Payloads:
    parts: Payloads = {}
    at, before = _HEAD.size, 0
    while at < len(data):
        tag, length = _SECTION.unpack_from(data, at)
        at += _SECTION.size
        need(before < tag <= LAST_TAG, "section", tag, "after", before)
        need(at + length <= len(data), "section", tag, "is cut")
        before = tag
        payload = data[at : at + length]
        if tag in _NAMES:
            need(length, "section", tag, "is empty")
            parts[_NAMES[tag]] = payload
        else:
            unknown[tag] = payload
        at += length
        need(not any(data[at : at - at % -4]), "section", tag, "is not followed by zeros")
        at -= at % -4
    return parts


def _parts_1(data: bytes) -> Payloads:
    parts: Payloads = {}
    at = _HEAD.size
    for name in _IN_HEAD_1:
        length = struct.calcsize(SECTIONS[name][1])
        parts[name] = data[at : at + length]
        at += length
    texts = dict(zip(("labels", "notes"), _SIZES_1.unpack_from(data, at), strict=True))
    at += _SIZES_1.size
    lengths = {**_lengths(parts), **texts}
    for name in _AFTER_HEAD_1:
        if name == "biases":
            lengths[name] = 4 * sum(row[1] for row in _rows(parts, "layers"))
        parts[name] = data[at : at + lengths[name]]
        at += lengths[name]
        need(at <= len(data), "too short for its", name)
    need(not any(data[at : at - at % -4]), "the labels are not followed by zeros")
    parts["weights"] = data[at - at % -4 :]
    return parts


def _rows(parts: Payloads, name: str) -> Iterator[tuple]:
    form = SECTIONS[name][1]
    payload = parts.get(name, b"")
    need(len(payload) % struct.calcsize(form) == 0, "section", name, "has", len(payload), "bytes")
    return struct.iter_unpack(form, payload)


def _only(parts: Payloads, name: str) -> tuple:
    rows = list(_rows(parts, name))
    need(len(rows) == 1, "section", name, "has", len(parts.get(name, b"")), "bytes")
    return rows[0]


def _lengths(parts: Payloads) -> dict[str, int]:
    """Bytes of the sections that description and scaling give."""
    *_, classes, _, mask, _, _, _, layers, _, _, tables = _only(parts, "description")
    levelled = _only(parts, "scaling")[10]
    counts = {"axes": bin(mask).count("1"), "levelling": levelled, "layers": layers,
              "golden": classes, "tables": tables}
    return {k: n * struct.calcsize(SECTIONS[k][1]) for k, n in counts.items()}


def _model(parts: Payloads, version: int, unknown: tuple[tuple[int, bytes], ...]) -> Model:
    (
        rate_hz, accel_g, classes, gyro_dps, mask, decimation, window, hop, _, fast, idle, _,
    ) = _only(parts, "description")
    (
        logit_mul, logit_shift, centre, level_a, level_g, floor_a, floor_g, gate_a, gate_g,
        measure, levelled, seed,
    ) = _only(parts, "scaling")
    need(fast <= 1 and levelled <= 1, "unknown flags")
    for name, length in _lengths(parts).items():
        need(len(parts.get(name, b"")) == length,
             "section", name, "has", len(parts.get(name, b"")), "bytes, not", length)
    axes = tuple(
        Axis(axis, offset, mul, shift) for offset, mul, shift, axis in _rows(parts, "axes")
    )
    need(sum(1 << a.axis for a in axes if a.axis < 8) == mask, "axes do not fit their mask")
    attitude = None
    for x, y, z, mul, shift in _rows(parts, "levelling"):
        attitude = Attitude((x, y, z), mul, shift)
    tables = tuple(np.array(row, np.uint16) for row in _rows(parts, "tables"))
    front_end = FrontEnd(rate_hz, accel_g, gyro_dps, axes, decimation, window, hop, centre,
                         (level_a, level_g), (floor_a, floor_g), (gate_a, gate_g), measure,
                         attitude)
    labels, notes = _text(parts, classes)
    model = Model(
        front_end, _layers(parts, bool(fast)), labels, idle, logit_mul, logit_shift,
        _only(parts, "counting")[0], tables, bool(fast), notes, seed,
        tuple(row[0] for row in _rows(parts, "golden")), _activity(parts),
        _decision(parts, classes), version, unknown,
    )
    check(model)
    return model


def _layers(parts: Payloads, fast: bool) -> tuple[Layer, ...]:
    rows = list(_rows(parts, "layers"))
    biases = parts.get("biases", b"")
    weights = parts.get("weights", b"")
    need(len(biases) == 4 * sum(row[1] for row in rows)
         and len(weights) == sum((row[0] + 15 & -16) * row[1] for row in rows),
         "sizes do not add up")
    zero = 32 if fast else 128
    layers = []
    bias_at = at = 0
    for inputs, outputs, positions, step, pool, kind, shift, z, top, table in rows:
        bias = np.frombuffer(biases, "<i4", outputs, bias_at).astype(np.int32)
        bias_at += 4 * outputs
        pad = inputs + 15 & -16
        raw = np.frombuffer(weights, np.uint8, outputs * pad, at).astype(int) - zero
        raw = raw.reshape(outputs, pad)
        at += outputs * pad
        need(not raw[:, inputs:].any(), "padding of a layer is not zero")
        need(raw.size == 0 or raw.max() < zero, "weights of more than 6 bits")
        layers.append(Layer(raw[:, :inputs].astype(np.int8), bias, positions, step, pool, kind,
                            shift, z, top, table))
    return tuple(layers)


def _activity(parts: Payloads) -> Activity | None:
    if "activity" not in parts:
        return None
    accel_mul, gyro_mul, accel_shift, gyro_shift, lag, frames, wake_at, golden = _only(
        parts, "activity"
    )
    return Activity(accel_mul, accel_shift, gyro_mul, gyro_shift, lag, wake_at, frames, golden)


def _decision(parts: Payloads, classes: int) -> Decision | None:
    if "decision" not in parts:
        return None
    payload, form = parts["decision"], SECTIONS["decision"][1]
    fixed = struct.calcsize(form)
    need(len(payload) in (fixed, fixed + classes),
         "section decision has", len(payload), "bytes")
    (
        span, threshold, by_gesture, calm_windows, calm_ratio, calm_floor, peak_windows, quiet,
        refractory,
    ) = struct.unpack_from(form, payload)
    need(by_gesture <= 1, "decision: by_gesture", by_gesture)
    return Decision(span, threshold, bool(by_gesture), calm_windows, calm_ratio, calm_floor,
                    peak_windows, quiet, refractory, tuple(payload[fixed:]))


def _text(parts: Payloads, classes: int) -> tuple[tuple[str, ...], str]:
    data = parts.get("labels", b"")
    labels = []
    at = 0
    try:
        for _ in range(classes):
            need(at < len(data) and at + 1 + data[at] <= len(data), "labels are cut")
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        need(at == len(data), "labels are too long")
        return tuple(labels), parts.get("notes", b"").decode()
    except UnicodeError:
        raise ModelError("model: labels or notes are not UTF-8") from None
