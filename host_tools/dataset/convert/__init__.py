"""Other people's formats: read into data sets, write from them.

    data = read_foreign("exports/", "edge-impulse")
    write_folder(data, "my_gestures")

FORMATS lists them all: commands, docs and tests read it.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from host_tools.dataset.convert import article, csv_files, edge_impulse, npy
from host_tools.dataset.convert.options import Options
from host_tools.dataset.convert.writer import write_folder
from host_tools.dataset.recording import Dataset
from host_tools.errors import BeckonError


@dataclass(frozen=True)
class Format:
    """read(path, options) -> Dataset; write(data, folder, options) -> number of files.

    None: not in this direction. imports, exports: what docs/data.md says of each.
    """

    name: str
    read: Callable[[Path, Options], Dataset] | None
    write: Callable[[Dataset, Path, Options], int] | None
    imports: str = ""
    exports: str = ""


def _write_own(data: Dataset, folder: Path, options: Options) -> int:
    write_folder(data, folder)
    return len(data.recordings)


FORMATS = {
    form.name: form
    for form in (
        Format("edge-impulse", edge_impulse.read, edge_impulse.write,
               "JSON of the acquisition format and CSV; labels of `info.labels`, else of the "
               "file's name", "JSON, one file per span"),
        Format("edge-impulse-csv", None, edge_impulse.write_csv,
               "as `edge-impulse`", "CSV, one file per span"),
        Format("article", article.read, article.write,
               "table of windows, streams `move_LABEL_...csv`",
               "table of 1 s windows from the span's start; a stream of one gesture each"),
        Format("npy", npy.read, npy.write,
               "`LABEL/*.npy`, or `X.npy` with `y.npy`; `--rate`", "`LABEL/*.npy`, one file per "
               "span"),
        Format("csv", csv_files.read, csv_files.write,
               "any header: `--columns ax=accX,...`, `--time`, `--accel`, `--gyro`; column "
               "`label`", "the same, one file per recording"),
        Format("folder", None, _write_own, "", "our own form"),
    )
}
IMPORTED = tuple(form.name for form in FORMATS.values() if form.read)
EXPORTED = tuple(form.name for form in FORMATS.values() if form.write)


def read_foreign(path: str | Path, form: str, options: Options | None = None) -> Dataset:
    """Read recordings of another format. Raises BeckonError naming the file."""
    path = Path(path)
    read = FORMATS[form].read if form in FORMATS else None
    if read is None:
        raise BeckonError(f"format {form!r} is not known; there are {', '.join(IMPORTED)}", 2)
    if not path.exists():
        raise BeckonError(f"{path}: no such file or folder")
    data = read(path, options or Options())
    if not data.recordings:
        raise BeckonError(f"{path}: holds no recording of format {form}")
    return _with_unique_names(data, path)


def _with_unique_names(data: Dataset, path: Path) -> Dataset:
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
    write = FORMATS[form].write if form in FORMATS else None
    if write is None:
        raise BeckonError(f"format {form!r} is not known; there are {', '.join(EXPORTED)}", 2)
    return write(data, Path(folder), options)


def markdown_table() -> str:
    """The table of docs/data.md."""
    rows = ["| format | import | export |", "|---|---|---|"]
    rows += [f"| `{f.name}` | {f.imports} | {f.exports} |" for f in FORMATS.values()]
    return "\n".join(rows)


__all__ = [
    "EXPORTED",
    "FORMATS",
    "IMPORTED",
    "Format",
    "Options",
    "markdown_table",
    "read_foreign",
    "write_folder",
    "write_foreign",
]
