"""What learning has to know of a model file, and the examples behind it. Pure.

    file = ModelFile("model.mlp")           # ValueError: it cannot learn
    file.examples(put, put_metric)

docs/model-file.md describes the bytes.
"""

from binascii import crc32
from struct import pack, unpack, unpack_from

from micropython import const

_HEAD = const(20)
_DESCRIPTION = const(1)
_SCALING = const(3)
_LAYERS = const(6)
_BIASES = const(8)
_ACTIVITY = const(12)
_DECISION = const(13)
_WEIGHTS = const(255)
_KEPT_HEAD = const(16)
_KEPT_VERSION = const(2)


class ModelFile:
    """What learning has to know of the model in `path`: how many classes and layers; width, the
    number of values that the last layer reads; pitch, bytes of a row; shift, of the kept
    examples; kept, how many there are; row_bytes, of one, and metric_bytes, of the metric behind
    them; logit_mul, logit_shift, seed; whether it measures activity; places, tag to (offset of
    the payload, length); size of the model; decision, that section.

    Raises ValueError if it is of a kind that cannot learn, OSError if it cannot be read.
    """

    def __init__(self, path):
        self.path = path
        self.places = places = {}
        with open(path, "rb") as file:
            head = file.read(_HEAD)
            if len(head) < _HEAD or head[4] != 2:
                raise ValueError("the model is of an older kind; train it again")
            self.size = unpack_from("<I", head, 12)[0]
            at = _HEAD
            while at < self.size:
                file.seek(at)
                tag, length = unpack("<HH", file.read(4))
                places[tag] = (at + 4, length)
                at += 4 + (length + 3 & -4)
            description = self._read(file, _DESCRIPTION)
            self.classes, self.layers, fast = description[3], description[12], description[13]
            if fast or self.layers < 2:
                raise ValueError("a model of the 6-bit form or without a hidden layer cannot learn")
            rows = self._read(file, _LAYERS)
            self.width = unpack_from("<H", rows, 20 * self.layers - 20)[0]
            self.pitch = self.width + 15 & -16
            scaling = self._read(file, _SCALING)
            self.logit_mul, self.logit_shift = unpack_from("<HB", scaling, 0)
            self.seed = unpack_from("<H", scaling, 18)[0]
            self.measures = _ACTIVITY in places
            self.decision = self._read(file, _DECISION) if _DECISION in places else b""
            self.kept = self.shift = 0
            file.seek(self.size)
            kept = file.read(_KEPT_HEAD)
        if len(kept) < _KEPT_HEAD or kept[:4] != b"BKEX":
            raise ValueError("the model came without examples of its gestures; train it again")
        _, version, self.shift, width, self.kept, _, crc = unpack("<4sBBHHHI", kept)
        if version != _KEPT_VERSION:
            raise ValueError("the examples behind the model are of another version; train it again")
        if width != self.width or crc != unpack_from("<I", head, 8)[0]:
            raise ValueError("the examples behind the model belong to another one")
        self.row_bytes = width + 1 >> 1
        self.metric_bytes = width * (width + 1) // 2

    def _read(self, file, tag):
        at, length = self.places[tag]
        file.seek(at)
        return file.read(length)

    def biases(self):
        """The last layer's, as ints."""
        with open(self.path, "rb") as file:
            data = self._read(file, _BIASES)
        return unpack_from("<%di" % self.classes, data, len(data) - 4 * self.classes)

    def weights(self):
        """The last layer's rows, `pitch` bytes each, w + 128."""
        at, length = self.places[_WEIGHTS]
        with open(self.path, "rb") as file:
            file.seek(at + length - self.pitch * self.classes)
            return file.read(self.pitch * self.classes)

    def examples(self, put, put_metric):
        """Call put(packed, label) for each kept example, then put_metric(piece) for the bytes of
        the metric. Raises ValueError if they are damaged."""
        with open(self.path, "rb") as file:
            file.seek(self.size)
            data = file.read(_KEPT_HEAD)
            crc = crc32(data)
            row = bytearray(1 + self.row_bytes)
            view = memoryview(row)
            for _ in range(self.kept):
                file.readinto(row)
                crc = crc32(row, crc)
                if row[0] >= self.classes:
                    raise ValueError("the examples behind the model are damaged")
                put(view[1:], row[0])
            left = self.metric_bytes
            more = -(self.kept * len(row) + left) & 3
            while left:
                piece = view[: min(left, len(row))]
                file.readinto(piece)
                crc = crc32(piece, crc)
                put_metric(piece)
                left -= len(piece)
            crc = crc32(file.read(more), crc)
            if file.read(4) != pack("<I", crc):
                raise ValueError("the examples behind the model are damaged")
