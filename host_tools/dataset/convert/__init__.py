"""Other people's formats: read into data sets, write from them.

    data = read_foreign("exports/", "edge-impulse")
    write_folder(data, "my_gestures")

FORMATS maps a format's name to its module, each with read(path, options); WRITERS
to write(data, folder, options) -> number of files.
"""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from host_tools.dataset.convert import article, csv_files, edge_impulse, npy
from host_tools.dataset.convert.options import Options
from host_tools.dataset.convert.writer import write_folder
from host_tools.dataset.recording import Dataset
from host_tools.errors import BeckonError

FORMATS = {
    "edge-impulse": edge_impulse,
    "article": article,
    "npy": npy,
    "csv": csv_files,
}
WRITERS = {
    "edge-impulse": edge_impulse.write,
    "edge-impulse-csv": edge_impulse.write_csv,
    "article": article.write,
    "npy": npy.write,
    "csv": csv_files.write,
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
    return _told_apart(data, path)


def _told_apart(data: Dataset, path: Path) -> Dataset:
    """Recordings of one name get their folder's before it, else a number behind it."""
    seen: set[str] = set()
    for i, r in enumerate(data.recordings):
        name = r.name
        if name in seen and r.path is not None and r.path.parent != path:
            name = f"{r.path.parent.name}_{r.name}"
        number = 2
        while name in seen:
            name, number = f"{r.name}_{number}", number + 1
        seen.add(name)
        if name != r.name:
            data.recordings[i] = replace(r, name=name)
    return data


def write_foreign(data: Dataset, folder: str | Path, form: str, options: Options) -> int:
    """Write in another format, all of it or nothing; returns the number of files.

    Raises BeckonError for a format, label or rate that cannot be written.
    """
    if form not in WRITERS:
        raise BeckonError(f"format {form!r} is not known; there are {', '.join(WRITERS)}", 2)
    return WRITERS[form](data, Path(folder), options)


__all__ = ["FORMATS", "WRITERS", "Options", "read_foreign", "write_folder", "write_foreign"]
