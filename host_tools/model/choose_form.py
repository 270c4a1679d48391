"""The 6-bit form of a model where it holds its accuracy, else the exact 8-bit one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from host_tools.model.format import FrontEnd, Model
from host_tools.model.quantize import FloatLayer, float_scores, quantise
from host_tools.model.reference import scores

MOST_POINTS_LOST = 0.1  # of accuracy, against the float network


def points_lost(
    model: Model,
    layers: Sequence[FloatLayer],
    windows: npt.NDArray[np.int16],
    truth: npt.NDArray[np.int64],
) -> float:
    """Points of accuracy that a model of these layers loses against them; negative for a gain.

    windows : int16 (k, window * axes), from `reference.features`, best those that neither
        training nor `quantise` has seen. truth : int (k,), their labels' indices.
    """
    expected = float_scores(layers, windows / 32768).argmax(axis=1) == truth
    got = scores(model, windows).argmax(axis=1) == truth
    return 100 * (float(expected.mean()) - float(got.mean()))


def choose_form(
    layers: Sequence[FloatLayer],
    front_end: FrontEnd,
    labels: Sequence[str],
    idle: int,
    calibration: npt.NDArray[np.int16],
    windows: npt.NDArray[np.int16],
    truth: npt.NDArray[np.int64],
    **rest: Any,
) -> Model:
    """The 6-bit model if it loses at most MOST_POINTS_LOST on the windows, else the 8-bit one.

    windows, truth: as for `points_lost`; the others: as for `quantise`.
    """
    fast = quantise(layers, front_end, labels, idle, calibration, fast=True, **rest)
    if points_lost(fast, layers, windows, truth) <= MOST_POINTS_LOST:
        return fast
    return quantise(layers, front_end, labels, idle, calibration, **rest)
