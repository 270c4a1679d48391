"""A model file with one gesture more, or with another row for one that it has. Pure.

    check_room(file, label)
    write(file, "model.mlp.learn", label, -1, row, bias, golden, examples)

file: ModelFile. It is copied through a small buffer, so that takes no memory to speak of. Behind
the model lie examples of its gestures, which go on with those of the new one.
docs/model-file.md describes both.
"""

from binascii import crc32
from struct import pack, pack_into

from micropython import const

_HEAD = const(20)
_DESCRIPTION = const(1)
_LAYERS = const(6)
_GOLDEN = const(7)
_BIASES = const(8)
_LABELS = const(10)
_DECISION = const(13)
_WEIGHTS = const(255)
_MODEL_MOST = const(20000)
_KEPT_HEAD = const(16)
_KEPT_VERSION = const(2)
_KEPT_MOST = const(16000)
_CLASSES_MOST = const(32)
_COPY = const(256)


def check_room(file, label):
    """Raises ValueError if there is no room for another gesture of this name."""
    if file.classes >= _CLASSES_MOST:
        raise ValueError("the model has %d labels, which is the most" % file.classes)
    size = _new_size(file, _changes(file, label, -1, b"", 0, 0)[1])
    if size > _MODEL_MOST:
        raise ValueError(
            "the model would have %d bytes, and %d are the most; train it again on the "
            "computer, with this gesture or with --size" % (size, _MODEL_MOST)
        )


def write(file, out, label, index, row, bias, golden, examples):
    """Write the changed model to `out`; its id.

    index: of the gesture whose row it is; -1: a new one, `label`. row: weights + 128.
    bias, golden: int32. examples: of each, as they lie in a model file.
    """
    patches, extras = _changes(file, label, index, row, bias, golden)
    number = index if index >= 0 else file.classes
    with open(file.path, "rb") as source, open(out, "wb") as target:
        head = bytearray(source.read(_HEAD))
        pack_into("<I", head, 12, _new_size(file, extras))
        writer = _Writer(target, 12)
        writer.write(head)
        for tag in sorted(file.places):
            _copy(source, file.places[tag], writer, tag, patches.get(tag), extras.get(tag, b""))
        crc = writer.crc
        room = (_KEPT_MOST - _KEPT_HEAD - 8 - file.metric_bytes) // (1 + file.row_bytes)
        more = examples[: max(0, room - file.kept)]
        kept = _Writer(target, 0)
        count = file.kept + len(more)
        head = (b"BKEX", _KEPT_VERSION, file.shift, file.width, count, 0, crc)
        kept.write(pack("<4sBBHHHI", *head))

        before = -1

        def put(packed, label):
            nonlocal before
            if before == number != label:  # those of one label come together
                add()
            before = label
            kept.write(bytes([label]))
            kept.write(packed)

        def add():
            while more:
                kept.write(bytes([number]))
                kept.write(more.pop(0))

        def put_metric(piece):
            add()  # what is left of them: the metric comes last
            kept.write(piece)

        file.examples(put, put_metric)
        kept.write(bytes(-kept.count & 3))
        target.write(pack("<I", kept.crc))
        target.seek(8)
        target.write(pack("<I", crc))
    return "%08x" % crc


def _changes(file, label, index, row, bias, golden):
    """(patches, extras) by tag: (offset, what a section gets there), and what behind it."""
    row = bytes(row) + b"\x80" * (file.pitch - len(row))
    bias, golden = pack("<i", bias), pack("<i", golden)
    if index >= 0:
        back = file.classes - index  # rows from the end
        return {
            _GOLDEN: (4 * index, golden),
            _BIASES: (file.places[_BIASES][1] - 4 * back, bias),
            _WEIGHTS: (file.places[_WEIGHTS][1] - file.pitch * back, row),
        }, {}
    text = label.encode()
    extras = {_GOLDEN: golden, _BIASES: bias, _WEIGHTS: row}
    extras[_LABELS] = bytes([len(text)]) + text
    if len(file.decision) > 10:
        extras[_DECISION] = file.decision[1:2]  # the usual threshold
    more = file.classes + 1
    return {
        _DESCRIPTION: (3, bytes([more])),
        _LAYERS: (20 * file.layers - 18, pack("<H", more)),
    }, extras


def _new_size(file, extras):
    """Bytes of the model with these extras."""
    size = _HEAD
    for tag in file.places:
        size += 4 + (file.places[tag][1] + len(extras.get(tag, b"")) + 3 & -4)
    return size


def _copy(source, place, writer, tag, patch, extra):
    at, length = place
    writer.write(pack("<HH", tag, length + len(extra)))
    source.seek(at)
    done = 0
    while done < length:
        part = bytearray(source.read(min(_COPY, length - done)))
        if patch:
            first, data = patch
            for i in range(len(data)):
                if done <= first + i < done + len(part):
                    part[first + i - done] = data[i]
        writer.write(part)
        done += len(part)
    writer.write(extra)
    writer.write(bytes(-(length + len(extra)) & 3))


class _Writer:
    """Writes on, with the CRC-32 of all but the first `skip` bytes."""

    def __init__(self, file, skip):
        self._file = file
        self._skip = skip
        self.crc = 0
        self.count = 0

    def write(self, data):
        self._file.write(data)
        self.crc = crc32(data[max(0, self._skip - self.count) :], self.crc)
        self.count += len(data)
