"""UCI HAR ("Human Activity Recognition Using Smartphones"): windows joined to streams again.

train and test hold `Inertial Signals/total_acc_x_train.txt` and the like, 128 samples per line at
50 Hz, in g and rad/s, each line half over the one before. Lines of one person and activity
that overlap to the last digit become one recording. The division by people stays.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np

from host_tools.dataset.convert.options import Imported, Options, Piece, Source
from host_tools.dataset.convert.text import read_text
from host_tools.dataset.recording import Recording, Span
from host_tools.errors import BeckonError
from host_tools.units import accel_factor, gyro_factor

_RATE_HZ = 50.0
_WINDOW, _STEP = 128, 64
_FILES = [f"{name}_{x}" for name in ("total_acc", "body_gyro") for x in "xyz"]


def folder_of(path: Path) -> Path | None:
    """The set's own folder at or below path, None if it is not there."""
    signals = next(iter(sorted(path.rglob("total_acc_x_t*.txt"))), None) if path.is_dir() else None
    return signals.parents[2] if signals else None


def read(path: Path, options: Options) -> Imported:
    root = folder_of(path)
    if root is None:
        raise BeckonError("{path}: holds no Inertial Signals of UCI HAR", path=path)
    data = Imported("uci-har", [])
    names = dict(line.split() for line in read_text(root / "activity_labels.txt").splitlines()
                 if line.strip())
    for split, category in (("train", "training"), ("test", "testing")):
        if (root / split).is_dir():
            data.add(_split(root / split, split, category, names, options))
    return data


def _split(folder: Path, split: str, category: str, names: dict, options: Options) -> list[Piece]:
    labels = _column(folder / f"y_{split}.txt")
    people = _column(folder / f"subject_{split}.txt")
    signals = [_windows(folder / "Inertial Signals" / f"{f}_{split}.txt") for f in _FILES]
    if len({len(labels), len(people), *map(len, signals)}) != 1:
        raise BeckonError("{folder}: its files have different numbers of lines; unpack it again",
                          folder=folder)
    windows = np.stack(signals, axis=2)  # (n, 128, 6)
    windows[:, :, :3] *= accel_factor("g")
    windows[:, :, 3:] *= gyro_factor("rad/s")
    goes_on = [i > 0 and labels[i] == labels[i - 1] and people[i] == people[i - 1]
               and bool((windows[i, :_STEP] == windows[i - 1, _STEP:]).all())
               for i in range(len(labels))]
    starts = [i for i, on in enumerate(goes_on) if not on]
    source = Source("UCI HAR", "", "g", "rad/s", category=category)
    out = []
    for first, last in zip(starts, [*starts[1:], len(labels)], strict=True):
        stream = np.concatenate([windows[first], *windows[first + 1 : last, _STEP:]])
        label = options.label or names.get(labels[first], labels[first])
        end_ms = (len(stream) - 1) * 1000 / _RATE_HZ
        span = Span(0.0, end_ms, label, options.subject or people[first])
        out.append(Piece(Recording(
            f"{split}_{people[first]}_{label}_{first:04d}", stream.astype(np.float32), _RATE_HZ,
            (span,), path=folder, native_hz=_RATE_HZ), source))
    return out


def _column(path: Path) -> list[str]:
    return read_text(path).split()


def _windows(path: Path) -> np.ndarray:
    try:
        values = np.array(read_text(path).split(), dtype=np.float64)
        if not np.isfinite(values).all():
            raise ValueError("not finite")
        return values.reshape(-1, _WINDOW)
    except ValueError as e:
        raise BeckonError("{path}: not lines of {window} numbers ({e})", path=path, window=_WINDOW,
                          e=e) from None
