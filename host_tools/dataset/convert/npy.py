"""NumPy folders: LABEL/*.npy, each (samples, axes), or one X.npy with y.npy.

X.npy: (recordings, samples, axes) or (recordings, axes, samples); y.npy: one
label each, numbers or text. Give the rate: an array does not know it.
"""
from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from host_tools.dataset.convert.options import Imported, Options, Piece, Source
from host_tools.dataset.convert.writer import file_name, label_as_file, new_folder
from host_tools.dataset.folder import MOST
from host_tools.dataset.recording import Dataset, Recording, Span
from host_tools.errors import BeckonError


def read(path: Path, options: Options) -> Imported:
    files = [path] if path.is_file() else sorted(path.rglob("*.npy"))
    return read_files(path, files, options)


def read_files(path: Path, files: list[Path], options: Options) -> Imported:
    if not options.rate_hz:
        raise BeckonError("{path}: .npy files hold no times; give the rate with --rate", status=2,
                          path=path)
    data = Imported(path.name, [])
    source = Source("NumPy", "--rate", options.accel or "m/s2", options.gyro or "dps",
                    options.accel is None, options.gyro is None)
    if (path / "X.npy").exists():
        x, y = _load(path / "X.npy"), _load(path / "y.npy")
        if len(x) != len(y):
            raise BeckonError("{path}: X.npy has {x} recordings, y.npy {y} labels",
                              path=path, x=len(x), y=len(y))
        for i, (samples, label) in enumerate(zip(x, y, strict=True)):
            data.add([Piece(_recording(path / "X.npy", f"{label}_{i:04d}", samples, str(label),
                                       options), source)])
        return data
    for file in files:
        label = options.label or (file.parent.name if file.parent != path else file.stem)
        name = f"{label}_{file.stem}" if file.parent != path else file.stem
        data.add([Piece(_recording(file, name, _load(file), label, options), source)])
    return data


def _load(path: Path) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files of Python 2, which are read all the same
            found = np.load(path, allow_pickle=False)
    except Exception as e:  # the header is Python text: whatever its parser may raise
        reason = str(e).splitlines()[0] if str(e) else type(e).__name__
        raise BeckonError("{path}: not a NumPy array ({reason})", path=path,
                          reason=reason) from None
    if not isinstance(found, np.ndarray) or found.ndim == 0:
        raise BeckonError("{path}: not a NumPy array", path=path)
    return found


def _recording(path: Path, name: str, x: np.ndarray, label: str, options: Options) -> Recording:
    rate_hz = float(options.rate_hz or 0)
    if x.dtype.kind not in "fiu":
        raise BeckonError("{path}: {name} holds {dtype}, no numbers", path=path, name=name,
                          dtype=x.dtype)
    x = np.asarray(x, np.float64)
    if x.ndim == 2 and x.shape[1] not in (3, 6) and x.shape[0] in (3, 6):
        x = x.T
    if x.ndim != 2 or x.shape[1] not in (3, 6) or len(x) < 2:
        raise BeckonError("{path}: {name} has shape {shape}; (samples, 3 or 6) is needed",
                          path=path, name=name, shape=x.shape)
    broken = np.flatnonzero(~(np.abs(x) < MOST).all(axis=1))
    if len(broken):
        raise BeckonError("{path}: {name}, sample {broken}: not a finite number below {most:g}",
                          path=path, name=name, broken=broken[0], most=MOST)
    x = x * options.scale(x.shape[1])
    span = Span(0.0, (len(x) - 1) * 1000 / rate_hz, label, options.subject)
    return Recording(name, x.astype(np.float32), rate_hz, (span,), path=path,
                     native_hz=rate_hz)


def write(data: Dataset, folder: Path, options: Options) -> int:
    """LABEL/NAME.npy, float32 (samples, axes) in the options' units; returns how many."""
    count = 0
    with new_folder(folder) as temporary:
        for r in data.recordings:
            for k, s in enumerate(r.spans):
                a, b = max(0, round(r.index(s.start_ms))), round(r.index(s.end_ms)) + 1
                place = temporary / label_as_file(s.label)
                place.mkdir(exist_ok=True)
                values = (r.samples[a:b] / options.scale(r.axes)).astype(np.float32)
                np.save(place / f"{file_name(r)}_{k:03d}.npy", values)
                count += 1
    return count
