"""Which projects there are, and what is in each. Knows no browser.

    known = KnownProjects(default_folder() / "studio.json", Path.cwd())
    known.remember(project.folder)
    for about in map(look_into, known.recent()): print(about.name, about.step)

A list of the projects opened last, and the folder whose projects are listed, are kept in a file
beside the settings of `beckon setup`. A damaged file counts as an empty one: nothing in it is
hard to find again.
"""
from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tools.dataset import is_idle
from host_tools.dataset.labels import read_labels_file
from host_tools.errors import BeckonError
from host_tools.files import read_json_object, replace_file
from host_tools.paths import DATA
from host_tools.studio.frame.project import Project, free_path

_RECENT = 12
_LISTED = 200  # projects of one folder
STEPS = ("record", "label", "train", "watch")
SAMPLE = DATA / "gestures"


@dataclass(frozen=True)
class About:
    """What is in a project. labels: spans by gesture, in the file's order; model: the newest;
    newer: labels or recordings have changed since; step: of STEPS, what to do next; fault: why
    the labels cannot be read, or ""."""

    folder: Path
    recordings: int = 0
    unlabelled: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    model: str = ""
    newer: bool = False
    step: str = "record"
    fault: str = ""

    @property
    def name(self) -> str:
        return self.folder.name


def is_project(folder: Path) -> bool:
    return (folder / "recordings").is_dir()


def look_into(folder: Path) -> About:
    """Reads names and labels.csv, no samples: some ms per project."""
    project = Project(folder)
    files = project.recordings()
    models = project.models()
    model = models[-1] if models else None
    try:
        rows = read_labels_file(project.labels_path).rows
    except BeckonError as error:
        return About(folder, len(files), step="label", fault=str(error),
                     model=model.name if model else "")
    names = {file.name for file in files}
    labels: dict[str, int] = {}
    for name, spans in rows.items():
        for row in spans if name in names else ():
            if not is_idle(row.label):
                labels[row.label] = labels.get(row.label, 0) + 1
    people = sorted({r.subject for spans in rows.values() for r in spans if r.subject})
    unlabelled = len(names - set(rows))
    newest = max((f.stamp[0] for f in files), default=0)
    if project.labels_path.exists():
        newest = max(newest, project.labels_path.stat().st_mtime_ns)
    newer = model is not None and newest > model.stat().st_mtime_ns
    if not files:
        step = "record"
    elif not labels:
        step = "label"
    else:
        step = "train" if model is None or newer else "watch"
    return About(folder, len(files), unlabelled, labels, tuple(people),
                 model.name if model else "", newer, step)


class KnownProjects:
    """file: where the list is kept. folder: whose projects are listed until you choose another."""

    def __init__(self, file: Path, folder: Path):
        self._file = file
        self._default = folder

    def _read(self) -> dict[str, Any]:
        return read_json_object(self._file)

    def _write(self, **changes: Any) -> None:
        data = json.dumps({**self._read(), **changes}, indent=2, ensure_ascii=False) + "\n"
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._file, data.encode())
        except OSError:
            pass  # a home that cannot be written to costs the list alone

    @property
    def folder(self) -> Path:
        """The folder with your projects."""
        kept = self._read().get("folder")
        path = Path(kept) if isinstance(kept, str) else self._default
        return path if path.is_dir() else self._default

    def choose_folder(self, text: str) -> Path:
        """List the projects of another folder from now on. Raises BeckonError."""
        path = Path(text.strip()).expanduser()
        if not text.strip() or not path.is_dir():
            raise BeckonError("{text}: not a folder; enter the path of one",
                              text=text or 'nothing')
        self._write(folder=str(path.resolve()))
        return path.resolve()

    def recent(self) -> list[Path]:
        """Projects opened last, the newest first, without those that are gone."""
        kept = self._read().get("recent")
        paths = [Path(p) for p in kept if isinstance(p, str)] if isinstance(kept, list) else []
        return [p for p in paths if is_project(p)]

    def remember(self, folder: Path) -> None:
        others = [p for p in self.recent() if p != folder]
        self._write(recent=[str(p) for p in [folder, *others][:_RECENT]])

    def forget(self, folder: Path) -> None:
        """Leave it out of the list; the project stays where it is."""
        self._write(recent=[str(p) for p in self.recent() if p != folder])

    def in_folder(self) -> list[Path]:
        """The projects directly in the folder, by name."""
        try:
            inside = sorted(p for p in self.folder.iterdir() if not p.name.startswith("."))
        except OSError:
            return []
        return [p.resolve() for p in inside if is_project(p)][:_LISTED]

    def new(self, name: str) -> Path:
        """Where a project of this name belongs. Raises BeckonError if it cannot."""
        name = name.strip()
        if not name or name != Path(name).name or name.startswith(".") or not name.isprintable():
            raise BeckonError("{name}: not a name for a folder; enter one such as my-gestures",
                              name=name or 'nothing')
        path = self.folder / name
        if path.exists():
            raise BeckonError("{path}: exists already; enter another name, or open it", path=path)
        return path

    def sample(self) -> Path:
        """A new project with the recordings that Beckon brings. Raises BeckonError."""
        folder = free_path(self.folder, "sample", "")
        try:
            (folder / "recordings").mkdir(parents=True)
            for file in sorted((SAMPLE / "recordings").glob("*.csv*")):
                shutil.copyfile(file, folder / "recordings" / file.name)
            shutil.copyfile(SAMPLE / "labels.csv", folder / "labels.csv")
        except OSError as error:
            raise BeckonError("{folder}: cannot be made ({reason}); choose another folder for "
                              "your projects", folder=folder, reason=error.strerror) from None
        return folder
