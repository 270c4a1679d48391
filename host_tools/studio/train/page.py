"""Train a model and judge it: figures, events over the signal, and why one was false."""
from __future__ import annotations

from nicegui import ui

from host_tools.studio.frame.language import tr
from host_tools.studio.frame.layout import empty_state
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.widgets import Area
from host_tools.studio.train.figures import FiguresPanel, SlidersPanel, TablesPanel
from host_tools.studio.train.history import History
from host_tools.studio.train.panels import HistoryPanel, OutlookPanel, RunPanel, WarningsPanel
from host_tools.studio.train.session import TrainSession
from host_tools.studio.train.setup_panel import SetupPanel
from host_tools.studio.train.streams import StreamsPanel

_REFRESH_S = 0.15


def page(project: Project, trainer: TrainSession) -> None:
    """Build the page's content inside the frame. Raises BeckonError for a broken labels.csv."""
    project.labels.refresh()
    if not project.labels.recordings():
        if project.recordings():
            empty_state("sell", tr("Label your recordings first"),
                        tr("Training learns from labelled spans. Draw them, or accept what Studio "
                        "proposes."), action=tr("Go to Label"), target="/label")
        else:
            empty_state("show_chart", tr("Nothing to learn from yet"),
                        tr("Record each gesture some twenty times. Also record a few minutes of "
                        "everyday movement with the label none."), action=tr("Go to Record"),
                        target="/record")
        return
    TrainPage(project, trainer)


class TrainPage:
    """What one tab shows of the project's training."""

    def __init__(self, project: Project, trainer: TrainSession):
        self._project, self._trainer = project, trainer
        trainer.history = trainer.history or History(project.folder / "models")
        self._setup = Area("bk-stack")
        self._panel = SetupPanel(project, trainer, self._setup)
        self._run = RunPanel(trainer)
        self._first = Area("bk-stack")
        self._warnings = WarningsPanel(project, trainer)
        self._caution = Area()
        self._nothing = Area()
        self._figures = FiguresPanel(trainer)
        self._outlook = OutlookPanel(trainer)
        self._streams = StreamsPanel(project, trainer)
        with ui.element("div").classes("bk-split") as self._split:
            with ui.element("section"):
                self._streams.build_signal()
                self._tables = TablesPanel(trainer)
            with ui.element("aside"):
                self._streams.build_list()
                self._sliders = SlidersPanel(trainer)
        self._history = HistoryPanel(trainer)
        self._refresh()
        ui.timer(_REFRESH_S, self._refresh)

    def _refresh(self) -> None:
        trainer = self._trainer
        trainer.poll()
        there = trainer.model is not None
        judged = trainer.evaluation is not None
        self._setup.show((trainer.progress.running, trainer.version), self._build_setup)
        self._run.refresh()
        self._split.set_visibility(judged)
        self._first.show((there, trainer.progress.running), self._build_first)
        self._warnings.refresh()
        self._outlook.refresh()
        self._history.refresh()
        self._caution.show((trainer.results, trainer.held), self._build_caution)
        self._nothing.show((there, judged), self._build_nothing)
        if judged:
            self._figures.refresh()
            self._streams.refresh()
            self._tables.refresh()
            self._sliders.refresh()

    def _build_setup(self) -> None:
        if not self._trainer.progress.running:
            self._panel.build()

    def _build_first(self) -> None:
        if self._trainer.model is None and not self._trainer.progress.running:
            first = not self._project.models()
            empty_state("model_training",
                        tr("Train your first model") if first else tr("Train a model"),
                        tr("Press Train. Studio chooses all settings from your recordings. It "
                           "leaves out each part of them in turn, to judge what a model makes of "
                           "it."))

    def _build_caution(self) -> None:
        if self._trainer.evaluation is not None and not self._trainer.held:
            ui.label(tr("These figures may flatter: the model may have been trained on the same "
                        "recordings.")).classes("bk-warn")

    def _build_nothing(self) -> None:
        """A model of which nothing is known."""
        if self._trainer.model is not None and self._trainer.evaluation is None:
            with ui.element("div").classes("bk-card"):
                ui.label(tr("Too little to judge")).classes("bk-big")
                ui.label(tr("There is a model, and you can save it. But no take could be left out "
                            "of the training, so nobody knows how well it works. Record each "
                            "gesture at least five times, better twenty.")).classes("bk-quiet")
