"""How a run stands and what came of it: progress, warnings, outlook, history."""
from __future__ import annotations

from datetime import datetime

from nicegui import ui

from host_tools.dataset.held_out import DAY, RECORDING, SUBJECT, TAKE
from host_tools.model.codec import decode
from host_tools.studio.frame.durations import duration
from host_tools.studio.frame.label_store import LabelStore
from host_tools.studio.frame.language import later, number, tr, tr_n
from host_tools.studio.frame.layout import message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.widgets import (
    Area,
    mark,
    svg,
)
from host_tools.studio.signal.charts import loss_curve
from host_tools.studio.train.history import Entry
from host_tools.studio.train.session import TrainSession
from host_tools.studio.train.warnings import from_labels, shown
from host_tools.training.calibrate import PartFigures

_STATES = {
    "reading": later("Reading the data"), "training": later("Training"),
    "tuning": later("Training without each part of the data"),
    "judging": later("Judging what was left out"),
}
_SHORT = {
    SUBJECT: later("people"), DAY: later("days"), RECORDING: later("recordings"),
    TAKE: later("takes"), "": "",
}
_SHOWN_ELSEWHERE = ("held out: ", "found: ", "weakest gesture: ")  # of an outlook
_LOSS = later("loss over the steps of training")
_MOST_WARNINGS = 6
_LISTED = 20  # trainings


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
                curve = loss_curve([], 1, title=tr(_LOSS), number=number)
                self._curve = svg(curve).classes("bk-wide")
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
            self._curve.set_content(loss_curve(p.losses, p.steps, title=tr(_LOSS),
                                               number=number))


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
