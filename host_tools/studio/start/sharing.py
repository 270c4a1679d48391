"""A project as one zip: to share it, and to open one that somebody shared. Knows no browser.

    pack(folder, Path("my-gestures.zip"))
    unpack(Path("my-gestures.zip"), projects / "my-gestures")

The zip holds recordings, labels and models, and nothing else that lies in the folder. Unpacking
has the bounds of dataset/convert/archive.py and takes the same files alone.
"""
from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from host_tools.dataset.convert.archive import unpacked
from host_tools.dataset.convert.writer import new_folder
from host_tools.errors import BeckonError

_PARTS = ("recordings/*.csv", "recordings/*.csv.gz", "recordings/*.json", "labels*.csv",
          "colours.json", "models/*.mlp")


def files_of(folder: Path) -> Iterator[Path]:
    """The files that make the project, by name; links that lead elsewhere are left out."""
    for part in _PARTS:
        for path in sorted(folder.glob(part)):
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                yield path


def pack(folder: Path, target: Path) -> int:
    """Write the zip; returns the number of files. Raises BeckonError."""
    count = 0
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path in files_of(folder):
                name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
                packed = zipfile.ZIP_STORED if path.suffix == ".gz" else zipfile.ZIP_DEFLATED
                archive.write(path, name, packed)
                count += 1
    except (OSError, ValueError) as error:  # a date before 1980 is a ValueError
        raise BeckonError("{folder}: cannot be packed ({error})", folder=folder.name,
                          error=error) from None
    if not count:
        raise BeckonError("{folder}: holds nothing to share yet; record or import first",
                          folder=folder.name)
    return count


def unpack(file: Path, target: Path) -> int:
    """Make the project at target; returns the number of its files. Raises BeckonError."""
    with unpacked(file) as folder:
        tops = [folder, *sorted(p for p in folder.iterdir() if p.is_dir())]
        top = next((p for p in tops if (p / "recordings").is_dir()), None)
        if top is None:
            raise BeckonError("{file}: not a project of Beckon, as it holds no folder recordings; "
                              "import other files on the Data page", file=file.name)
        count = 0
        with new_folder(target) as made:
            (made / "recordings").mkdir()
            for path in files_of(top):
                to = made / path.relative_to(top)
                to.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, to)
                count += 1
        return count
