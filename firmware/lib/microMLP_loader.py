"""A model file for the engine: read, checked, and laid out in memory.

The engine imports this when it loads a file. A board drops it from the heap afterwards
(`ops.lazy.forget`). docs/model-file.md describes the file, host_tools/model/codec.py writes it.
"""

import sys
from array import array
from binascii import crc32
from struct import unpack_from

if sys.implementation.name == "micropython":
    from micropython import const
else:
    from viper import const

_HEAD = const(20)  # bytes that every version begins with
_HEAD_1 = const(68)  # of version 1, which has all of fixed size in its head
_FILE_MAX = const(20000)
_WHOLE_MAX = const(32000)  # with the examples that follow it
_EXAMPLES = b"BKEX"
_WORK_MAX = const(32768)

# Sections of a file: their tags in version 2, where weights have the greatest one, since they
# are last. Version 1 has those before _MOVEMENT in this order, and no tags.
_WEIGHT_ROWS = const(0)
_DESCRIPTION = const(1)
_COUNTING = const(2)
_SCALING = const(3)
_AXIS_ROWS = const(4)
_LEVELLING = const(5)
_LAYER_ROWS = const(6)
_GOLDEN = const(7)
_BIASES = const(8)
_TABLES = const(9)
_LABELS = const(10)
_NOTES = const(11)
_MOVEMENT = const(12)
_DECISION = const(13)
_SECTIONS = const(14)
_LAST_TAG = const(255)


# Seeds of the golden window's noise are 16-bit states of this generator.
def _noise(x):
    x ^= (x << 7) & 65535
    x ^= x >> 9
    return x ^ (x << 8) & 65535


def _need(condition, *why):
    if not condition:
        raise ValueError("model file: " + " ".join(str(part) for part in why))


def sizes(head, size):
    """(bytes of the model, bytes of memory that it needs beside them).

    size: of the file. Behind the model may be examples kept for learning, which stay in flash.
    """
    _need(_HEAD <= size <= _WHOLE_MAX, size, "bytes, a model has", _HEAD, "to", _FILE_MAX)
    magic, version, head_size, _, length, work = unpack_from("<4sHHIII", head, 0)
    _need(magic == b"BMLP", "not a Beckon model")
    known = version == 1 and head_size == _HEAD_1 or version == 2 and head_size == _HEAD
    _need(known, "version", version, "is not known, 1 and 2 are")
    _need(head_size <= length <= size, "cut:", size, "of", length, "bytes")
    _need(length <= _FILE_MAX and not length & 3, "sizes do not add up")
    _need(work <= _WORK_MAX and not work & 3, "work memory of", work, "bytes")
    return length, work


