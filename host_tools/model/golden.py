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
from host_tools.model.codec import decode, encode
from host_tools.model.format import Model, ModelError


def seal(model: Model) -> Model:
    """The model with what the golden window gives, as the board will check it."""
    for seed in range(model.seed, 65536):
        sealed = filled_in(replace(model, seed=seed))
        if not reference.golden(sealed).still:
            return sealed
    raise ModelError("model: its gate and wake_at let no golden window through")


def filled_in(model: Model) -> Model:
    """The model with what the golden window of its own seed gives, be it still."""
    scores, _, activity = reference.golden(model)
    measure = model.activity and replace(model.activity, golden=activity)
    return replace(model, golden=tuple(int(v) for v in scores), activity=measure)


def read_model(path: str | os.PathLike[str]) -> Model:
    """Read and check a model file, its golden window too."""
    try:
        return checked_model(Path(path).read_bytes())
    except OSError as e:
        raise ModelError("{path}: {reason}", path=path, reason=e.strerror or e) from None
    except ModelError as e:
        raise ModelError("{path}: {fault}", path=path, fault=e) from None


def checked_model(data: bytes) -> Model:
    """The model of a file's content, its golden window checked. Raises ModelError."""
    model = decode(data)
    scores, _, activity = reference.golden(model)
    if tuple(scores) != model.golden:
        raise ModelError("model: scores of the golden window differ")
    if model.activity and activity != model.activity.golden:
        raise ModelError("model: activity of the golden window differs")
    return model


def write_model(path: str | os.PathLike[str], model: Model) -> int:
    """Write a model file, whole or not at all; return its size in bytes."""
    data = encode(model)
    write_atomically(path, data)
    return len(data)
