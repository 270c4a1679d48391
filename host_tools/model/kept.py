"""Examples of the gestures that a model knows, kept behind it for learning on the board.

    kept = Kept(shift=7, labels=labels, values=values)
    data = kept.to_bytes(model_crc)         # what follows the model in its file

A board that learns another gesture (firmware/learning/) must not forget the old ones. So it
gets some windows of each, as the last hidden layer sees them: what lies before that layer
never changes on a board. docs/model-file.md describes the bytes.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from host_tools.errors import BeckonError

MAGIC = b"BKEX"
VERSION = 1
MOST_BYTES = 12_000  # so that model and examples have 32,000 at most
_HEAD = struct.Struct("<4sBBHHHI")  # magic, version, shift, inputs, count, 0, model's CRC-32
_CRC = struct.Struct("<I")


@dataclass(frozen=True, eq=False)
class Kept:
    """shift: a value is what the last layer reads, >> shift, at most 255.

    labels : uint8 (n,), index of each example's label. values : uint8 (n, inputs).
    """

    shift: int
    labels: npt.NDArray[np.uint8]
    values: npt.NDArray[np.uint8]

    def to_bytes(self, model_crc: int) -> bytes:
        """model_crc: CRC-32 of the model that it follows, as its head has it."""
        n, inputs = self.values.shape
        head = _HEAD.pack(MAGIC, VERSION, self.shift, inputs, n, 0, model_crc)
        body = np.concatenate([self.labels[:, None], self.values], axis=1, dtype=np.uint8)
        data = head + body.tobytes()
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
            raise BeckonError("model: kept examples of version {version}, {known} is known",
                              version=version, known=VERSION)
        end = _HEAD.size + n * (width + 1)
        if len(data) != end + -end % 4 + _CRC.size or len(data) > MOST_BYTES:
            raise BeckonError("model: kept examples of {size} bytes are cut", size=len(data))
        if zlib.crc32(data[: -_CRC.size]) != _CRC.unpack_from(data, len(data) - _CRC.size)[0]:
            raise BeckonError("model: kept examples are damaged, their CRC-32 is wrong")
        if crc != model_crc or width != inputs or shift > 15:
            raise BeckonError("model: kept examples of another model")
        rows = np.frombuffer(data, np.uint8, n * (width + 1), _HEAD.size).reshape(n, width + 1)
        if n and rows[:, 0].max() >= classes:
            raise BeckonError("model: kept examples of a label that it does not have")
        return Kept(shift, rows[:, 0].copy(), rows[:, 1:].copy())


__all__ = ["MOST_BYTES", "Kept"]
