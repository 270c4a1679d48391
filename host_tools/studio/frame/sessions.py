"""What the pages Record, Train and Watch of one project share, whichever tab shows it."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from host_tools.dataset import is_idle
from host_tools.dataset.labels import read_labels_file
from host_tools.errors import BeckonError
from host_tools.studio.frame.project import Project
from host_tools.studio.record.session import Recorder
from host_tools.studio.train.session import TrainSession
from host_tools.studio.watch.deploy import Deployer
from host_tools.studio.watch.session import Watcher


@dataclass
class Sessions:
    """forms: what was typed into a page's fields last, by the page's name."""

    recorder: Recorder
    trainer: TrainSession = field(default_factory=TrainSession)
    watcher: Watcher = field(default_factory=Watcher)
    deployer: Deployer = field(default_factory=Deployer)
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)

    def form(self, name: str, **defaults: Any) -> dict[str, Any]:
        """The values of a page's fields, to be bound to."""
        found = self.forms.setdefault(name, {})
        for key, value in defaults.items():
            found.setdefault(key, value)
        return found

    def close(self) -> None:
        """End what runs: a recording is saved, a training stopped, a broker left."""
        self.trainer.stop()
        self.recorder.close()
        self.watcher.close()


_known: WeakKeyDictionary[Project, Sessions] = WeakKeyDictionary()


def sessions_of(project: Project) -> Sessions:
    """The project's sessions; they end with the server."""
    found = _known.get(project)
    if found is None:
        from nicegui import app

        found = _known[project] = Sessions(Recorder(project.feeds))
        app.on_shutdown(found.close)
    return found


def reread_labels(project: Project) -> None:
    """If labels.csv holds something else by now, after a recording or from another program,
    read it. Raises BeckonError when it is broken."""
    labels = project.labels
    table = read_labels_file(labels.path)
    there = {name: sorted((r.start_ms, r.end_ms, r.label, r.subject) for r in rows)
             for name, rows in table.rows.items() if rows}  # fmt: skip
    known = {name: [(i.start_ms, i.end_ms, i.label, i.subject) for i in labels.spans(name)]
             for name in labels.recordings()}  # fmt: skip
    if there != known:
        labels.reload()


def labels_of(project: Project) -> list[str]:
    """The project's gestures, [] where there are none or labels.csv cannot be read."""
    try:
        return [label for label in project.labels.labels if not is_idle(label)]
    except BeckonError:
        return []


def free_path(folder: Path, stem: str, suffix: str) -> Path:
    """folder/stem.suffix, or stem-2, stem-3, ... if that is taken."""
    path, n = folder / f"{stem}{suffix}", 1
    while path.exists():
        n += 1
        path = folder / f"{stem}-{n}{suffix}"
    return path


__all__ = ["Sessions", "free_path", "labels_of", "reread_labels", "sessions_of"]