def read(path):
    """(memory that begins with the model, bytes of the model). Raises ValueError or OSError."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        size, work = sizes(file.read(_HEAD), size)
        arena = bytearray(size + work)
        file.seek(0)
        _need(file.readinto(memoryview(arena)[:size]) == size, "cut while it was read")
        _need(file.read(4) in (b"", _EXAMPLES), "what follows it is not known")
    return arena, size


def lay_out(engine, arena, size, sizes, expand):
    """Check the file at the start of arena; lay out the memory behind it.

    engine gets what the file says of it. sizes: words of state, of a layer, of activity
    without its ring. expand: `_expand` of the engine.
    Returns the offset of the state, that of the activity (0: there is none), whether windows
    are levelled, whether they are prepared, and what `check` needs.
    """
    crc, _, work = unpack_from("<III", arena, 8)
    _need(crc32(memoryview(arena)[12:size]) == crc, "damaged, its CRC-32 is wrong")
    engine.model_id = "%02x%02x%02x%02x" % (arena[11], arena[10], arena[9], arena[8])
    places, lengths = _places_2(arena, size) if arena[4] == 2 else _places_1(arena)
    for tag, needed in ((_DESCRIPTION, 16), (_COUNTING, 8), (_SCALING, 20)):
        _need(lengths[tag] == needed, "section", tag, "has", lengths[tag], "bytes")
    (
        engine.rate_hz, engine.accel_g, classes, engine.gyro_dps, mask,
        decimation, n, hop, layers, fast, engine.idle, tables,
    ) = unpack_from("<HBBHBBHHBBBB", arena, places[_DESCRIPTION])
    (
        logit_mul, logit_shift, centre, level_a, level_g, floor_a, floor_g,
        gate_a, gate_g, measure, levelled, seed,
    ) = unpack_from("<HBBHHHHHHBBH", arena, places[_SCALING])
    engine.axes, engine.decimation, engine.window, engine.hop = mask, decimation, n, hop
    _need(engine.rate_hz and engine.accel_g and engine.gyro_dps, "rate or range is 0")
    _need(0 < mask < 64 and 0 < decimation <= 64, "axes or decimation")
    _need(0 < n <= 1024 and 0 < hop <= n, "window", n, "hop", hop)
    _need(2 <= classes <= 32 and engine.idle < classes, classes, "classes, idle", engine.idle)
    _need(0 < layers <= 8 and tables <= 4 and fast <= 1, "layers, tables or form")
    _need(0 < logit_shift < 32 and logit_mul < 32768, "scale of the scores")
    _need(measure <= 1 and levelled <= 1 and seed, "measure, levelling or seed")
    _need(level_a <= 31 * floor_a and level_g <= 31 * floor_g, "level above 31 x floor")
    _need(max(level_a, level_g, floor_a, floor_g) < 32768, "level or floor")
    _need(centre & ~mask == 0, "centred axes")
    axes = sum(mask >> i & 1 for i in range(6))
    counts = (8 * axes, 12 * levelled, 20 * layers, 4 * classes, 2048 * tables)
    rows = _check_lengths(arena, size, places, lengths, counts, layers)
    _check_axes(arena, places[_AXIS_ROWS], mask, decimation)
    turn = _levelling(arena, places[_LEVELLING], mask) if levelled else (0, 0, 0, 0, 0)
    engine.debounce = tuple(arena[places[_COUNTING]:places[_COUNTING] + 8])
    activity = _activity(arena, places, lengths)
    engine.decision = _decision(arena, places, lengths, classes)
    engine.labels = _labels(arena, places[_LABELS], lengths[_LABELS], classes)
    engine.notes = _text(arena, places[_NOTES], lengths[_NOTES])

    # The memory behind the file, in words
    narrow = 10 if fast else 0
    stride = axes + 1 & -2 if fast else axes
    prepared = levelled or centre or level_a or level_g or gate_a or gate_g
    known = rows[0][0] == n * stride and rows[0][2] == 1
    state_words, layer_words, activity_words = sizes
    state = size + lengths[_WEIGHT_ROWS] if fast else size
    at = state + 4 * (state_words + layer_words * layers)
    measures = 0
    if activity:
        measures = at
        at += 4 * activity_words + 8 * activity[4]
    history = at
    at += 4 * n * stride + 32
    window = at if prepared else 0
    if prepared:
        at += 2 * n * stride + 35 & -4
    words = array("i", [
        0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0,
        axes, stride, n, hop, decimation,
        history, 0 if prepared else narrow, narrow, window, places[_AXIS_ROWS], centre, measure,
        level_a, level_g, floor_a, floor_g, gate_a, gate_g,
        layers, classes, engine.idle, logit_mul, logit_shift, 0, fast, known, 0,
        levelled, turn[3], turn[4], turn[0], turn[1], turn[2], measures,
    ])
    given = n * stride
    source = window
    bias, weights = places[_BIASES], places[_WEIGHT_ROWS]
    for i, row in enumerate(rows):
        inputs, outputs, positions, step, pool, kind, shift, zero, top, table = row
        last = i == layers - 1
        _check_layer(i, row, given, tables, fast and not last)
        _need(top < (1024 if kind else 64 if fast else 65536), "layer", i, "maximum", top)
        words.extend(array("i", [
            inputs + 15 >> 4, outputs, positions, step * 2, pool, kind, shift, zero, top,
            places[_TABLES] + 2048 * table, bias, weights, source, at,
        ]))
        bias += 4 * outputs
        weights += (inputs + 15 & -16) * outputs * (2 if fast else 1)
        given = positions // pool * outputs
        source = at
        if not last:  # whose scores go to engine.scores
            at += 2 * given + 35 & -4
    _need(given == classes and positions == 1, "last layer gives", given, "scores")
    _need(at <= size + work, "work memory of", work, "bytes,", at - size, "needed")
    if activity:
        accel, gyro, accel_shift, gyro_shift, lag, frames, wake, _ = activity
        words.extend(array("i", [accel, accel_shift, gyro, gyro_shift, lag, wake, frames]))

    if fast:
        for at in range(places[_TABLES], places[_TABLES] + 2048 * tables, 2048):
            _need(max(array("H", arena[at:at + 2048])) < 64, "table beyond 6 bits")
        seen = expand(arena, places[_WEIGHT_ROWS], lengths[_WEIGHT_ROWS])
        _need(seen < 64, "weights of more than 6 bits")
    if known:  # what lies behind the window is not in its sum: take it times 0
        width = 2 if fast else 1
        inputs, outputs = rows[0][:2]
        row = width * (inputs + 15 & -16)
        at = places[_WEIGHT_ROWS]
        for i in range(at, at + row * outputs, row):
            for k in range(i + width * inputs, i + row):
                arena[k] = 0
    arena[state:state + 4 * len(words)] = bytes(words)
    arena[0:4] = bytes(array("i", [state]))  # the kernels find all from here
    golden = unpack_from("<%di" % classes, arena, places[_GOLDEN])
    return state, measures, levelled, bool(prepared), (seed, golden, activity[7] if activity else 0)


def check(engine, seed, scores, activity):
    """Run the golden window through the engine, as a model must on any machine."""
    frame = array("h", [0] * 6)
    x = seed
    for i in range(engine.window * engine.decimation):
        for k in range(6):
            x = _noise(x)
            frame[k] = (x - 32768) >> (i >> 3 & 3)
        engine.push(frame)
    engine.infer()
    _need(engine.scores == array("i", scores), "scores of the golden window differ")
    _need(engine.activity == activity, "activity of the golden window differs")


def _places_2(arena, size):
    """Where the sections of a file of version 2 begin, and their lengths, by tag."""
    places = [0] * _SECTIONS
    lengths = [0] * _SECTIONS
    at = _HEAD
    before = 0
    while at < size:
        tag, length = unpack_from("<HH", arena, at)
        at += 4
        _need(before < tag <= _LAST_TAG, "section", tag, "after", before)
        _need(at + length <= size, "section", tag, "is cut")
        before = tag
        if tag == _LAST_TAG:
            tag = _WEIGHT_ROWS
        if tag < _SECTIONS:
            _need(length, "section", tag, "is empty")
            places[tag] = at
            lengths[tag] = length
        at += length + 3 & -4
    return places, lengths


def _places_1(arena):
    """The same of version 1, as far as its head says: the others follow one another."""
    places = [0] * _SECTIONS
    lengths = [0] * _SECTIONS
    places[_DESCRIPTION], places[_COUNTING], places[_SCALING] = 20, 36, 44
    lengths[_DESCRIPTION], lengths[_COUNTING], lengths[_SCALING] = 16, 8, 20
    lengths[_LABELS], lengths[_NOTES] = unpack_from("<HH", arena, 64)
    return places, lengths


def _check_lengths(arena, size, places, lengths, counts, layers):
    """See that sections are as long as counts says, which version 1 goes by; the layers' rows."""
    needed = lengths[:]
    needed[_AXIS_ROWS], needed[_LEVELLING], needed[_LAYER_ROWS], needed[_GOLDEN] = counts[:4]
    needed[_TABLES] = counts[4]
    first = arena[4] == 1
    at = _HEAD_1
    rows = []
    for tag in range(_AXIS_ROWS, _MOVEMENT):
        if tag == _BIASES:
            for i in range(layers):
                rows.append(unpack_from("<HHHHHBBHHB", arena, places[_LAYER_ROWS] + 20 * i))
            needed[_BIASES] = 4 * sum(row[1] for row in rows)
        if first:
            places[tag] = at
            lengths[tag] = needed[tag]
            at += needed[tag]
            _need(at <= size, "too short for its section", tag)
        _need(lengths[tag] == needed[tag], "section", tag, "has", lengths[tag], "bytes")
    if first:
        places[_WEIGHT_ROWS] = at + 3 & -4
    lengths[_WEIGHT_ROWS] = sum((row[0] + 15 & -16) * row[1] for row in rows)
    at = places[_WEIGHT_ROWS]
    _need(at and at + lengths[_WEIGHT_ROWS] == size, "sizes do not add up")
    return rows


