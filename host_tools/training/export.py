"""From the trained float network to the model file's integers."""
from __future__ import annotations

import numpy as np

from host_tools.model.decision import Decision
from host_tools.model.format import Model
from host_tools.model.quantize import FloatLayer, quantise
from host_tools.training.features import INPUT_SCALE, activity_of, describe
from host_tools.training.network import Network
from host_tools.training.recipe import Recipe


def float_layers(net: Network) -> list[FloatLayer]:
    """The network in the quantiser's terms: inputs in units of 32768 counts."""
    out = []
    for i, layer in enumerate(net.layers):
        weights = layer.weights.T.astype(np.float64)
        if i == 0:
            weights = weights * (32768 * INPUT_SCALE)
        activation = "identity" if i == len(net.layers) - 1 else "relu"
        out.append(
            FloatLayer(weights, layer.bias, layer.positions, layer.step, activation, layer.pool)
        )
    return out


USUAL = Decision()


def export(
    net: Network,
    recipe: Recipe,
    calibration: np.ndarray,
    decision: Decision = USUAL,
    temperature: float = 1.0,
    notes: str = "",
    spare: float = 1.0,
) -> Model:
    """The board's model. calibration: network inputs float32 (n, ...) from Features.

    spare: as in quantise.
    """
    values = np.clip(np.rint(calibration / INPUT_SCALE), -32768, 32767).astype(np.int16)
    return quantise(
        float_layers(net), describe(recipe), recipe.labels, recipe.idle, values,
        activity=activity_of(recipe), decision=decision, temperature=temperature, notes=notes,
        spare=spare,
    )
