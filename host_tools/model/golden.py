"""Model files on disk, and the golden window that each of them carries.

A model file holds the scores that the board must compute for a window made from the
file's seed. `seal` puts them in; `read_model` and the board check them.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from host_tools.files import write_atomically
from host_tools.model import reference
from host_tools.model.format import Model, ModelError, decode, encode


def seal(model: Model) -> Model:
    """The model with the golden window's scores, as the board will check them."""
    for seed in range(model.seed, 65536):
        sealed = replace(model, seed=seed)
        scores, still = reference.golden(sealed)
        if not still:
            return replace(sealed, golden=tuple(int(v) for v in scores))
    raise ModelError(f"model: its gate {model.front_end.gate} lets no window through")


def read_model(path: str | os.PathLike[str]) -> Model:
    """Read and check a model file, its golden window too."""
    try:
        data = Path(path).read_bytes()
    except OSError as e:
        raise ModelError(f"{path}: {e.strerror or e}") from None
    try:
        model = decode(data)
        scores, _ = reference.golden(model)
        if tuple(scores) != model.golden:
            raise ModelError("model: scores of the golden window differ")
    except ModelError as e:
        raise ModelError(f"{path}: {e}") from None
    return model


def write_model(path: str | os.PathLike[str], model: Model) -> int:
    """Write a model file, whole or not at all; return its size in bytes."""
    data = encode(model)
    write_atomically(path, data)
    return len(data)
