"""Write a data-set folder: all of it or nothing."""
from __future__ import annotations

import csv
import gzip
import io
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from ...errors import BeckonError
from ..recording import AXES, Dataset, Recording


def recording_csv(r: Recording) -> str:
    """The recording in our CSV form."""
    t = r.start_ms + np.arange(len(r.samples)) * 1000 / r.rate_hz
    out = io.StringIO()
    out.write(",".join(("t_ms", *AXES[: r.axes])) + "\n")
    for when, row in zip(t, r.samples, strict=True):
        out.write(f"{when:.3f}".rstrip("0").rstrip("."))
        out.write("".join(f",{v:.4f}".rstrip("0").rstrip(".") for v in row.tolist()) + "\n")
    return out.getvalue()


def write_folder(data: Dataset, folder: str | Path) -> None:
    """Make folder with recordings/*.csv.gz and labels.csv.

    Raises BeckonError if the folder exists or cannot be made; nothing is left
    behind then.
    """
    folder = Path(folder)
    if folder.exists():
        raise BeckonError(f"{folder}: is there already; name another folder or delete it")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=folder.name, suffix=".tmp", dir=folder.parent))
    except OSError as e:
        raise BeckonError(f"{folder}: {e.strerror}") from None
    try:
        (temporary / "recordings").mkdir()
        with open(temporary / "labels.csv", "w", newline="") as f:
            rows = csv.writer(f, lineterminator="\n")
            rows.writerow(["recording", "start_ms", "end_ms", "label", "subject"])
            for r in data.recordings:
                name = r.name.replace("/", "_")
                packed = gzip.compress(recording_csv(r).encode(), mtime=0)
                (temporary / "recordings" / f"{name}.csv.gz").write_bytes(packed)
                for s in r.spans:
                    rows.writerow([name, f"{s.start_ms:g}", f"{s.end_ms:g}", s.label, s.subject])
        os.chmod(temporary, 0o755)
        os.replace(temporary, folder)
    except OSError as e:
        raise BeckonError(f"{folder}: {e.strerror}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
