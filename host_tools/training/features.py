"""The board's front end, as training describes and uses it.

Augmented windows are made at a folded rate in physical units; the last steps,
scaling to int16, levelling and normalising, are the very integers of the board
(host_tools.model.reference).
"""
from __future__ import annotations

import numpy as np

from host_tools.model.attitude import ONE, Attitude, level
from host_tools.model.decision import Activity, activity_for
from host_tools.model.format import MEAN, Axis, FrontEnd
from host_tools.training.recipe import Recipe
from host_tools.units import counts_per_unit

INPUT_SCALE = 1 / 3000  # the network's input for int16 value 1: about 1 for a usual amplitude
_LOUD = 3000  # a window's mean deviation is scaled to this, so that peaks stay in int16


def describe(recipe: Recipe) -> FrontEnd:
    """The front end in the terms of the model file."""
    scale = [_fraction(gain / recipe.decimation, recipe.decimation) for gain in recipe.gain]
    axes = tuple(Axis(i, 0, *scale[i // 3]) for i in range(recipe.axes))
    counts = values_per_unit(recipe)
    loud, floor = [0, 0], [0, 0]
    groups = 1 if recipe.axes == 3 else 2
    for g in range(groups):
        if recipe.normalise[g]:
            loud[g] = _LOUD
            low = recipe.floor[g] * counts[3 * g]
            floor[g] = max(round(low), -(-_LOUD // 31))
    centre = (7 if recipe.centre[0] else 0) | (56 if recipe.centre[1] and groups == 2 else 0)
    gate = tuple(
        max(1, round(gate * counts[3 * g])) if gate and g < groups else 0
        for g, gate in enumerate(recipe.gate)
    )
    return FrontEnd(
        recipe.rate_hz, recipe.accel_g, recipe.gyro_dps, axes, recipe.decimation, recipe.window,
        recipe.hop, centre, (loud[0], loud[1]), (floor[0], floor[1]), (gate[0], gate[1]), MEAN,
        _attitude(recipe, counts),
    )


def activity_of(recipe: Recipe) -> Activity:
    """How the board measures that the hand moves."""
    values = values_per_unit(recipe)
    gyro = float(values[3]) if recipe.axes == 6 else 0.0
    return activity_for(float(values[0]), gyro, recipe.feature_hz)


def _attitude(recipe: Recipe, counts: np.ndarray) -> Attitude | None:
    """counts: values of a m/s^2 and a deg/s."""
    if not recipe.levelled or recipe.axes == 3 and not any(recipe.up):
        return None
    x, y, z = (round(u * ONE) for u in recipe.up)
    if recipe.axes == 3:
        return Attitude((x, y, z))
    # Half the angle of the mean of two frames' rates over one frame, of their sum
    half = np.radians(1 / counts[3]) / recipe.feature_hz / 4 * ONE
    shift = 31
    while shift and round(half * (1 << shift)) >= 1 << 15:
        shift -= 1
    return Attitude((x, y, z), round(half * (1 << shift)), shift)


def _fraction(factor: float, decimation: int) -> tuple[int, int]:
    """(mul, shift) with x * mul >> shift nearly x * factor, as fine as 31 bits allow."""
    shift = 15
    while shift and round(factor * (1 << shift)) * 32768 * decimation >= 1 << 30:
        shift -= 1
    return max(1, round(factor * (1 << shift))), shift


def values_per_unit(recipe: Recipe) -> np.ndarray:
    """What a m/s^2 and a deg/s are before normalising, float32 (axes,)."""
    scale = counts_per_unit(recipe.accel_g, recipe.gyro_dps) * np.repeat(recipe.gain, 3)
    return scale.astype(np.float32)[: recipe.axes]


class Features:
    """Physical windows, decimated, to the network's inputs.

    Scaling to int16 and normalising are the board's integers, as in
    host_tools.model.reference.normalise, here axis by axis, which is faster.
    """

    def __init__(self, recipe: Recipe):
        self.front_end = describe(recipe)
        self._scale = values_per_unit(recipe)

    def __call__(self, windows: np.ndarray):
        """windows (axes, n, window) -> inputs float32 (n, window * axes), still bool (n,)."""
        values, still = self.integers(windows)
        out = values.transpose(1, 2, 0).reshape(values.shape[1], -1)
        return out.astype(np.float32) * np.float32(INPUT_SCALE), still

    def integers(self, windows: np.ndarray):
        """windows (axes, n, window) -> what the first layer reads, int32 of the same shape."""
        fe = self.front_end
        axes, n, length = windows.shape
        y = np.clip(np.floor(windows * self._scale[:, None, None]), -32768, 32767).astype(np.int32)
        if not fe.prepared:
            return y, np.zeros(n, bool)
        if fe.attitude is not None:
            y = level(fe.attitude, y)
        mean = y.sum(axis=2, keepdims=True, dtype=np.int32) // length
        away = y - mean
        for axis in range(axes):
            if fe.centre >> axis & 1:
                y[axis] = np.clip(away[axis], -32768, 32767)
        np.abs(away, out=away)
        still = np.ones(n, bool)
        for group in range(axes // 3):
            part = slice(3 * group, 3 * group + 3)
            spread = away[part].sum(axis=(0, 2), dtype=np.int64) // (3 * length)
            if fe.gate[group]:
                still &= spread < fe.gate[group]
            if fe.level[group]:
                factor = (fe.level[group] << 10) // np.maximum(spread, fe.floor[group])
                factor = factor.astype(np.int32)
                y[part] = np.clip(y[part] * factor[None, :, None] >> 10, -32768, 32767)
        return y, still if any(fe.gate) else np.zeros(n, bool)
