"""All takes of a project at once, and labels that are probably wrong. Knows no browser.

    explorer = ExploreSession(project)
    explorer.look()              # read and place all takes, in a child process
    explorer.search()            # find wrong labels, in another
    explorer.poll()              # take in what they report, at any time
    explorer.suspects()          # what is still open, surest first
    explorer.mend(suspect, RELABEL)
    explorer.undo()

The result of a search is kept in the project's folder (.studio/label-errors.json), with those
that the user wants to keep as they are. A suspect is open while its take has the label it had.
"""
from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError, Sentence
from host_tools.experiments.label_errors import Judged, LabelErrors, Suspect
from host_tools.files import write_atomically
from host_tools.studio.explore.job import Look, Step, find, look
from host_tools.studio.frame.child_process import ChildProcess
from host_tools.studio.frame.label_store import Item
from host_tools.studio.frame.project import Project

RELABEL, DELETE, KEEP = "relabel", "delete", "keep"
_NEAR_MS = 1.5  # labels.csv holds a tenth of a ms
_SETTLED_S = 4.0  # without another change of labels, all takes are read again


@dataclass
class Search:
    """What a page shows of the search. state: idle, running, done, failed or stopped."""

    state: str = "idle"
    fault: str = ""
    done: int = 0
    of: int = 0


@dataclass
class _Kept:
    digest: str = ""
    errors: LabelErrors | None = None
    keep: set[tuple[str, float, str]] = field(default_factory=set)


