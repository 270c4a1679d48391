"""What a model file (`*.mlp`) holds. docs/model-file.md describes every field.

host_tools.model.codec turns a Model to bytes and back, host_tools.model.golden
reads and writes files.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from host_tools.errors import BeckonError
from host_tools.model.attitude import Attitude
from host_tools.model.decision import Activity, Decision
from host_tools.model.kept import Kept

FILE_MAX = 20_000  # bytes
WORK_MAX = 32_768  # bytes
AXES = ("ax", "ay", "az", "gx", "gy", "gz")
PEAK, MEAN = 0, 1  # FrontEnd.measure
CLAMP, TABLE = 0, 1  # Layer.kind
TABLE_SIZE = 1024
FIRST_UNKNOWN = 14  # tags of sections: lower ones are in use,
LAST_TAG = 255  # this is that of the weights, which are last

_STATE_WORDS = 64  # more than the engine has, so that it can grow
_LAYER_WORDS = 16
_ACTIVITY_WORDS = 16


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
    version: of the file, 1 or 2. Version 1 has no activity and no decision.
    unknown: tag and bytes of sections that only a later Beckon knows.
    kept: examples for learning on the board, which follow the model in its file; or None.
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
    version: int = 2
    unknown: tuple[tuple[int, bytes], ...] = ()
    kept: Kept | None = None

    @property
    def stride(self) -> int:
        """Values a frame in the first layer's input; even in the fast form."""
        axes = len(self.front_end.axes)
        return axes + 1 & -2 if self.fast else axes

    @property
    def model_id(self) -> str:
        from host_tools.model.codec import encode  # which imports this module

        return f"{struct.unpack_from('<I', encode(self), 8)[0]:08x}"

    @property
    def macs(self) -> int:
        """Multiply-accumulates an inference."""
        return sum(layer.macs for layer in self.layers)


def work_bytes(model: Model) -> int:
    """Bytes that the engine needs beside the file."""
    fe = model.front_end
    n = fe.window * model.stride
    size = 4 * (_STATE_WORDS + _LAYER_WORDS * len(model.layers))
    if model.fast:
        size += sum(padded(layer) * layer.outputs for layer in model.layers)
    if model.activity is not None:
        size += 4 * _ACTIVITY_WORDS + 8 * model.activity.lag
    size += 4 * n + 32
    if fe.prepared:
        size += 2 * n + 35 & -4
    for layer in model.layers[:-1]:
        size += 2 * layer.values + 35 & -4
    return size


def padded(layer: Layer) -> int:
    """Weight bytes of one of a layer's outputs: a multiple of 16."""
    return layer.inputs + 15 & -16
