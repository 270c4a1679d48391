"""Other people's formats: read into data sets, write from them.

    data = read_foreign("exports/", "edge-impulse")
    write_folder(data, "my_gestures")

FORMATS maps a format's name to its module; each has read(path, options) and,
where it can be written, write(data, folder).
"""
from __future__ import annotations

from pathlib import Path

from ...errors import BeckonError
from ..recording import Dataset
from . import article, edge_impulse, npy, plain
from .options import Options
from .writer import write_folder

FORMATS = {
    "edge-impulse": edge_impulse,
    "article": article,
    "npy": npy,
    "csv": plain,
}


def read_foreign(path: str | Path, form: str, options: Options | None = None) -> Dataset:
    """Read recordings of another format. Raises BeckonError naming the file."""
    path = Path(path)
    if form not in FORMATS:
        raise BeckonError(f"format {form!r} is not known; there are {', '.join(FORMATS)}", 2)
    if not path.exists():
        raise BeckonError(f"{path}: no such file or folder")
    data = FORMATS[form].read(path, options or Options())
    if not data.recordings:
        raise BeckonError(f"{path}: holds no recording of format {form}")
    return data


__all__ = ["FORMATS", "Options", "read_foreign", "write_folder"]