def _check_axes(arena, at, mask, decimation):
    for axis in range(6):
        if mask >> axis & 1:
            offset, mul, shift, which = unpack_from("<ihBB", arena, at)
            _need(which == axis and shift < 32, "axis", axis)
            _need((abs(offset) + 32768 * decimation) * abs(mul) < 1 << 31, "axis", axis, "scale")
            at += 8


def _check_layer(i, row, given, tables, even):
    inputs, outputs, positions, step, pool, kind, shift, zero, top, table = row
    need = (positions - 1) * step + inputs
    sound = inputs and outputs and positions and need <= given
    _need(sound, "layer", i, "reads", need, "values of", given)
    _need(pool and positions % pool == 0, "layer", i, "pools", positions, "by", pool)
    _need(kind <= 1 and 0 < shift < 32 and zero <= top, "layer", i, "requantising")
    _need(table < tables or not kind, "layer", i, "table", table)
    _need(not (even and (step | outputs) & 1), "layer", i, "is odd in the fast form")


def _levelling(arena, at, mask):
    """up, mul and shift."""
    turn = unpack_from("<hhhHB", arena, at)
    need = mask == 63 or mask == 7 and not turn[3]
    _need(need and turn[3] < 32768 and turn[4] < 32, "levelling")
    need = sum(u * u for u in turn[:3]) / (1 << 28)
    need = 0.96 <= need <= 1.04 or turn[3] and not any(turn[:3])
    _need(need and -32768 not in turn, "levelling: up", turn[:3])
    return turn


