"""Write folders of recordings, ours among them: all of one or nothing."""
from __future__ import annotations

import csv
import gzip
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from host_tools.dataset.recording import AXES, Dataset, Recording
from host_tools.errors import BeckonError


def recording_csv(r: Recording) -> str:
    """The recording in our CSV form."""
    t = r.start_ms + np.arange(len(r.samples)) * 1000 / r.rate_hz
    out = io.StringIO()
    out.write(",".join(("t_ms", *AXES[: r.axes])) + "\n")
    for when, row in zip(t, r.samples, strict=True):
        out.write(f"{when:.3f}".rstrip("0").rstrip("."))
        out.write("".join(f",{v:.4f}".rstrip("0").rstrip(".") for v in row.tolist()) + "\n")
    return out.getvalue()


@contextmanager
def new_folder(folder: str | Path) -> Iterator[Path]:
    """A temporary folder to fill, which becomes `folder` at the end, or nothing does.

    Raises BeckonError if the folder is there already or cannot be made.
    """
    folder = Path(folder)
    if folder.exists():
        raise BeckonError("{folder}: exists already; name another folder or delete it",
                          folder=folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.tmp")
        temporary.mkdir()
    except OSError as e:
        raise BeckonError("{folder}: {reason}", folder=folder, reason=e.strerror) from None
    try:
        yield temporary
        os.replace(temporary, folder)
    except OSError as e:
        raise BeckonError("{folder}: {reason}", folder=folder, reason=e.strerror) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def file_name(r: Recording) -> str:
    """The recording's name without what separates folders."""
    return r.name.replace("/", "_").replace("\\", "_")


def label_as_file(label: str, also: str = "") -> str:
    """The label, if it can be part of a file's name. also: more characters that it must not hold.

    Raises BeckonError: changed names would make two labels one, or leave the folder.
    """
    bad = sorted({c for c in label if c in "/\\:\0" + also or not c.isprintable()})
    if bad or label.strip(". ") != label or not label:
        raise BeckonError("label {label!r} cannot be part of a file's name; rename it in "
                          "labels.csv", label=label)
    return label


def write_folder(data: Dataset, folder: str | Path) -> None:
    """Make folder with recordings/*.csv.gz and labels.csv: all of it or nothing."""
    with new_folder(folder) as temporary:
        (temporary / "recordings").mkdir()
        with open(temporary / "labels.csv", "w", newline="", encoding="utf-8") as f:
            rows = csv.writer(f, lineterminator="\n")
            rows.writerow(["recording", "start_ms", "end_ms", "label", "subject"])
            for r in data.recordings:
                name = file_name(r)
                packed = gzip.compress(recording_csv(r).encode(), mtime=0)
                (temporary / "recordings" / f"{name}.csv.gz").write_bytes(packed)
                for s in r.spans:
                    rows.writerow([name, f"{s.start_ms:.10g}", f"{s.end_ms:.10g}", s.label,
                                   s.subject])
