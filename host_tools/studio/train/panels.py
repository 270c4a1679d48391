"""The Train page's top: the data, the settings of a run, its progress and its end."""
from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from nicegui import run, ui

from host_tools.dataset import is_idle
from host_tools.dataset.held_out import DAY, RECORDING, SUBJECT, TAKE
from host_tools.errors import BeckonError, Sentence
from host_tools.model.codec import decode
from host_tools.plots.evaluation_page import html_report
from host_tools.recording.writer import check_name
from host_tools.studio.frame.durations import duration
from host_tools.studio.frame.label_store import LabelStore
from host_tools.studio.frame.language import later, tr, tr_n
from host_tools.studio.frame.layout import message
from host_tools.studio.frame.project import Project, free_path
from host_tools.studio.frame.shortcuts import shortcuts
from host_tools.studio.frame.widgets import (
    Area,
    mark,
    number_field,
    select_field,
    selected,
    svg,
    text_field,
    warn,
)
from host_tools.studio.signal.charts import loss_curve
from host_tools.studio.train import augment_view
from host_tools.studio.train.history import Entry
from host_tools.studio.train.job import AUTO, TrainChoice
from host_tools.studio.train.session import TrainSession
from host_tools.studio.train.warnings import from_labels, shown
from host_tools.training.calibrate import PartFigures
from host_tools.training.recipe import Recipe

_STATES = {
    "reading": later("Reading the data"), "training": later("Training"),
    "tuning": later("Training without each part of the data"),
    "judging": later("Judging what was left out"),
}
_SPLITS = {
    AUTO: later("The best that your data allows"),
    SUBJECT: later("People: how it works for someone new"),
    DAY: later("Days: how it works on another day"),
    RECORDING: later("Recordings"),
    TAKE: later("Takes, also within one recording"),
}
_SHORT = {
    SUBJECT: later("people"), DAY: later("days"), RECORDING: later("recordings"),
    TAKE: later("takes"), "": "",
}
_SHOWN_ELSEWHERE = ("held out: ", "found: ", "weakest gesture: ")  # of an outlook
_LOSS = later("loss over the steps of training")
_MOST_WARNINGS = 6
_LISTED = 20  # trainings


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


class RunPanel:
    """The current run, or how the last one ended."""

    def __init__(self, trainer: TrainSession):
        self._trainer = trainer
        self._area = Area("bk-stack")
        self._drawn = -1

    def refresh(self) -> None:
        p = self._trainer.progress
        shown = p.running or p.state in ("failed", "stopped")
        self._area.box.set_visibility(shown)
        if not shown:
            self._area.show(None, lambda: None)
            return
        shape = (p.running, p.state if not p.running else "", id(p))
        if self._area.show(shape, self._build):
            self._drawn = -1
        if p.running or len(p.losses) != self._drawn:
            self._update()
        self._parts.show(p.parts, lambda: self._build_parts(p.parts))

    def _build(self) -> None:
        p = self._trainer.progress
        with ui.element("div").classes("bk-card bk-stack"):
            with ui.element("div").classes("bk-between"):
                self._title = ui.label().classes("bk-title")
                if p.running:
                    self._area.button(tr("Stop"), "stop", self._trainer.stop, "Escape",
                                      kind="danger")
            self._note = ui.label().classes("bk-quiet bk-break")
            self._parts = Area("bk-stack-small")
            if p.running:
                with ui.element("div").classes("bk-bar"):
                    self._bar = ui.element("div")
                self._curve = svg(loss_curve([], 1, title=tr(_LOSS))).classes("bk-wide")
            if p.fault:
                message(p.fault)

    def _build_parts(self, parts: tuple[PartFigures, ...]) -> None:
        """What the parts that were left out gave so far."""
        if not parts:
            return
        ui.label(tr("Left out, and then judged (with the usual settings):")).classes(
            "bk-quiet bk-small")
        with ui.element("div").classes("bk-row"):
            for f in parts:
                ui.label(tr("part {n} of {parts}: {hits} of {truth} found, {false} false",
                            n=f.number, parts=f.parts, hits=f.hits, truth=f.truth,
                            false=f.false)).classes("bk-chip-plain")

    def _update(self) -> None:
        p = self._trainer.progress
        self._drawn = len(p.losses)
        if not p.running:
            ended = tr("It failed") if p.state == "failed" else tr("Stopped; nothing was changed")
            self._title.set_text(tr("{ended} after {time}", ended=ended, time=duration(p.seconds)))
            self._note.set_text(p.about)
            return
        share, note = 0.0, ""
        if p.state == "training":
            share = 0.9 * p.step / max(1, p.steps)
            left = p.left_s
            note = tr("step {n:,} of {all:,}", n=p.step, all=p.steps)
            note += tr(", about {time} to go", time=duration(left)) if left is not None else ""
            note += tr("; loss {loss:.2g}", loss=float(p.losses[-1][2])) if p.losses else ""
        elif p.state == "judging":
            share = 0.93 + 0.07 * p.judged / max(1, p.judge_of)
            note = tr("{n} of {all} recordings", n=p.judged, all=p.judge_of)
        elif p.state == "tuning":
            share = 0.92
        self._title.set_text(tr(_STATES[p.state]))
        self._note.set_text(note or p.about or " ")
        self._bar.style(f"width: {100 * share:.1f}%")
        if p.steps:
            self._curve.set_content(loss_curve(p.losses, p.steps, title=tr(_LOSS)))


