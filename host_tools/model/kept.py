"""Examples of the gestures that a model knows, kept behind it for learning on the board.

    kept = Kept(shift=7, labels=labels, roots=roots, metric=metric)
    data = kept.to_bytes(model_crc)         # what follows the model in its file

A board that learns another gesture (firmware/learning/) must not forget the old ones. So it
gets some windows of each, as the last hidden layer sees them: what lies before that layer
never changes on a board. The metric says in which directions they hardly vary within a gesture.
docs/model-file.md describes the bytes.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from host_tools.errors import BeckonError

MAGIC = b"BKEX"
VERSION = 2
MOST_ROOT = 15
METRIC_ONE = 32  # a byte of the metric that means 1
MOST_BYTES = 16_000  # so that model and examples have 36,000 at most
_HEAD = struct.Struct("<4sBBHHHI")  # magic, version, shift, inputs, count, 0, model's CRC-32
_CRC = struct.Struct("<I")


@dataclass(frozen=True, eq=False)
class Kept:
    """shift: a value is what the last layer reads, >> shift, at most 255.

    labels : uint8 (n,), index of each example's label. roots : uint8 (n, inputs), square roots of
    the values, at most MOST_ROOT. metric : int8 (inputs, inputs), symmetric, in 1/METRIC_ONE: it
    weighs what learning changes, see firmware/learning/row.py.
    """

    shift: int
    labels: npt.NDArray[np.uint8]
    roots: npt.NDArray[np.uint8]
    metric: npt.NDArray[np.int8]

    @property
    def values(self) -> npt.NDArray[np.uint8]:
        """uint8 (n, inputs)."""
        return self.roots * self.roots

    def to_bytes(self, model_crc: int) -> bytes:
        """model_crc: CRC-32 of the model that it follows, as its head has it."""
        n, inputs = self.roots.shape
        head = _HEAD.pack(MAGIC, VERSION, self.shift, inputs, n, 0, model_crc)
        even = np.pad(self.roots, ((0, 0), (0, inputs & 1)))
        packed = even[:, ::2] | even[:, 1::2] << 4
        body = np.concatenate([self.labels[:, None], packed], axis=1, dtype=np.uint8)
        lower = self.metric[np.tril_indices(inputs)].astype(np.int16) + 128
        data = head + body.tobytes() + lower.astype(np.uint8).tobytes()
        data += bytes(-len(data) % 4)
        return data + _CRC.pack(zlib.crc32(data))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kept) and self.to_bytes(0) == other.to_bytes(0)

    @staticmethod
    def from_bytes(data: bytes, model_crc: int, inputs: int, classes: int) -> Kept:
        """Raises BeckonError for what does not belong to a model of so many inputs of its last
        layer, and labels."""
        if len(data) < _HEAD.size + _CRC.size or data[:4] != MAGIC:
            raise BeckonError("model: behind it is something else than kept examples")
        _, version, shift, width, n, zero, crc = _HEAD.unpack_from(data)
        if version != VERSION or zero:
            raise BeckonError("model: kept examples of version {version}, {known} is known; train "
                              "the model again", version=version, known=VERSION)
        pitch = row_bytes(width)
        rows_end = _HEAD.size + n * pitch
        end = rows_end + metric_bytes(width)
        if len(data) != end + -end % 4 + _CRC.size or len(data) > MOST_BYTES:
            raise BeckonError("model: kept examples of {size} bytes are cut", size=len(data))
        if zlib.crc32(data[: -_CRC.size]) != _CRC.unpack_from(data, len(data) - _CRC.size)[0]:
            raise BeckonError("model: kept examples are damaged, their CRC-32 is wrong")
        if crc != model_crc or width != inputs or shift > 15:
            raise BeckonError("model: kept examples of another model")
        rows = np.frombuffer(data, np.uint8, n * pitch, _HEAD.size).reshape(n, pitch)
        if n and rows[:, 0].max() >= classes:
            raise BeckonError("model: kept examples of a label that it does not have")
        roots = np.stack([rows[:, 1:] & 15, rows[:, 1:] >> 4], axis=2)
        roots = roots.reshape(n, 2 * pitch - 2)[:, :width]
        lower = np.frombuffer(data, np.uint8, end - rows_end, rows_end).astype(np.int16) - 128
        metric = np.zeros((width, width), np.int8)
        metric[np.tril_indices(width)] = lower
        metric |= np.tril(metric, -1).T
        return Kept(shift, rows[:, 0].copy(), roots, metric)


def metric_bytes(inputs: int) -> int:
    """Of the lower triangle of a metric."""
    return inputs * (inputs + 1) // 2


def row_bytes(inputs: int) -> int:
    """Of one example, with its label."""
    return 1 + (inputs + 1) // 2


__all__ = ["METRIC_ONE", "MOST_BYTES", "MOST_ROOT", "Kept", "metric_bytes", "row_bytes"]
