"""The activation functions of a network: microMLP's own table, here for arrays.

A board computes no exponentials. It looks an output up in a table of 1,024 entries, for
which `TABLED` adds each function's range. ReLU needs no table: the engine clamps.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from host_tools.paths import FIRMWARE

Floats = npt.NDArray[np.float64]


def _microMLP_table() -> tuple[tuple[str, Callable[[float], float], Callable], ...]:
    lib = str(FIRMWARE / "lib")
    if lib not in sys.path:
        sys.path.append(lib)  # last, so that it hides nothing
    from microMLP import ACTIVATIONS

    return ACTIVATIONS


def _for_arrays(function: Callable[[float], float]) -> Callable[[Floats], Floats]:
    return np.vectorize(function, otypes=[float])


# FloatLayer.activation -> microMLP's name; the function.
MICROMLP_NAMES = {name.lower(): name for name, _, _ in _microMLP_table()}
FUNCTIONS = {name.lower(): _for_arrays(function) for name, function, _ in _microMLP_table()}


class Range(NamedTuple):
    """Least and greatest value; |z| beyond which a value is constant to 1 part in 2,000."""

    low: float
    high: float
    edge: float


TABLED = {
    "sigmoid": Range(0, 1, 8),
    "tanh": Range(-1, 1, 4),
    "gaussian": Range(0, 1, 3),
    "heaviside": Range(0, 1, 1),
    "softplus": Range(0, 8, 8),
}
# The greatest output of a layer with one of these has the greatest sum, too. Heaviside
# rises as well, but its outputs are alike.
RISING = ("sigmoid", "tanh", "relu", "softplus")
