"""What the Train page starts from: the data, the settings of a run, judging and saving."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import run, ui

from host_tools.dataset import is_idle
from host_tools.dataset.held_out import DAY, RECORDING, SUBJECT, TAKE
from host_tools.errors import BeckonError, Sentence
from host_tools.plots.evaluation_page import html_report
from host_tools.recording.writer import check_name
from host_tools.studio.frame.language import later, tr, tr_n
from host_tools.studio.frame.project import Project, free_path
from host_tools.studio.frame.shortcuts import shortcuts
from host_tools.studio.frame.widgets import (
    Area,
    number_field,
    select_field,
    selected,
    text_field,
    warn,
)
from host_tools.studio.train import augment_view
from host_tools.studio.train.job import AUTO, TrainChoice
from host_tools.studio.train.session import TrainSession
from host_tools.training.recipe import Recipe

_SPLITS = {
    AUTO: later("The best that your data allows"),
    SUBJECT: later("People: how it works for someone new"),
    DAY: later("Days: how it works on another day"),
    RECORDING: later("Recordings"),
    TAKE: later("Takes, also within one recording"),
}


def data_line(project: Project) -> str:
    """The labelled data, in one line."""
    counts = project.labels.counts()
    gestures = ", ".join(f"{label} {n}" for label, n in sorted(counts.items())
                         if not is_idle(label))
    idle = sum(n for label, n in counts.items() if is_idle(label))
    people = len(project.labels.subjects)
    rest = tr(", no gesture {n}", n=idle) if idle else ""
    who = tr("; {n} people", n=people) if people > 1 else ""
    labelled = tr_n("{n} labelled recording", "{n} labelled recordings",
                    len(project.labels.recordings()))
    return f"{labelled}: {gestures}{rest}{who}"


class SetupPanel:
    """The line at the top: the data, and the buttons."""

    def __init__(self, project: Project, trainer: TrainSession, area: Area):
        self._project, self._trainer, self._area = project, trainer, area
        self._form = project.form(
            "train", split=AUTO, rate=100, steps=None, window=None, budget=1.0, seed=1, model=None,
        )

    def build(self) -> None:
        trainer, area = self._trainer, self._area
        line = data_line(self._project)
        with ui.element("div").classes("bk-card bk-setup"):
            with ui.element("div").style("min-width: 0"):
                title = self._heading() if trainer.model else tr("Your data")
                ui.label(title).style("font-weight: 700").classes("bk-cut")
                ui.label(line).classes("bk-quiet bk-small bk-cut").tooltip(line)
            with ui.element("div").classes("bk-row"):
                first = "" if trainer.model else "primary"
                area.button(tr("Train"), "model_training", self.start, "t", kind=first)
                if trainer.model:
                    area.button(tr("Save"), "save", self._save, "s", kind="primary",
                                hint=tr("save the model"), opens=True)
                area.button(tr("Settings"), "tune", self._settings, "o", opens=True)
                area.button(tr("Augment"), "auto_awesome", self._augment, "a",
                            hint=tr("augmentation"))
                if trainer.evaluation:
                    area.button(tr("Report"), "description", self._report, "r",
                                hint=tr("the figures as a page to keep"))
                if self._project.models():
                    area.button(tr("Judge"), "fact_check", self._judge, "j",
                                hint=tr("judge a model"), opens=True)

    def _heading(self) -> str:
        trainer = self._trainer
        assert trainer.model
        name = trainer.saved.name if trainer.saved else trainer.source
        return f"{name}, {trainer.model.model_id}"

    def choice(self) -> TrainChoice:
        form = self._form
        return TrainChoice(
            (str(self._project.folder),), split=form["split"], rate_hz=form["rate"],
            seed=int(form["seed"] or 0), steps=_whole(form["steps"]),
            window_ms=_whole(form["window"]), false_per_hour=float(form["budget"] or 0),
        )

    def start(self) -> None:
        try:
            self._trainer.train(self.choice())
        except BeckonError as error:
            warn(error)

    async def _report(self) -> None:
        found = self._trainer.evaluation
        if found is None:
            return
        ui.notify(tr("Making the report ..."), position="top", timeout=1500)
        page = await run.io_bound(html_report, found)
        if page is not None:
            ui.download.content(page.encode(), f"report-{found.model.model_id}.html", "text/html")

    def _augment(self) -> None:
        try:
            augment_view.show(self._project)
        except BeckonError as error:
            warn(error)

    def _settings(self) -> None:
        form = self._form

        def build() -> None:
            select_field(tr("What is left out to judge the model"),
                         {k: tr(text) for k, text in _SPLITS.items()}, form, "split")
            ui.label(tr("Each part of it is left out in turn and judged by a model that never saw "
                        "it. The model that you save learns from everything.")).classes(
                "bk-quiet bk-small")
            with ui.element("div").classes("bk-pair bk-wide"):
                select_field(tr("Sensor rate"), {100: "100 Hz", 50: "50 Hz"}, form, "rate")
                number_field(tr("Most false alarms per hour"), form, "budget", 0, 1000, 0.5)
                number_field(tr("Steps (empty: {n:,})", n=Recipe().steps), form, "steps", 1,
                             100_000, 100)
                number_field(tr("Window (empty: from the data)"), form, "window", 200, 10_000, 40,
                             "ms")
                number_field(tr("Seed (same seed, same model)"), form, "seed", 0, 2**31)

        _dialog(tr("Settings of the training"), build, tr("Train"), self.start)

    def _judge(self) -> None:
        paths = list(reversed(self._project.models()))
        names = [path.name for path in paths]

        def build() -> None:
            select_field(tr("Model"), names, self._form, "model")
            ui.label(tr("Measures the model on all recordings of the project. If it was trained on "
                     "them, its figures flatter.")).classes("bk-quiet bk-small")

        def go() -> None:
            path = next(p for p in paths if p.name == self._form["model"])
            try:
                self._trainer.judge(path, (str(self._project.folder),))
            except BeckonError as error:
                warn(error)

        _dialog(tr("Judge a model"), build, tr("Judge"), go)

    def _save(self) -> None:
        folder = self._project.inside("models")
        form = {"name": free_path(folder, "model", ".mlp").stem}

        def build() -> None:
            selected(text_field(tr("Name"), form, "name")).props("autofocus")
            ui.label(tr("Saves into models/, with the debouncer as it is set now. Deploy it on the "
                     "Watch page.")).classes("bk-quiet bk-small")

        def go() -> None:
            try:
                name = check_name(Sentence("name"), form["name"].strip().removesuffix(".mlp"))
                path = self._project.inside("models", f"{name}.mlp")
                if path.exists():
                    raise BeckonError(tr("{name} exists already; choose another name",
                                         name=path.name))
                size = self._trainer.save(path)
            except BeckonError as error:
                warn(error)
                return
            ui.notify(tr("{file}: {n:,} bytes", file=f"models/{path.name}", n=size),
                      type="positive", position="top")

        _dialog(tr("Save the model"), build, tr("Save"), go)


def _whole(value: Any) -> int | None:
    return None if value in (None, "") else int(value)


def _dialog(title: str, build: Callable[[], None], action: str, go: Callable[[], None]) -> None:
    """A dialog with fields and one action; Enter does it, Escape does not."""
    with ui.dialog() as dialog, ui.card().classes("bk-stack").style("width: 38rem"):
        ui.label(title).classes("bk-title")
        build()
        with ui.element("div").classes("bk-row"):
            for text, kind, do in ((action, "bk-primary", True), (tr("Close"), "", False)):
                ui.button(text, color=None, on_click=lambda do=do: dialog.submit(do)).props(
                    "unelevated no-caps").classes(f"bk-button {kind}")
    keys = shortcuts()
    keys.add("Enter", "", lambda: dialog.submit(True), typing=True)

    async def answer() -> None:
        done = await dialog
        keys.drop("Enter")
        if done:
            go()
        dialog.delete()

    ui.timer(0, answer, once=True)