class WarningsPanel:
    """What may be wrong with the data: a card above the figures."""

    def __init__(self, project: Project, trainer: TrainSession):
        self._project, self._trainer = project, trainer
        self._area = Area()

    def refresh(self) -> None:
        labels, judged = self._project.labels, self._trainer.judged
        self._area.show((labels.version, self._trainer.results), lambda: self._build(
            labels_say(labels), shown(judged.warnings if judged else (), self._project.folder)))

    def _build(self, known: list[str], checked: list[str]) -> None:
        texts = list(dict.fromkeys([*checked, *known]))
        if not texts:
            return
        with ui.element("div").classes("bk-card bk-stack-small bk-warnings"):
            with ui.element("div").classes("bk-between"):
                with ui.element("div").classes("bk-row").style("gap: .5rem; flex-wrap: nowrap"):
                    mark("warn")
                    ui.label(tr_n("{n} thing to know about your data",
                                  "{n} things to know about your data", len(texts))).style(
                        "font-weight: 700")
                ui.link(tr("Go to Label"), "/label").classes("bk-small")
            with ui.element("ul"):
                for text in texts[:_MOST_WARNINGS]:
                    with ui.element("li").classes("bk-break"):
                        ui.label(text)
                if len(texts) > _MOST_WARNINGS:
                    with ui.element("li").classes("bk-quiet"):
                        ui.label(tr_n("and {n} more", "and {n} more",
                                      len(texts) - _MOST_WARNINGS))


def labels_say(labels: LabelStore) -> list[str]:
    return from_labels({name: labels.spans(name) for name in labels.recordings()})


class OutlookPanel:
    """How the figures came about, and what to expect of the model."""

    def __init__(self, trainer: TrainSession):
        self._trainer = trainer
        self._area = Area()

    def refresh(self) -> None:
        self._area.show(self._trainer.results, self._build)

    def _build(self) -> None:
        judged = self._trainer.judged
        if judged is None or (judged.evaluation and not judged.held):
            return
        with ui.element("div").classes("bk-card bk-stack-small"):
            ui.label(tr("What to expect")).style("font-weight: 700")
            if judged.held:
                ui.label(tr("Judged by models that had not seen it: {how}. The model itself "
                            "learned from all of your data, so it is probably a little better.",
                            how=judged.divided)).classes("bk-break")
            lines = [x for x in judged.outlook if not x.startswith(_SHOWN_ELSEWHERE)]
            if lines:
                with ui.element("ul").classes("bk-outlook"):
                    for line in lines:
                        with ui.element("li").classes("bk-break"):
                            ui.label(line[:1].upper() + line[1:] + ".")


class HistoryPanel:
    """All trainings of the project, newest first, their figures side by side."""

    def __init__(self, trainer: TrainSession):
        self._trainer = trainer
        self._area = Area()

    def refresh(self) -> None:
        history = self._trainer.history
        if history:
            shape = history.version, self._trainer.results
            self._area.show(shape, lambda: self._build(history.entries()))

    def _build(self, entries: list[Entry]) -> None:
        if not entries:
            return
        now = self._trainer.judged
        current = decode(now.model).model_id if now else ""
        with ui.element("div").classes("bk-card bk-stack-small bk-history"):
            ui.label(tr("Trainings of this project")).classes("bk-title")
            with ui.element("div").classes("bk-scroll"), ui.element("table").classes("bk-table"):
                with ui.element("tr"):
                    for name in (tr("model"), tr("when"), tr("learned from"), tr("left out"),
                                 tr("found"), tr("false"), tr("twice"), tr("median delay"),
                                 tr("weakest")):
                        with ui.element("th"):
                            ui.label(name)
                for e in reversed(entries[-_LISTED:]):
                    self._row(e, e.model == current)

    def _row(self, e: Entry, current: bool) -> None:
        at = datetime.fromisoformat(e.at).astimezone()
        takes = tr_n("{n} take", "{n} takes", e.takes)
        judged = bool(e.of)
        cells = (
            e.saved or e.model, f"{at:%Y-%m-%d %H:%M}",
            tr("{takes} of {labels} gestures", takes=takes, labels=e.labels),
            tr(_SHORT[e.split]) if judged else tr("too little to judge"),
            tr("{n} of {all}", n=e.found, all=e.of) if judged else "-",
            str(e.false) if judged else "-", str(e.twice) if judged else "-",
            f"{e.delay_ms:.0f} ms" if e.delay_ms is not None else "-", e.weakest or "-",
        )
        with ui.element("tr").classes("bk-now" if current else ""):
            for text in cells:
                with ui.element("td"):
                    ui.label(text)
