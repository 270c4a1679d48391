"""The open project, what runs for it, and the content of its pages.

    workspace = Workspace()
    workspace.open(Project.open("my-gestures"))
    workspace.contents["label"]()       # builds the content of a page

What runs belongs to the project, not to a page: sessions go on when tabs close, and end with
the server or when another project is opened.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from host_tools.errors import BeckonError
from host_tools.studio.data import page as data_page
from host_tools.studio.explore import page as explore_page
from host_tools.studio.explore.session import ExploreSession
from host_tools.studio.frame.language import tr
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.theme import keep_colours
from host_tools.studio.frame.uploads import Uploads
from host_tools.studio.label import page as label_page
from host_tools.studio.phone.server import PhoneServer
from host_tools.studio.record import page as record_page
from host_tools.studio.record.panels import SourcePanel
from host_tools.studio.record.session import RecordSession
from host_tools.studio.train import page as train_page
from host_tools.studio.train.session import TrainSession
from host_tools.studio.trial import page as trial_page
from host_tools.studio.trial.session import TrialSession
from host_tools.studio.watch import page as watch_page
from host_tools.studio.watch.deploy import Deployer
from host_tools.studio.watch.session import WatchSession
from host_tools.studio.watch.teach import Teacher


class Workspace:
    """One project at a time; none until open(). phone: the phone page's server, if there is
    one."""

    def __init__(self, phone: PhoneServer | None = None) -> None:
        self._phone = phone
        self.project: Project | None = None
        self.uploads = Uploads()
        self.contents: dict[str, Callable[[], Any]] = {}
        self._sessions: tuple[RecordSession, TrainSession, TrialSession, WatchSession,
                              ExploreSession, Teacher] | None = None

    def open(self, project: Project) -> None:
        """Open another project. Raises BeckonError while the open one is at work."""
        if self.project is not None and self.project.folder == project.folder:
            return
        self._check_idle()
        self.close()
        recorder, trainer = RecordSession(project.feeds, self._phone), TrainSession()
        watcher, deployer, trial = WatchSession(), Deployer(), TrialSession()
        recorder.taps.append(trial.hear)
        explorer, teacher = ExploreSession(project), Teacher()
        self._sessions = recorder, trainer, trial, watcher, explorer, teacher
        self.contents = {
            "data": lambda: data_page.page(project, self.uploads),
            "record": lambda: record_page.page(project, recorder),
            "label": lambda: label_page.page(project),
            "explore": lambda: explore_page.page(project, explorer),
            "train": lambda: train_page.page(project, trainer),
            "trial": lambda: trial_page.page(
                project, trial, recorder, lambda area: SourcePanel(project, recorder, area),
                trainer.unsaved),
            "watch": lambda: watch_page.page(project, watcher, deployer, teacher,
                                             recorder.release),
        }
        self.project = project
        keep_colours(project.folder / "colours.json")

    def _check_idle(self) -> None:
        if self._sessions is None or self.project is None:
            return
        recorder, trainer, *_, teacher = self._sessions
        if recorder.view().state in ("recording", "review", "unsaved"):
            raise BeckonError(tr("{project} is recording: end that on the Record page first",
                                 project=self.project.name))
        if trainer.progress.running:
            raise BeckonError(tr("{project} is training: wait, or stop that on the Train page "
                                 "first", project=self.project.name))
        if teacher.running:
            raise BeckonError(tr("{project} is teaching a board: wait, or stop that on the Watch "
                                 "page first", project=self.project.name))

    def close(self) -> None:
        """A training stops, a recording is saved, a broker is left, a board
        stops learning."""
        if self._sessions is not None:
            recorder, trainer, trial, watcher, explorer, teacher = self._sessions
            trainer.stop()
            recorder.close()
            trial.close()
            watcher.close()
            explorer.close()
            teacher.close()
        self._sessions = None
        self.uploads.clear()