class ExploreSession:
    """For one thread: the pages' event loop."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.found: Look | None = None
        self.fault = ""
        """Why the takes cannot be shown."""
        self.looking = False
        self.searching = Search()
        self.version = 0
        """Grows with each change of what is shown."""
        self._job: ChildProcess | None = None
        self._search: ChildProcess | None = None
        self._stamp: tuple[Any, ...] = ()
        self._labels_at = (-1, 0.0)  # version of the labels, and since when
        self._history: list[tuple[str, Any]] = []
        self._open: list[Suspect] = []
        self._open_at = (-1, -1)  # versions of the labels and of this for which _open holds
        self._kept = self._read()

    # reading

    @property
    def _file(self) -> Path:
        return self._project.folder / ".studio" / "label-errors.json"

    def _read(self) -> _Kept:
        """What an earlier search found; nothing if that cannot be read."""
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
            errors = LabelErrors(tuple(Suspect(**s) for s in stored["suspects"]),
                                 tuple(Judged(**j) for j in stored["judged"]))
            return _Kept(str(stored["digest"]), errors,
                         {(str(r), float(t), str(label)) for r, t, label in stored["keep"]})
        except (OSError, ValueError, KeyError, TypeError):
            return _Kept()

    def _write(self) -> None:
        kept = self._kept
        if kept.errors is None:
            return
        self._file.parent.mkdir(exist_ok=True)
        write_atomically(self._file, json.dumps({
            "digest": kept.digest, "suspects": [asdict(s) for s in kept.errors.suspects],
            "judged": [asdict(j) for j in kept.errors.judged], "keep": sorted(kept.keep),
        }, ensure_ascii=False).encode())

    def _now(self) -> tuple[Any, ...]:
        """What the map is made of: it is stale when this changes."""
        path = self._project.model_path()
        files = tuple(f.stamp for f in self._project.recordings())
        return (files, self._project.labels.version, path, path and path.stat().st_mtime_ns)

    def stale(self, at_once: bool = True) -> bool:
        """Whether recordings, labels or the model have changed since the last look.

        at_once: False waits until nobody changes labels any longer, as reading all takes for
        each of many corrections would keep the computer busy.
        """
        now = self._now()
        if self._labels_at[0] != now[1]:
            self._labels_at = now[1], time.monotonic()
        if now == self._stamp:
            return False
        only_labels = (now[0], *now[2:]) == (self._stamp[:1] + self._stamp[2:])
        return (at_once or not only_labels
                or time.monotonic() - self._labels_at[1] > _SETTLED_S)

    def look(self) -> None:
        """Read and place all takes, unless that is under way."""
        if self.looking:
            return
        self._stamp, self.looking, self.fault = self._now(), True, ""
        self._job = ChildProcess(look, self._project.folder, self._project.model_path())
        self.version += 1

    def search(self) -> None:
        """Find wrong labels. Raises BeckonError if that is under way."""
        if self.searching.state == "running":
            raise BeckonError("the search is under way; stop it first")
        self.searching = Search("running")
        self._search = ChildProcess(find, self._project.folder)
        self.version += 1

    def stop(self) -> None:
        """End the search; what an earlier one found stays."""
        if self._search and self.searching.state == "running":
            self._search.stop()
            self.poll()

    def close(self) -> None:
        for job in (self._job, self._search):
            if job:
                job.stop()

    def poll(self) -> bool:
        """Take in what the child processes report; return whether anything changed."""
        before = self.version
        job = self._job
        if job and job.state != "running":
            self.looking, self._job = False, None
            self.version += 1
            if job.state == "done":
                self.found = job.result
            else:
                self.found, self.fault = None, job.fault or Sentence("it was stopped")
        job = self._search
        if job is None:
            return self.version != before
        state = job.state
        for report in job.news():
            if isinstance(report, Step):
                self.searching.done, self.searching.of = report.done, report.of
        if state != "running":
            self._search = None
            self.searching.state, self.searching.fault = state, job.fault
            self.version += 1
            if state == "done":
                self._kept.digest, self._kept.errors = job.result
                self._write()
        return self.version != before

    # suspects

    @property
    def searched(self) -> bool:
        """Whether a search has found anything yet, now or in an earlier run of Studio."""
        return self._kept.errors is not None

    @property
    def outdated(self) -> bool:
        """Whether labels or recordings have changed since the search."""
        found = self.found
        return bool(found and self._kept.errors and found.digest != self._kept.digest)

    def item(self, recording: str, start_ms: float) -> Item | None:
        """The project's span that begins there."""
        for item in self._project.labels.spans(recording):
            if abs(item.start_ms - start_ms) < _NEAR_MS:
                return item
        return None

    def suspects(self) -> list[Suspect]:
        """Those that are open: neither mended nor kept, surest first."""
        now = (self._project.labels.version, self.version)
        if self._open_at != now:
            errors = self._kept.errors
            found = [(s, self.item(s.recording, s.start_ms))
                     for s in (errors.suspects if errors else ())]
            self._open = [s for s, item in found
                          if item and item.label == s.label and _key(s) not in self._kept.keep]
            self._open_at = now
        return list(self._open)

    def held_out(self) -> dict[tuple[str, float], str]:
        """What networks that do not know a take call it: (recording, start_ms) -> label."""
        errors = self._kept.errors
        return {(j.recording, j.start_ms): j.found for j in errors.judged} if errors else {}

    def mend(self, suspect: Suspect, how: str) -> None:
        """how: RELABEL to the suggestion, DELETE, or KEEP as it is. Raises BeckonError."""
        item = self.item(suspect.recording, suspect.start_ms)
        if item is None:
            raise BeckonError("this take no longer exists: it was deleted meanwhile")
        if how == KEEP:
            self._kept.keep.add(_key(suspect))
            self._write()
            self._history.append((KEEP, _key(suspect)))
        elif how == DELETE:
            self._project.labels.delete(item.id)
            self._history.append((DELETE, None))
        else:
            self._project.labels.rename(item.id, suspect.suggested)
            self._history.append((RELABEL, None))
        self.version += 1

    def undo(self) -> str | None:
        """Take the last action back, of this page or of another; its recording, or None."""
        self.version += 1
        if self._history:
            how, key = self._history.pop()
            if how == KEEP:
                self._kept.keep.discard(key)
                self._write()
                return str(key[0])
        return self._project.labels.undo()


def _key(s: Suspect) -> tuple[str, float, str]:
    return s.recording, s.start_ms, s.label
