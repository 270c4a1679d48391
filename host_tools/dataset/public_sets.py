"""Public sets by name: where they are, under which licence, and how to read them.

    data = read_wisdm_watch("wisdm.zip")

No source publishes a hash of wisdm-watch's archive, so its sha256 is "": whoever fetches it is
shown the hash of what came, to keep.
"""
from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from host_tools.dataset.recording import Dataset, Recording, Span
from host_tools.errors import BeckonError

_NS = 1e9
_RATE_HZ = 20.0  # of the WISDM watches, by the set's description
_GAP_S = 0.5  # a longer one divides a recording
_LEAST_S = 2.0
_NEAR_S = 1.0  # gyroscope and accelerometer are joined where both measured
_ACTIVITIES = {
    "A": "walking", "B": "jogging", "C": "stairs", "D": "sitting", "E": "standing",
    "F": "typing", "G": "teeth", "H": "soup", "I": "chips", "J": "pasta", "K": "drinking",
    "L": "sandwich", "M": "kicking", "O": "catch", "P": "dribbling", "Q": "writing",
    "R": "clapping", "S": "folding",
}  # fmt: skip
_LINE = re.compile(rb"^(\d+),([A-Z]),(\d+),(-?[\d.eE+-]+),(-?[\d.eE+-]+),(-?[\d.eE+-]+)\s*;?\s*$")
_MEMBER = re.compile(r"raw/watch/(accel|gyro)/data_(\d+)_(?:accel|gyro)_watch\.txt$")
_MOST_BYTES = 1 << 31  # of the archive within the archive, unpacked


@dataclass(frozen=True)
class PublicSet:
    """size: about, in MB. sha256: of the file at url, "" if no source publishes it."""

    name: str
    what: str
    url: str
    licence: str
    source: str
    size_mb: int
    sha256: str
    read: Callable[[Path], Dataset]


def sha256_of(path: Path) -> str:
    """Raises OSError."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


def read_wisdm_watch(path: Path) -> Dataset:
    """The watch's recordings of everyday movement, six axes at 20 Hz, from UCI's zip.

    Both sensors are put on one grid where both measured. Raises BeckonError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            tables = _tables(path, archive)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise BeckonError(f"{path}: not the zip as it is published ({error}); fetch it "
                          "again") from None  # fmt: skip
    recordings = []
    for subject, (accel, gyro) in sorted(tables.items()):
        for code in sorted(set(accel) & set(gyro)):
            label = _ACTIVITIES.get(code, code.lower())
            recordings += _joined(f"{subject}_{label}", label, subject, accel[code], gyro[code])
    if not recordings:
        raise BeckonError(f"{path}: holds no raw/watch/accel and raw/watch/gyro; fetch "
                          "wisdm-watch's own zip")
    return Dataset(path.stem, recordings, [])


_Table = dict[str, np.ndarray]  # activity -> (n, 4): seconds, x, y, z; time advances


def _tables(path: Path, archive: zipfile.ZipFile) -> dict[str, tuple[_Table, _Table]]:
    """Accelerometer and gyroscope of each subject."""
    found: dict[str, dict[str, _Table]] = {}
    for name, data in _members(archive):
        match = _MEMBER.search(name)
        if match:
            found.setdefault(match[2], {})[match[1]] = _table(path, name, data)
    return {s: (t["accel"], t["gyro"]) for s, t in found.items() if len(t) == 2}


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """The watch's files, also of the archive within the archive."""
    for info in archive.infolist():
        if info.filename.endswith(".zip"):
            if info.file_size > _MOST_BYTES:
                raise BeckonError(f"{info.filename} unpacks to {info.file_size >> 20} MB: that is "
                                  "not wisdm-watch")
            with zipfile.ZipFile(io.BytesIO(archive.read(info))) as inner:
                yield from _members(inner)
        elif _MEMBER.search(info.filename) and info.file_size <= _MOST_BYTES >> 4:
            yield info.filename, archive.read(info)


def _table(path: Path, name: str, data: bytes) -> _Table:
    rows: dict[str, list[tuple[float, ...]]] = {}
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.match(line)
        try:
            if not match:
                raise ValueError
            values = [float(x) for x in match.groups()[3:]]
        except ValueError:
            raise BeckonError(f"{path}: {name}:{number}: {line[:60].decode(errors='replace')!r} is "
                              "not subject,activity,time,x,y,z;") from None
        rows.setdefault(match[2].decode(), []).append((int(match[3]) / _NS, *values))
    out = {}
    for code, listed in rows.items():
        table = np.array(listed)
        _, first = np.unique(table[:, 0], return_index=True)  # sorted; of equal times the first
        out[code] = table[first]
    return out


def _joined(name: str, label: str, subject: str, accel: np.ndarray, gyro: np.ndarray):
    """Recordings on an even grid, divided where either sensor has a gap."""
    cuts = np.flatnonzero(np.diff(accel[:, 0]) > _GAP_S)
    out: list[Recording] = []
    for part in np.split(accel, cuts + 1):
        start_s, end_s = max(part[0, 0], gyro[0, 0]), min(part[-1, 0], gyro[-1, 0])
        if end_s - start_s < _LEAST_S:
            continue
        t = start_s + np.arange(int((end_s - start_s) * _RATE_HZ) + 1) / _RATE_HZ
        after = np.minimum(np.searchsorted(gyro[:, 0], t), len(gyro) - 1)
        there = gyro[after, 0] - gyro[np.maximum(after - 1, 0), 0] < _NEAR_S
        columns = [np.interp(t, part[:, 0], part[:, k]) for k in (1, 2, 3)]
        columns += [np.degrees(np.interp(t, gyro[:, 0], gyro[:, k])) for k in (1, 2, 3)]
        samples = np.stack(columns, axis=1).astype(np.float32)
        for run in np.split(np.arange(len(t)), np.flatnonzero(np.diff(there)) + 1):
            if there[run[0]] and len(run) >= _LEAST_S * _RATE_HZ:
                span = Span(0.0, (len(run) - 1) * 1000 / _RATE_HZ, label, subject)
                number = f"_{len(out) + 1}" if out else ""
                out.append(Recording(f"{name}{number}", samples[run], _RATE_HZ, (span,),
                                     native_hz=_RATE_HZ))
    return out


PUBLIC_SETS = {s.name: s for s in (
    PublicSet(
        "wisdm-watch",
        "51 people in 18 everyday activities with a watch at the wrist: negatives",
        "https://archive.ics.uci.edu/static/public/507/"
        "wisdm+smartphone+and+smartwatch+activity+and+biometrics+dataset.zip",
        "CC BY 4.0", "G. Weiss, UCI Machine Learning Repository, doi:10.24432/C5HK59", 295, "",
        read_wisdm_watch,
    ),
)}  # fmt: skip
