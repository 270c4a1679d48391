"""Other people's files into the open project, as `beckon data import` reads them. Knows no browser.

    look = read(folder, Answers(accel="g"))     # the dry run: nothing is written
    look.lines, look.notices                    # what the files are
    add(project, look)                          # one step, which undo takes back

read raises BeckonError where the library refuses; what it asks for is a field of Answers.
"""
from __future__ import annotations

import gzip
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from host_tools.dataset import read_dataset
from host_tools.dataset.checks import check
from host_tools.dataset.convert import Imported, Options, read_foreign
from host_tools.dataset.convert.summary import shortened, summary
from host_tools.dataset.convert.writer import file_name, recording_csv
from host_tools.dataset.recording import Dataset
from host_tools.errors import BeckonError, Sentence
from host_tools.files import write_atomically
from host_tools.studio.data.editing import DELETED, add_recordings
from host_tools.studio.frame.project import Project, free_path


@dataclass(frozen=True)
class Answers:
    """What the files do not say. "" and 0: what they say, or the library's guess."""

    accel: str = ""
    gyro: str = ""
    time: str = ""
    rate_hz: float = 0.0
    label: str = ""
    person: str = ""

    def options(self) -> Options:
        if self.rate_hz and not 4 <= self.rate_hz <= 2000:
            raise BeckonError("{rate_hz:g} samples per second: enter a rate from 4 to 2000",
                              rate_hz=self.rate_hz)
        options = Options(self.rate_hz or None, self.accel or None, self.gyro or None,
                          self.time or None, self.label.strip() or None, self.person.strip())
        options.scale(6)  # refuses an unknown unit before anything is read
        return options


@dataclass(frozen=True)
class Look:
    """What was read. lines: the summary; the rest of data is in the project's units."""

    data: Dataset
    lines: tuple[str, ...]
    notices: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.data.recordings)


def read(folder: Path, answers: Answers) -> Look:
    """Read the files that were dropped; takes seconds for large ones. Raises BeckonError."""
    root = _root(folder)
    with _named(folder):
        if (root / "recordings").is_dir() and (root / "labels.csv").is_file():
            data: Dataset = read_dataset(root)
            lines = [f"{root.name}: {len(data.recordings)} x Beckon"]
        else:
            foreign: Imported = read_foreign(root, "auto", answers.options())
            data, lines = foreign, summary(foreign, root.name, False)
        notices = shortened([*data.notices, *check(data)])
    return Look(data, tuple(line.strip() for line in lines),
                tuple(n.changed(lambda text: _without(text, folder)) if isinstance(n, Sentence)
                      else _without(n, folder) for n in notices))


def _root(folder: Path) -> Path:
    """A single file or folder stands for itself, with its own name."""
    inside = [p for p in folder.iterdir() if not p.name.startswith(".")]
    return inside[0] if len(inside) == 1 else folder


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    try:
        yield
    except BeckonError as error:
        raise BeckonError(error.message.changed(lambda text: _without(text, folder)),
                          error.status) from None


def _without(text: str, folder: Path) -> str:
    """The names as you know them, without the temporary folder."""
    return text.replace(f"{folder}/", "").replace(str(folder), "files")


def add(project: Project, look: Look) -> list[str]:
    """Write the recordings and their labels; returns their names. Raises BeckonError.

    They are written to deleted/ first, where undo puts them, then moved in with the labels: all
    or nothing.
    """
    aside = project.inside(DELETED)
    files = []
    try:
        aside.mkdir(parents=True, exist_ok=True)
        for r in look.data.recordings:
            # Its own name, so that undo finds the place free whatever is deleted meanwhile
            path = free_path(aside, f"{file_name(r)}-{secrets.token_hex(4)}", ".csv.gz")
            write_atomically(path, gzip.compress(recording_csv(r).encode(), mtime=0))
            files.append((path, file_name(r), r.spans))
        return add_recordings(project, files)
    except OSError as error:
        raise BeckonError("{project}: cannot be written ({reason})", project=project.name,
                          reason=error.strerror) from None
    finally:
        for path, _, _ in files:
            path.unlink(missing_ok=True)  # of what was not moved in
        if aside.is_dir() and not any(aside.iterdir()):
            aside.rmdir()
