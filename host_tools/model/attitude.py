"""Levelling: a window as if the hand had never turned, and had always been held the same way up.

Turning the sensor mixes gravity into all axes, which differs from person to
person more than the strokes of a gesture do. Strapdown integration takes it
out (Titterton & Weston, Strapdown Inertial Navigation Technology, 2004,
ch. 3): from the window's last frame back to its first, the gyroscope says how
the sensor was turned against that last frame, and accelerations and turn
rates are turned into it. The mean acceleration of what results is gravity; the
window is turned the shortest way that brings it to the direction `up`.

Integers, the same as `_level` in firmware/lib/microMLP_engine.py. Q14: 16384 is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ONE = 1 << 14
HALF_TURN_MAX = 12288  # Q14 rad a frame and axis: 0.75; what turns faster is not followed
_LEAST_GRAVITY = 16  # mean acceleration / 4; below, no direction is known
_LEAST_COSINE = 819  # of 1 + cosine, Q14: nearly upside down

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Attitude:
    """How windows are levelled.

    up: Q14, the direction that the mean acceleration is turned to; zeros: it is not
        gravity, and windows stay in their last frame's attitude.
    mul, shift: half the angle between two frames, Q14 rad, is
        (y + y of the frame before) * mul >> shift for turn rates y; mul 0:
        there is no gyroscope, or it is not used.
    """

    up: tuple[int, int, int]
    mul: int = 0
    shift: int = 0


def level(attitude: Attitude, y: npt.NDArray) -> Ints:
    """Levelled windows.

    y : int (axes, n, window), int16 values, three or six axes. Returns int32 of the same shape.
    """
    frames, g = unwound(attitude, y)
    if not any(attitude.up):
        return frames.transpose(1, 2, 0)
    return _turned(_swing(attitude.up, g)[:, None], frames).transpose(1, 2, 0)


def unwound(attitude: Attitude, y: npt.NDArray) -> tuple[Ints, Ints]:
    """Windows turned into their last frame: (window, axes, n), and gravity there, (3, n).

    y : as for `level`.
    """
    frames = np.ascontiguousarray(y.transpose(2, 0, 1), np.int32)
    if attitude.mul:
        frames = _turned(_matrices(_unwind(attitude, frames[:, 3:])), frames)
    return frames, (frames[:, :3].sum(axis=0) // len(frames)).astype(np.int32)


def _unwind(attitude: Attitude, gyro: Ints) -> Ints:
    """How each frame is turned against the last one: quaternions int32 (window, 4, n)."""
    h = (gyro[1:] + gyro[:-1]) * np.int32(attitude.mul) >> attitude.shift
    np.clip(h, -HALF_TURN_MAX, HALF_TURN_MAX, out=h)
    x = (h * h).sum(axis=1, dtype=np.int32) >> 14
    # cos and sin(a) / a by their series, x = a^2
    c = ONE - (x * (ONE - (x * (ONE - x // 30) >> 14) // 12) >> 15)
    s = ONE - (x * (ONE - (x * (ONE - x // 42) >> 14) // 20) >> 14) // 6
    x, y, z = (-(h * s[:, None] + 8192 >> 14)).transpose(1, 0, 2)
    # The quaternion product with (c, x, y, z) as a matrix, since a sum is one call of NumPy's
    steps = np.array([[c, -x, -y, -z], [x, c, z, -y], [y, -z, c, x], [z, y, -x, c]])
    q = np.zeros((len(gyro), 4, gyro.shape[2]), np.int32)
    q[-1, 0] = ONE
    for t in range(len(gyro) - 1, 0, -1):
        q[t - 1] = np.einsum("ijn,jn->in", steps[:, :, t - 1], q[t]) + 8192 >> 14
    return q


def _matrices(q: Ints) -> Ints:
    """Rotation matrices, Q14, int32 (9, window, n) of quaternions (window, 4, n)."""
    w, x, y, z = q.transpose(1, 0, 2)
    return np.stack([
        ONE - (y * y + z * z >> 13), x * y - w * z >> 13, x * z + w * y >> 13,
        x * y + w * z >> 13, ONE - (x * x + z * z >> 13), y * z - w * x >> 13,
        x * z - w * y >> 13, y * z + w * x >> 13, ONE - (x * x + y * y >> 13),
    ])


def _swing(up: tuple[int, int, int], g: Ints) -> Ints:
    """The shortest rotation from g (3, n) to `up`: Q14, int32 (9, n).

    With v = g x up and c = g . up, of unit length: c + [v] + v v' / (1 + c).
    """
    g = g >> 2
    size = np.floor(np.sqrt((g * g).sum(axis=0, dtype=np.int32))).astype(np.int32)
    known = size >= _LEAST_GRAVITY
    g = g * ((1 << 28) // np.maximum(size, _LEAST_GRAVITY)) >> 14
    ux, uy, uz = up
    x = g[1] * uz - g[2] * uy >> 14
    y = g[2] * ux - g[0] * uz >> 14
    z = g[0] * uy - g[1] * ux >> 14
    c = g[0] * ux + g[1] * uy + g[2] * uz >> 14
    k = (1 << 28) // np.maximum(ONE + c, _LEAST_COSINE)
    xx, yy, zz = ((i * i >> 14) * k >> 14 for i in (x, y, z))
    xy, xz, yz = ((i * j >> 14) * k >> 14 for i, j in ((x, y), (x, z), (y, z)))
    matrix = np.stack([c + xx, xy - z, xz + y, xy + z, c + yy, yz - x, xz - y, yz + x, c + zz])
    return np.where(known, matrix, ONE * np.eye(3, dtype=np.int32).reshape(9, 1))


def _turned(matrices: Ints, frames: Ints) -> Ints:
    """frames (window, axes, n), both sensors multiplied by matrices (9, window or 1, n)."""
    out = np.empty_like(frames)
    for sensor in range(0, frames.shape[1], 3):
        x, y, z = frames[:, sensor], frames[:, sensor + 1], frames[:, sensor + 2]
        for i in range(3):
            m = matrices[3 * i : 3 * i + 3]
            out[:, sensor + i] = m[0] * x + m[1] * y + m[2] * z + 8192 >> 14
    return np.clip(out, -32768, 32767, out=out)
