"""Edge Impulse: the data-acquisition JSON, CBOR and CSV, one file per sample.

JSON and CBOR: {"protected": {"ver": "v1", "alg"}, "signature": hex, "payload": {"device_name",
"device_type", "interval_ms", "sensors": [{"name", "units"}], "values": [[..]]}}
CSV: timestamp,accX,accY,accZ[,gyrX,gyrY,gyrZ], milliseconds. Labels: see
edge_impulse_labels.py; else the file's name up to the first dot. Units are taken from the
file. The folders training and testing, or the categories of info.labels, stay apart.

With alg HS256 the signature is the HMAC-SHA256 of the whole text with 64 zeros in
the signature's place ("Data acquisition format", Signing data). That of CBOR is not checked.
"""
from __future__ import annotations

import csv
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.dataset.convert import csv_files
from host_tools.dataset.convert.edge_impulse_labels import FileLabel, read_file_labels
from host_tools.dataset.convert.labelling import Labelling
from host_tools.dataset.convert.layout import find_layout
from host_tools.dataset.convert.options import Imported, Options, Piece, Source
from host_tools.dataset.convert.samples import check_rate
from host_tools.dataset.convert.tables import Table
from host_tools.dataset.convert.text import decode, read_bytes
from host_tools.dataset.convert.writer import file_name, label_as_file, new_folder
from host_tools.dataset.folder import MOST
from host_tools.dataset.recording import Dataset, Recording, Span
from host_tools.errors import BeckonError
from host_tools.units import accel_factor, gyro_factor

_NAMES = ("accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ")
_ZEROS = "0" * 64
_SUFFIXES = (".json", ".cbor", ".csv")
_CATEGORIES = {"training": "training", "train": "training", "testing": "testing",
               "test": "testing"}  # fmt: skip


def read(path: Path, options: Options) -> Imported:
    files = [path] if path.is_file() else sorted(
        p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file()
    )
    return read_files(path, files, options)


def read_files(path: Path, files: list[Path], options: Options) -> Imported:
    known = read_file_labels(path)
    labelling = Labelling(path, files, replace(options, label_from=options.label_from or "name"))
    data = Imported(path.name, [])
    unchecked = unlabelled = 0
    for file in files:
        given = known.get(file, FileLabel())
        if given.unlabelled and not options.label:
            unlabelled += 1
            continue
        category = given.category or _folder_category(path, file)
        label = options.label or given.label or (
            labelling.label(file) if options.label_from == "folder" else file.name.split(".")[0])
        if file.suffix.lower() == ".csv":
            pieces, notices = _read_csv(file, options, label, labelling)
            data.notices += notices
        else:
            piece, signed = read_sample(file, options, label, labelling.subject(file)) or (None, 0)
            if piece is None:
                continue
            pieces = [piece]
            unchecked += signed
        if given.parts and not options.label:
            pieces = [_with_parts(p, given.parts, file) for p in pieces]
        data.add([replace(p, source=replace(p.source, category=category)) for p in pieces])
    if unchecked:
        data.notices.append(
            f"{path}: {unchecked} samples are signed; give the project's key to have that checked"
        )
    if unlabelled:
        data.notices.append(f"{path}: {unlabelled} samples have no label and are left out")
    return data


def _folder_category(root: Path, file: Path) -> str:
    for part in reversed(file.parts[len(root.parts) : -1]):
        if part.lower() in _CATEGORIES:
            return _CATEGORIES[part.lower()]
    return ""


def _read_csv(file: Path, options: Options, label: str, labelling: Labelling):
    pieces, notices = csv_files.read_file(file, options, labelling, "Edge Impulse CSV")
    out = []
    for piece in pieces:
        r = piece.recording
        if len({s.label for s in r.spans}) == 1:
            only = Span(r.spans[0].start_ms, r.spans[-1].end_ms, label, r.subject)
            piece = replace(piece, recording=r.with_spans([only]))
        out.append(piece)
    return out, notices


def _with_parts(piece: Piece, parts: tuple[tuple[int, int, str], ...], file: Path) -> Piece:
    """The spans of parts (first, last, label), by sample index or, if only those fit, by ms."""
    r = piece.recording
    period_ms = 1000 / r.rate_hz
    end = max(last for _, last, _ in parts)
    length = len(r.samples)
    unit = 1.0
    if end <= length:
        unit = period_ms
    elif end > length * period_ms + 100:
        raise BeckonError("{file}: its labels end at {end}, the sample at {length}", file=file,
                          end=end, length=length - 1)
    spans = []
    for first, last, label in parts:
        stop = min((last + 1) * unit, (length - 1) * period_ms)
        if stop > first * unit:
            spans.append(Span(first * unit, stop, label, r.subject))
    return replace(piece, recording=r.with_spans(spans))


