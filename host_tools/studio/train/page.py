"""Train a model and judge it: figures, detections over the streams, why one was false."""
from __future__ import annotations

from nicegui import ui

from host_tools.studio.frame.layout import empty_state, message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.sessions import reread_labels, sessions_of
from host_tools.studio.frame.widgets import STYLE, Area
from host_tools.studio.train.figures import FiguresPanel, SlidersPanel, TablesPanel
from host_tools.studio.train.panels import RunPanel, SetupPanel
from host_tools.studio.train.streams import StreamsPanel

_EVERY_S = 0.15


def page(project: Project) -> None:
    """Build the page's content inside the frame. Raises BeckonError for a broken labels.csv."""
    ui.add_head_html(STYLE)
    reread_labels(project)
    if not project.labels.recordings():
        if project.recordings():
            empty_state("sell", "Label your recordings first",
                        "Training learns from spans that say which gesture they are. Draw them, or "
                        "accept what Studio proposes.", action="Go to Label", target="/label")
        else:
            empty_state("show_chart", "Nothing to learn from yet",
                        "Record each gesture some twenty times, and a few minutes of everyday "
                        "movement as none.", action="Go to Record", target="/record")
        return
    TrainPage(project)


class TrainPage:
    """What one tab shows of the project's training."""

    def __init__(self, project: Project):
        self._trainer = trainer = sessions_of(project).trainer
        self._setup = Area("bks-stack")
        self._panel = SetupPanel(project, self._setup)
        self._run = RunPanel(project)
        self._first = Area("bks-stack")
        self._caution = Area("bks-stack")
        self._figures = FiguresPanel(trainer)
        self._streams = StreamsPanel(project)
        with ui.element("div").classes("bks-split") as self._split:
            with ui.element("section"):
                self._streams.build_signal()
                self._tables = TablesPanel(trainer)
            with ui.element("aside"):
                self._streams.build_list()
                self._sliders = SlidersPanel(trainer)
        self._refresh()
        ui.timer(_EVERY_S, self._refresh)

    def _refresh(self) -> None:
        trainer = self._trainer
        trainer.poll()
        there = trainer.evaluation is not None
        self._setup.show((trainer.progress.running, trainer.version), self._build_setup)
        self._run.refresh()
        self._split.set_visibility(there)
        self._first.show((there, trainer.progress.running), self._build_first)
        self._caution.show((trainer.results, trainer.held), self._build_caution)
        if there:
            self._figures.refresh()
            self._streams.refresh()
            self._tables.refresh()
            self._sliders.refresh()

    def _build_setup(self) -> None:
        if not self._trainer.progress.running:
            self._panel.build()

    def _build_first(self) -> None:
        if self._trainer.evaluation is None and not self._trainer.progress.running:
            empty_state("model_training", "Train your first model",
                        "Everything is chosen from your recordings. A quarter of them is left out "
                        "and shows afterwards what the model is worth. Press Train.")

    def _build_caution(self) -> None:
        found = self._trainer.evaluation
        if found is None:
            return
        for notice in found.notices[:4]:
            message(notice)
        if not self._trainer.held:
            ui.label("These figures may flatter: the model has, or may have, been trained on the "
                     "same recordings.").classes("bk-warn")
