"""A project: one folder with everything that belongs together.

    project = Project.open("my-gestures")
    project.recordings()            # the files in recordings/, newest last
    project.recording("take-01")    # its samples, a dataset.Recording
    project.labels                  # the LabelStore that all pages share
    project.models()                # the *.mlp files in models/

    my-gestures/recordings/NAME.csv[.gz]   as everywhere in Beckon
    my-gestures/labels.csv
    my-gestures/models/NAME.mlp

So a project is a data-set folder, and every command can read it.
"""
from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from host_tools.dataset import is_idle
from host_tools.dataset.folder import read_recording
from host_tools.dataset.recording import Recording
from host_tools.errors import BeckonError
from host_tools.studio.frame.label_store import LabelStore
from host_tools.studio.signal.live_feed import Feeds

_FILES = (".csv", ".gz", ".mlp", ".zip", ".json")  # endings that no project folder has
_KEPT = 6  # recordings in memory; an hour at 100 Hz and six axes is 9 MB


@dataclass(frozen=True)
class RecordingFile:
    """A file in recordings/, not read yet. stamp changes whenever the file changes."""

    name: str
    path: Path
    bytes: int
    stamp: tuple[int, int]


class Project:
    """What all pages of one Studio share. Methods may be called from any thread."""

    def __init__(self, folder: Path, labels_file: str = "labels.csv"):
        self.folder = folder
        self.labels_path = folder / labels_file
        self.feeds = Feeds()
        self._forms: dict[str, dict[str, Any]] = {}
        self._read: OrderedDict[Path, tuple[tuple[int, int], Recording, list[str]]] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: str | Path, labels_file: str = "labels.csv") -> Project:
        """The project in a folder, which is made if missing. Raises BeckonError.

        labels_file: the file in it that holds the labels.
        """
        path = Path(folder).expanduser().resolve()
        if path.exists() and not path.is_dir():
            raise BeckonError("{folder}: not a folder; name a project folder", status=2,
                              folder=folder)
        if path.suffix in _FILES and not path.exists():
            raise BeckonError("{folder}: that is a file's name, and there is none; name a project "
                              "folder", status=2, folder=folder)
        try:
            (path / "recordings").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BeckonError("{folder}: cannot be made ({reason}); name another folder",
                              folder=folder, reason=error.strerror) from None
        if Path(labels_file).name != labels_file or not labels_file.endswith(".csv"):
            raise BeckonError("{labels_file}: name a .csv file in the project's folder, without a "
                              "path", status=2, labels_file=labels_file)
        return cls(path, labels_file)

    @property
    def name(self) -> str:
        return self.folder.name

    def inside(self, *parts: str) -> Path:
        """A path in the project's folder, to write to. Raises BeckonError if it leads out of it."""
        path = self.folder.joinpath(*parts).resolve()
        if not path.is_relative_to(self.folder) or path == self.folder:
            raise BeckonError("{parts}: not inside the project's folder", parts='/'.join(parts))
        return path

    def recordings(self) -> list[RecordingFile]:
        """The recordings, by name. One that exists as .csv and as .csv.gz counts once."""
        found: dict[str, RecordingFile] = {}
        for path in sorted((self.folder / "recordings").glob("*.csv*")):
            if not path.name.endswith((".csv", ".csv.gz")):
                continue
            name = path.name.removesuffix(".gz").removesuffix(".csv")
            try:
                stat = path.stat()
            except OSError:
                continue  # gone since it was listed
            if path.is_file() and name not in found:
                found[name] = RecordingFile(
                    name, path, stat.st_size, (stat.st_mtime_ns, stat.st_size)
                )
        return list(found.values())

    def recording(self, name: str) -> Recording:
        """One recording's samples, without spans. Raises BeckonError that names file and line.

        Reading takes up to a second per hour of recording: call it in a thread
        (nicegui.run.io_bound). The last few stay in memory.
        """
        return self._recording(name)[1]

    def notices(self, name: str) -> list[str]:
        """Notices from reading a recording: lost samples, long gaps."""
        return self._recording(name)[2]

    def _recording(self, name: str) -> tuple[tuple[int, int], Recording, list[str]]:
        file = next((f for f in self.recordings() if f.name == name), None)
        if file is None:
            raise BeckonError("recording {name!r} is not in {path}", name=name,
                              path=self.folder / 'recordings')
        with self._lock:
            held = self._read.get(file.path)
            if held is None or held[0] != file.stamp:
                held = (file.stamp, *read_recording(file.path))
            self._read[file.path] = held
            self._read.move_to_end(file.path)
            while len(self._read) > _KEPT:
                self._read.popitem(last=False)
        return held

    @cached_property
    def labels(self) -> LabelStore:
        """The project's labels and their undo history; raises BeckonError for a broken file."""
        return LabelStore(self.labels_path)

    def gestures(self) -> list[str]:
        """The labels without "no gesture"; [] if labels.csv cannot be read."""
        try:
            return [label for label in self.labels.labels if not is_idle(label)]
        except BeckonError:
            return []

    def other_labels(self) -> list[Path]:
        """Other labels*.csv files in the folder: other people's labels."""
        return sorted(p for p in self.folder.glob("labels*.csv") if p != self.labels_path)

    def models(self) -> list[Path]:
        """The model files, oldest first."""
        return sorted((self.folder / "models").glob("*.mlp"), key=lambda p: p.stat().st_mtime)

    def model_path(self) -> Path | None:
        """The project's newest model, or None."""
        return next(reversed(self.models()), None)

    def form(self, name: str, **defaults: Any) -> dict[str, Any]:
        """The values of a page's fields, shared by all tabs and kept until Studio ends."""
        found = self._forms.setdefault(name, {})
        for key, value in defaults.items():
            found.setdefault(key, value)
        return found


def free_path(folder: Path, stem: str, suffix: str) -> Path:
    """folder/stem.suffix, or stem-2, stem-3, ... if that name is taken."""
    path, n = folder / f"{stem}{suffix}", 1
    while path.exists():
        n += 1
        path = folder / f"{stem}-{n}{suffix}"
    return path
