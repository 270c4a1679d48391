"""The one table of activations: as NumPy computes them, as MicroMLP names them."""

import numpy as np
import pytest

from host_tools.model.activations import FUNCTIONS, MICROMLP_NAMES, RISING, TABLED

Z = np.linspace(-12, 12, 4801)
EXPECTED = {
    "sigmoid": 1 / (1 + np.exp(-Z)),
    "tanh": np.tanh(Z),
    "softplus": np.logaddexp(0, Z),
    "relu": np.maximum(Z, 0),
    "gaussian": np.exp(-Z * Z),
    "heaviside": (Z >= 0).astype(float),
}


def test_names():
    from microMLP import MicroMLP

    constants = {v for k, v in vars(MicroMLP).items() if k.startswith("ACTFUNC_")}
    assert set(MICROMLP_NAMES.values()) == constants
    assert set(FUNCTIONS) == set(MICROMLP_NAMES) == set(EXPECTED)
    assert set(TABLED) == set(FUNCTIONS) - {"relu"}


@pytest.mark.parametrize("name", EXPECTED)
def test_values(name):
    assert np.allclose(FUNCTIONS[name](Z), EXPECTED[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", EXPECTED)
def test_rising(name):
    assert (name in RISING) == (name != "heaviside" and bool((np.diff(EXPECTED[name]) >= 0).all()))


@pytest.mark.parametrize("name", TABLED)
def test_a_table_covers_what_varies(name):
    low, high, edge = TABLED[name]
    inside = EXPECTED[name][np.abs(Z) <= edge]
    outside = EXPECTED[name][(np.abs(Z) > edge) & (Z < 0 if name == "softplus" else True)]
    step = (high - low) / 2000
    assert low - step <= inside.min() and inside.max() <= high + step
    # Beyond the edge, on either side, a value stays within a step of one end.
    assert (np.minimum(outside - low, high - outside) <= step + 1e-12).all()