def read_sample(
    path: Path, options: Options, label: str, subject: str = ""
) -> tuple[Piece, bool] | None:
    """A JSON or CBOR sample, and whether its signature was left unchecked.

    None for a JSON file that is something else (settings, lists of files).
    """
    raw = read_bytes(path)
    is_cbor = path.suffix.lower() == ".cbor"
    text = "" if is_cbor else decode(raw) or ""
    content = _load_cbor(path, raw) if is_cbor else _load_json(path, text)
    payload = content.get("payload") if isinstance(content, dict) else None
    if not isinstance(payload, dict) or "values" not in payload:
        return None
    try:
        names = [" ".join(str(s["name"]).split()) for s in payload["sensors"]]
        units = [" ".join(str(s.get("units", "")).split()) for s in payload["sensors"]]
        interval_ms = float(payload["interval_ms"])
        values = np.array(payload["values"], dtype=np.float64)
        signed = content.get("protected", {}).get("alg", "none") != "none"
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as e:
        raise BeckonError("{path}: not an Edge Impulse sample ({e!r})", path=path, e=e) from None
    if values.ndim != 2 or values.shape[1] != len(names) or len(values) < 2:
        raise BeckonError("{path}: values have shape {shape} for {count} sensors", path=path,
                          shape=values.shape, count=len(names))
    for i, row in enumerate(values):
        if not (np.abs(row) < MOST).all():
            raise BeckonError("{path}: value {i} is not a finite number below {most:g}", path=path,
                              i=i, most=MOST)
    if not 0.1 <= interval_ms <= 1000:
        raise BeckonError("{path}: interval_ms {interval_ms:g} is not within 0.1..1000", path=path,
                          interval_ms=interval_ms)
    if signed and options.hmac_key is not None and not is_cbor:
        _check_signature(path, text, content, options.hmac_key)
    header = [f"{n} ({u})" if u else n for n, u in zip(names, units, strict=True)]
    by_name = dict(zip(names, header, strict=True))
    columns = tuple((ours, by_name.get(theirs, theirs)) for ours, theirs in options.columns)
    layout = find_layout(Table(path, header, []), replace(options, columns=columns))
    factors = [accel_factor(layout.accel) if a[0] == "a" else gyro_factor(layout.gyro)
               for a in layout.axes]
    samples = values[:, [layout.at[a] for a in layout.axes]] * factors
    rate_hz = 1000 / interval_ms
    source = Source("Edge Impulse CBOR" if is_cbor else "Edge Impulse JSON", "", layout.accel,
                    layout.gyro, not layout.accel_named,
                    "gx" in layout.at and not layout.gyro_named)
    check_rate(path, rate_hz, source, options)
    span = Span(0.0, (len(values) - 1) * interval_ms, label, subject or options.subject)
    name = path.name[: -len(path.suffix)]
    found = Recording(name, samples.astype(np.float32), rate_hz, (span,), path=path,
                      native_hz=rate_hz)
    return Piece(found, source), signed and (options.hmac_key is None or is_cbor)


def _load_json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise BeckonError("{path}: not JSON ({e})", path=path, e=e) from None


def _load_cbor(path: Path, raw: bytes) -> Any:
    import cbor2

    try:
        return cbor2.loads(raw)
    except Exception as e:  # whatever its decoder may raise
        reason = str(e).splitlines()[0] if str(e) else type(e).__name__
        raise BeckonError("{path}: not CBOR ({reason})", path=path, reason=reason) from None


def sign(text: str, key: bytes) -> str:
    """The HMAC-SHA256 of a sample's text with the zeros in it, in hex."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _check_signature(path: Path, text: str, content: dict, key: bytes) -> None:
    claimed = str(content.get("signature"))
    if content["protected"]["alg"] != "HS256":
        raise BeckonError("{path}: is signed with {alg!r}, not HS256", path=path,
                          alg=content['protected']['alg'])
    whole = len(claimed) == 64 and text.count(claimed) == 1
    signature = sign(text.replace(claimed, _ZEROS), key)
    if not whole or not hmac.compare_digest(signature, claimed.lower()):
        raise BeckonError("{path}: the signature does not fit: another key, or the file changed",
                          path=path)


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
            with open(temporary / f"{name}.csv", "w", encoding="utf-8", newline="") as f:
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