def _activity(arena, places, lengths):
    if not places[_MOVEMENT]:
        return None
    _need(lengths[_MOVEMENT] == 12, "section", _MOVEMENT, "has", lengths[_MOVEMENT], "bytes")
    a = unpack_from("<HHBBBBHH", arena, places[_MOVEMENT])
    _need(max(a[:2]) < 16384 and max(a[2:4]) < 32 and 0 < a[4] <= 8, "activity", a)
    return a


def _decision(arena, places, lengths, classes):
    at = places[_DECISION]
    length = lengths[_DECISION]
    if not at:
        return None
    _need(length == 10 or length == 10 + classes, "section", _DECISION, "has", length, "bytes")
    d = unpack_from("<5BH3B", arena, at)
    own = bytes(arena[at + 10:at + length])
    good = 0 < d[0] <= 64 and 0 < d[1] <= 100 and d[2] < 2 and d[4] <= 64 and d[6] and d[7]
    _need(good and (not own or 0 < min(own) and max(own) <= 100), "decision", d)
    return d + (own,)


def _labels(arena, at, length, classes):
    labels = []
    end = at + length
    for _ in range(classes):
        _need(at < end and at + 1 + arena[at] <= end, "labels are cut")
        label = _text(arena, at + 1, arena[at])
        _need(label and label not in labels, "label", repr(label))
        labels.append(label)
        at += 1 + arena[at]
    _need(at == end, "labels are too long")
    return tuple(labels)


def _text(arena, at, length):
    try:
        return str(arena[at:at + length], "utf-8")
    except UnicodeError:
        raise ValueError("model file: labels or notes are not UTF-8")
