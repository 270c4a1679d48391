"""Edge Impulse: the data-acquisition JSON and CSV, one file per sample.

JSON: {"protected": {"ver": "v1", "alg"}, "signature": hex, "payload": {"device_name",
"device_type", "interval_ms", "sensors": [{"name", "units"}], "values": [[..]]}}
CSV: timestamp,accX,accY,accZ[,gyrX,gyrY,gyrZ], milliseconds. The label is that of
info.labels beside the files, as an export has it, else the file's name up to the
first dot. Units of the JSON are taken from the file.

With alg HS256 the signature is the HMAC-SHA256 of the whole text with 64 zeros in
the signature's place ("Data acquisition format", Signing data).
"""
from __future__ import annotations

import csv
import hashlib
import hmac
import json
from pathlib import Path

import numpy as np

from host_tools.dataset.convert import csv_files
from host_tools.dataset.convert.options import ACCEL_UNITS, GYRO_UNITS, Options
from host_tools.dataset.convert.writer import file_name, label_as_file, new_folder
from host_tools.dataset.folder import MOST
from host_tools.dataset.recording import AXES, Dataset, Recording, Span
from host_tools.errors import BeckonError

_NAMES = ("accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ")
_SAME = {"m/s2": "m/s2", "m/s^2": "m/s2", "m/s²": "m/s2", "g": "g", "mg": "mg",
         "dps": "dps", "deg/s": "dps", "°/s": "dps", "rad/s": "rad/s", "mdps": "mdps"}


_ZEROS = "0" * 64


def read(path: Path, options: Options) -> Dataset:
    files = [path] if path.is_file() else sorted(
        p for p in path.rglob("*") if p.suffix in (".json", ".csv")
    )
    known = _info_labels(path)
    data = Dataset(path.name, [])
    unchecked = 0
    for file in files:
        label = options.label or known.get(file) or file.name.split(".")[0]
        if file.suffix == ".json":
            found = read_json(file, options, label)
            if found is not None:
                data.recordings.append(found[0])
                unchecked += found[1]
        else:
            recording, notices = csv_files.read_file(file, options)
            if len({s.label for s in recording.spans}) == 1:
                span = recording.spans[0]
                only = Span(span.start_ms, recording.spans[-1].end_ms, label, options.subject)
                recording = recording.with_spans([only])
            data.recordings.append(recording)
            data.notices += notices
    if unchecked:
        data.notices.append(
            f"{path}: {unchecked} samples are signed; give the project's key to have that checked"
        )
    return data


def _info_labels(path: Path) -> dict[Path, str]:
    """The labels of info.labels, by file; others than single ones are left out."""
    info = path / "info.labels"
    if not info.is_file():
        return {}
    try:
        files = json.loads(info.read_text(encoding="utf-8"))["files"]
        return {
            path / str(f["path"]): str(f["label"]["label"])
            for f in files if f.get("label", {}).get("type") == "label"
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise BeckonError(f"{info}: not a list of labels ({e!r})") from None


def read_json(path: Path, options: Options, label: str) -> tuple[Recording, bool] | None:
    """A sample, and whether its signature was left unchecked.

    None for a JSON file that is something else (settings, lists of files).
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError, RecursionError) as e:
        raise BeckonError(f"{path}: not JSON ({e})") from None
    payload = content.get("payload") if isinstance(content, dict) else None
    if not isinstance(payload, dict) or "values" not in payload:
        return None
    try:
        names = [s["name"] for s in payload["sensors"]]
        units = [str(s.get("units", "")) for s in payload["sensors"]]
        interval_ms = float(payload["interval_ms"])
        values = np.array(payload["values"], dtype=np.float64)
        signed = content.get("protected", {}).get("alg", "none") != "none"
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as e:
        raise BeckonError(f"{path}: not an Edge Impulse sample ({e!r})") from None
    if values.ndim != 2 or values.shape[1] != len(names) or len(values) < 2:
        raise BeckonError(f"{path}: values have shape {values.shape} for {len(names)} sensors")
    for i, row in enumerate(values):
        if not (np.abs(row) < MOST).all():
            raise BeckonError(f"{path}: value {i} is not a finite number below {MOST:g}")
    if not 0.1 <= interval_ms <= 1000:
        raise BeckonError(f"{path}: interval_ms {interval_ms:g} is not within 0.1..1000")
    if signed and options.hmac_key is not None:
        _check_signature(path, text, content, options.hmac_key)
    where = csv_files.match_columns(path, [str(n) for n in names], options)
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
    span = Span(0.0, (len(values) - 1) * interval_ms, label, options.subject)
    name = path.name.removesuffix(".json")
    found = Recording(name, samples, rate_hz, (span,), path=path, native_hz=rate_hz)
    return found, signed and options.hmac_key is None


def sign(text: str, key: bytes) -> str:
    """The HMAC-SHA256 of a sample's text with the zeros in it, in hex."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _check_signature(path: Path, text: str, content: dict, key: bytes) -> None:
    claimed = str(content.get("signature"))
    if content["protected"]["alg"] != "HS256":
        raise BeckonError(f"{path}: is signed with {content['protected']['alg']!r}, not HS256")
    whole = len(claimed) == 64 and text.count(claimed) == 1
    signature = sign(text.replace(claimed, _ZEROS), key)
    if not whole or not hmac.compare_digest(signature, claimed.lower()):
        raise BeckonError(f"{path}: the signature does not fit: another key, or the file changed")


def write(data: Dataset, folder: Path, options: Options) -> int:
    """One JSON file per span into a new folder, signed if there is a key; returns how many.

    Without a key `alg` is none, which the uploader accepts.
    """
    count = 0
    with new_folder(folder) as temporary:
        for name, r, x in _pieces(data):
            sensors = [
                {"name": axis, "units": "m/s2" if i < 3 else "dps"}
                for i, axis in enumerate(_NAMES[: r.axes])
            ]
            sample = {
                "protected": {"ver": "v1", "alg": "HS256" if options.hmac_key else "none"},
                "signature": _ZEROS,
                "payload": {
                    "device_type": "BECKON",
                    "interval_ms": 1000 / r.rate_hz,
                    "sensors": sensors,
                    "values": np.round(x.astype(float), 4).tolist(),
                },
            }
            text = json.dumps(sample)
            if options.hmac_key:
                text = text.replace(_ZEROS, sign(text, options.hmac_key), 1)
            (temporary / f"{name}.json").write_text(text)
            count += 1
    return count


def write_csv(data: Dataset, folder: Path, options: Options) -> int:
    """One CSV file per span, timestamp in ms, into a new folder; returns how many."""
    count = 0
    with new_folder(folder) as temporary:
        for name, r, x in _pieces(data):
            with open(temporary / f"{name}.csv", "w", newline="") as f:
                out = csv.writer(f, lineterminator="\n")
                out.writerow(("timestamp", *_NAMES[: r.axes]))
                for i, row in enumerate((x / options.scale(r.axes)).tolist()):
                    out.writerow((f"{i * 1000 / r.rate_hz:.10g}", *(f"{v:.7g}" for v in row)))
            count += 1
    return count


def _pieces(data: Dataset):
    """(name LABEL.RECORDING.NUMBER, recording, samples) of each span."""
    for r in data.recordings:
        for k, s in enumerate(r.spans):
            a, b = max(0, round(r.index(s.start_ms))), round(r.index(s.end_ms)) + 1
            yield f"{label_as_file(s.label, '.')}.{file_name(r)}.{k:03d}", r, r.samples[a:b]
