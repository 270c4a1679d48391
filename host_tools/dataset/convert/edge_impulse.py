"""Edge Impulse: the data-acquisition JSON and CSV, one file a sample.

JSON: {"protected": {...}, "signature": hex, "payload": {"device_name",
"device_type", "interval_ms", "sensors": [{"name", "units"}], "values": [[..]]}}
CSV: timestamp,accX,accY,accZ[,gyrX,gyrY,gyrZ], milliseconds. The label is the
file's name up to the first dot. Units of the JSON are taken from the file.
"""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ...errors import BeckonError
from ..recording import AXES, Dataset, Recording, Span
from . import plain
from .options import ACCEL_UNITS, GYRO_UNITS, Options

_NAMES = ("accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ")
_SAME = {"m/s2": "m/s2", "m/s^2": "m/s2", "m/s²": "m/s2", "g": "g", "mg": "mg",
         "dps": "dps", "deg/s": "dps", "°/s": "dps", "rad/s": "rad/s", "mdps": "mdps"}


def read(path: Path, options: Options) -> Dataset:
    files = [path] if path.is_file() else sorted(
        p for p in path.rglob("*") if p.suffix in (".json", ".csv") and p.name != "info.labels"
    )
    data = Dataset(path.name, [])
    for file in files:
        if file.suffix == ".json":
            recording = read_json(file, options)
            if recording is not None:
                data.recordings.append(recording)
        else:
            recording, notices = plain.read_file(file, options)
            label = options.label or file.name.split(".")[0]
            if len({s.label for s in recording.spans}) == 1:
                span = recording.spans[0]
                only = Span(span.start_ms, recording.spans[-1].end_ms, label, options.subject)
                recording = recording.with_spans([only])
            data.recordings.append(recording)
            data.notices += notices
    return data


def read_json(path: Path, options: Options) -> Recording | None:
    """A sample; None for a JSON file that is something else (settings, lists of files)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise BeckonError(f"{path}: not JSON ({e})") from None
    payload = content.get("payload") if isinstance(content, dict) else None
    if not isinstance(payload, dict) or "values" not in payload:
        return None
    try:
        names = [s["name"] for s in payload["sensors"]]
        units = [s.get("units", "") for s in payload["sensors"]]
        interval_ms = float(payload["interval_ms"])
        values = np.array(payload["values"], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as e:
        raise BeckonError(f"{path}: not an Edge Impulse sample ({e!r})") from None
    if values.ndim != 2 or values.shape[1] != len(names) or len(values) < 2:
        raise BeckonError(f"{path}: values have shape {values.shape} for {len(names)} sensors")
    if not np.isfinite(values).all() or not interval_ms > 0:
        raise BeckonError(f"{path}: values or interval_ms are not finite numbers")
    where = plain.match_columns(path, names, options)
    axes = [a for a in AXES if a in where]
    samples = np.empty((len(values), len(axes)), np.float32)
    for k, axis in enumerate(axes):
        known = ACCEL_UNITS if k < 3 else GYRO_UNITS
        usual = options.accel if k < 3 else options.gyro
        unit = _SAME.get(units[where[axis]].strip().lower(), usual)
        if unit not in known:
            raise BeckonError(f"{path}: {axis} in {unit!r}; use {', '.join(known)}")
        samples[:, k] = values[:, where[axis]] * known[unit]
    rate_hz = 1000 / interval_ms
    label = options.label or path.name.split(".")[0]
    span = Span(0.0, (len(values) - 1) * interval_ms, label, options.subject)
    name = path.name.removesuffix(".json")
    return Recording(name, samples, rate_hz, (span,), path=path, native_hz=rate_hz)


def write(data: Dataset, folder: Path) -> int:
    """One unsigned JSON file a span into a new folder; returns how many.

    The uploader signs, or accepts, samples whose `alg` is none.
    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise BeckonError(f"{folder}: is there already; name another folder") from None
    count = 0
    for r in data.recordings:
        for k, s in enumerate(r.spans):
            a, b = max(0, round(r.index(s.start_ms))), round(r.index(s.end_ms)) + 1
            sensors = [
                {"name": name, "units": "m/s2" if i < 3 else "dps"}
                for i, name in enumerate(_NAMES[: r.axes])
            ]
            sample = {
                "protected": {"ver": "v1", "alg": "none", "iat": 0},
                "signature": "0" * 64,
                "payload": {
                    "device_type": "BECKON",
                    "interval_ms": 1000 / r.rate_hz,
                    "sensors": sensors,
                    "values": np.round(r.samples[a:b].astype(float), 4).tolist(),
                },
            }
            name = f"{s.label}.{r.name.replace('/', '_')}.{k:03d}.json"
            (folder / name).write_text(json.dumps(sample))
            count += 1
    return count
