"""Other people's formats: read into data sets, write from them.

    data = read_foreign("exports/")
    write_folder(data, "my-gestures")

FORMATS lists them all: commands, docs and tests read it.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from host_tools.dataset.convert import (
    article,
    createai,
    csv_files,
    detect,
    edge_impulse,
    npy,
    uci_har,
)
from host_tools.dataset.convert.archive import in_archive, is_archive, unpacked
from host_tools.dataset.convert.check import check_imported
from host_tools.dataset.convert.options import Imported, Options, Source
from host_tools.dataset.convert.writer import write_folder
from host_tools.dataset.recording import Dataset
from host_tools.errors import BeckonError


@dataclass(frozen=True)
class Format:
    """read(path, options) -> Imported; write(data, folder, options) -> number of files.

    None: not in this direction. imports, exports: what docs/data.md says of each.
    """

    name: str
    read: Callable[[Path, Options], Imported] | None
    write: Callable[[Dataset, Path, Options], int] | None
    imports: str = ""
    exports: str = ""


def _write_own(data: Dataset, folder: Path, options: Options) -> int:
    write_folder(data, folder)
    return len(data.recordings)


FORMATS = {
    form.name: form
    for form in (
        Format("auto", detect.read, None, "every file by its own format", ""),
        Format("edge-impulse", edge_impulse.read, edge_impulse.write,
               "JSON, CBOR and CSV; labels of `info.labels` and `structured_labels.labels`, else "
               "of the file's name; `training` and `testing` stay apart",
               "JSON, one file per span"),
        Format("edge-impulse-csv", None, edge_impulse.write_csv,
               "as `edge-impulse`", "CSV, one file per span"),
        Format("article", article.read, article.write,
               "table of windows, streams `move_LABEL_...csv`",
               "table of 1 s windows from the span's start; a stream of one gesture each"),
        Format("npy", npy.read, npy.write,
               "`LABEL/*.npy`, or `X.npy` with `y.npy`; `--rate`", "`LABEL/*.npy`, one file per "
               "span"),
        Format("csv", csv_files.read, csv_files.write,
               "tables of any make, files of a phone's sensors, labels of Label Studio beside "
               "them, WISDM", "a column `label`, one file per recording"),
        Format("createai", createai.read, None, "data samples of micro:bit CreateAI", ""),
        Format("uci-har", uci_har.read, None, "UCI HAR, its windows joined to streams", ""),
        Format("folder", None, _write_own, "", "our own form"),
    )
}
IMPORTED = tuple(form.name for form in FORMATS.values() if form.read)
EXPORTED = tuple(form.name for form in FORMATS.values() if form.write)


def read_foreign(
    path: str | Path, form: str = "auto", options: Options | None = None
) -> Imported:
    """Read recordings of another format: a file, a folder, or a zip as it was downloaded.

    Raises BeckonError naming the file, also where the values betray that the unit is another
    and neither the file nor the options name one.
    """
    path = Path(path)
    read = FORMATS[form].read if form in FORMATS else None
    if read is None:
        raise BeckonError("format {form!r} is not known; there are {imported}", status=2,
                          form=form, imported=', '.join(IMPORTED))
    if not path.exists():
        raise BeckonError("{path}: no such file or folder", path=path)
    if is_archive(path):
        with unpacked(path) as folder:
            data = _read(read, folder, form, options or Options(), path)
        data.notices = [in_archive(text, folder, path) for text in data.notices]
        return data
    return _read(read, path, form, options or Options(), path)


def _read(read, place: Path, form: str, options: Options, path: Path) -> Imported:
    data: Imported = read(place, options)
    if not data.recordings:
        if form == "auto":
            raise BeckonError("{path}: holds no recording that can be read; export it as CSV",
                              path=path)
        raise BeckonError("{path}: holds no recording of format {form}; leave --format out",
                          path=path, form=form)
    check_imported(data, path, options)
    return _with_unique_names(data, place)


def _with_unique_names(data: Imported, path: Path) -> Imported:
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
        raise BeckonError("format {form!r} is not known; there are {exported}", status=2,
                          form=form, exported=', '.join(EXPORTED))
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
    "Imported",
    "Options",
    "Source",
    "markdown_table",
    "read_foreign",
    "write_folder",
    "write_foreign",
]
