"""micro:bit CreateAI: the JSON of data samples that it saves, three axes in g.

    [{"name": "wave", "recordings": [{"data": {"x": [...], "y": [...], "z": [...]}}]}, ...]

It records 1 to 2 s in 20 ms steps (its firmware's accelerometer period) and saves no times;
--rate names another rate. A project (.hex) is not read: save its data samples.
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.dataset.convert.options import Imported, Options, Piece, Source
from host_tools.dataset.convert.text import read_text
from host_tools.dataset.folder import MOST
from host_tools.dataset.recording import Recording, Span
from host_tools.errors import BeckonError
from host_tools.units import accel_factor

_RATE_HZ = 50.0


def is_samples(content: Any) -> bool:
    """Whether a JSON file's content is CreateAI's list of data samples."""
    return (isinstance(content, list) and bool(content) and isinstance(content[0], dict)
            and "name" in content[0] and isinstance(content[0].get("recordings"), list))


def read(path: Path, options: Options) -> Imported:
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    data = Imported(path.name, [])
    for file in files:
        try:
            content = json.loads(read_text(file))
        except (ValueError, RecursionError) as e:
            raise BeckonError("{file}: not JSON ({e})", file=file, e=e) from None
        if isinstance(content, dict) and isinstance(content.get("data"), list):
            content = content["data"]
        if is_samples(content):
            data.add(_pieces(file, content, options))
    return data


def _pieces(file: Path, content: list, options: Options) -> list[Piece]:
    rate_hz = options.rate_hz or _RATE_HZ
    unit = options.accel or "g"
    source = Source("micro:bit CreateAI", "", unit)
    out = []
    try:
        for action in content:
            label = options.label or str(action["name"]).strip()
            for i, taken in enumerate(action["recordings"]):
                axes = [np.array(taken["data"][x], float) for x in "xyz"]
                if len({len(a) for a in axes}) != 1 or len(axes[0]) < 2 or axes[0].ndim != 1:
                    raise BeckonError("{file}: recording {i} of {label!r} has {counts} values of "
                                      "x, y, z", file=file, i=i + 1, label=label,
                                      counts=', '.join(str(len(a)) for a in axes))
                samples = np.stack(axes, axis=1)
                if not (np.abs(samples) < MOST).all():
                    raise BeckonError("{file}: recording {i} of {label!r} holds no finite numbers",
                                      file=file, i=i + 1, label=label)
                if not label:
                    raise BeckonError("{file}: an action has no name; name it in CreateAI",
                                      file=file)
                span = Span(0.0, (len(samples) - 1) * 1000 / rate_hz, label, options.subject)
                name = f"{label}_{i + 1:03d}"
                out.append(Piece(Recording(
                    name, (samples * accel_factor(unit)).astype(np.float32), rate_hz, (span,),
                    path=file, native_hz=rate_hz), source))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as e:
        raise BeckonError("{file}: not data samples of CreateAI ({e!r})", file=file, e=e) from None
    return out
