"""The Train page's figures: events, gestures, people, confusion; and when it reports."""
from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from nicegui import run, ui

from host_tools.evaluation.evaluate import Evaluation, Tally
from host_tools.evaluation.in_words import LEAST_IDLE_S, LEAST_TAKES, false_alarms
from host_tools.studio.frame.language import later, number, tr, tr_n
from host_tools.studio.frame.widgets import Area, Slider, choice
from host_tools.studio.train.session import Settings, TrainSession
from host_tools.training.outlook import by_label, weakest

_CONFUSION, _SUBJECTS, _CLASSES = "confusion", "subjects", "classes"
_SURE = ("threshold_percent", later("How sure the model must be"),
         later("higher: fewer false events, and more gestures are missed"), "%")
_ADVANCED = (
    # field, title, what it does, unit
    ("span", later("Windows that decide together"),
     later("more: surer, and later"), "ms"),
    ("calm_windows", later("Wait until the hand is calm"),
     later("so many calm windows must follow the movement; 0: do not wait"), "ms"),
    ("calm_ratio", later("What counts as calm"),
     later("1/64 of the movement before; less: the hand must be calmer"), ""),
    ("quiet", later("Rest before the next gesture"),
     later("so many windows without a gesture come first"), "ms"),
    ("refractory", later("Silence after an event"),
     later("nothing is reported for so long"), "ms"),
)
_APPLY_S = 0.08


def _figure(value: float, digits: int) -> str:
    """A figure without trailing zeros; "-" if it is not finite."""
    if not np.isfinite(value):
        return "-"
    return number(round(value, digits), "g")


class FiguresPanel:
    """The tiles, with what the sliders changed against the model's own settings."""

    def __init__(self, trainer: TrainSession):
        self._trainer = trainer
        self._area = Area("bk-figures")

    def refresh(self) -> None:
        self._area.show(self._trainer.version, self._build)

    def _build(self) -> None:
        found = self._trainer.evaluation
        if not found:
            return
        t, before = found.tally(), self._trainer.tuned_tally
        changed = self._trainer.settings != self._trainer.tuned

        def was(name: str) -> str:
            old = getattr(before, name)
            return tr(", was {old}", old=old) if changed and old != getattr(t, name) else ""

        known = t.truth >= LEAST_TAKES
        if known:
            _tile(tr("{n} of {all}", n=t.hits, all=t.truth), tr("gestures found"),
                  tr("{n} missed", n=t.missed) + was("hits"), "good" if not t.missed else "warn")
        else:
            _tile(tr("too little"), tr("gestures found"),
                  tr("to judge: {n} of {all} found, and {least} say something", n=t.hits,
                     all=t.truth, least=LEAST_TAKES) if t.truth else
                  tr("to judge: no gesture was left out"))
        _tile(str(t.false), tr("false events"), false_alarms(t.as_json()) + was("false"),
              "bad" if t.false else "good" if known or t.idle_s >= LEAST_IDLE_S else "")
        _tile(str(t.duplicates), tr("reported twice"), tr("of one gesture") + was("duplicates"),
              "bad" if t.duplicates else "good" if known else "")
        _tile(*_latency(t))
        _tile(_figure(t.f1, 3) if known else "-", tr("event F1"), "" if not known else
              tr("was {old}", old=_figure(before.f1, 3)) if changed else tr("1 is perfect"))
        _weakest(found)


def _weakest(found: Evaluation) -> None:
    worst = weakest(found)
    if worst:
        t = found.tally(label=worst)
        note = tr("{n} of {all} found", n=t.hits, all=t.truth)
        _tile(worst, tr("weakest gesture"),
              note + (tr(", {n} false", n=t.false) if t.false else ""), "warn")
    elif by_label(found):
        _tile(tr("none"), tr("weakest gesture"), tr("all are found"), "good")
    else:
        _tile("-", tr("weakest gesture"), tr("too little to judge"))


def _tile(value: str, name: str, note: str = "", level: str = "") -> None:
    """A number for reading from two metres. level: good, bad, warn or ""."""
    with ui.element("div").classes("bk-figure"):
        number = ui.label(value).classes("bk-big")
        if level:
            number.classes(f"bk-{level}")
        ui.label(name)
        if note:
            ui.label(note).classes("bk-quiet bk-small")


def _latency(t: Tally) -> tuple[str, str, str]:
    if not t.latencies_ms:
        return "-", tr("median delay"), tr("nothing was found")
    p50, p95 = t.latency_ms(0.5), t.latency_ms(0.95)
    return (f"{_ms(p50)} ms", tr("median delay"),
            tr("from the label's end; 95 %: {ms} ms", ms=_ms(p95)))


def _ms(value: float) -> str:
    return number(value, ",.0f").replace("-", "−")


class TablesPanel:
    """Confusion, people, gestures."""

    def __init__(self, trainer: TrainSession):
        self._trainer = trainer
        self._form: dict[str, Any] = {"table": _CLASSES}
        with ui.element("div").classes("bk-card bk-stack"):
            choice({_CLASSES: tr("Gestures"), _SUBJECTS: tr("People"), _CONFUSION: tr("Confusion")},
                   self._form, "table", self.refresh)
            self._area = Area("bk-scroll")

    def refresh(self) -> None:
        self._area.show((self._trainer.version, self._form["table"]), self._build)

    def _build(self) -> None:
        found = self._trainer.evaluation
        if found:
            if self._trainer.about:
                ui.label(self._trainer.about).classes("bk-quiet bk-small bk-break")
            {_CONFUSION: _confusion, _SUBJECTS: _subjects, _CLASSES: _classes}[
                self._form["table"]](found)


def _confusion(found: Evaluation) -> None:
    labels, matrix = found.model.labels, found.confusion
    ui.label(tr("What the model takes each labelled span for once the movement has ended. Rows: "
                "the labels. Columns: the answers.")).classes("bk-quiet bk-small")
    if found.not_yet and found.tally().hits > found.tally().missed:
        ui.label(tr_n("{n} is still none then: the events above say whether it was found.",
                      "{n} are still none then: the events above say whether they were found.",
                      found.not_yet)).classes("bk-quiet bk-small")
    with ui.element("table").classes("bk-table bk-matrix"):
        _head("", *labels)
        for k, label in enumerate(labels):
            total = max(1, int(matrix[k].sum()))
            with ui.element("tr"):
                _cell(label)
                for j, n in enumerate(matrix[k]):
                    colour = "var(--good)" if j == k else "var(--bad)"
                    cell = _cell(str(n) if n else "").classes("bk-cell")
                    if n:
                        share = 12 + 55 * int(n) / total
                        cell.style(f"background: color-mix(in srgb, {colour} {share:.0f}%, "
                                   "transparent)")


def _subjects(found: Evaluation) -> None:
    names = sorted({s.recording.subject for s in found.streams})
    with ui.element("table").classes("bk-table"):
        _head(tr("person"), tr("gestures found"), tr("false"), tr("twice"), "F1",
              tr("median delay"))
        for name in names:
            t = found.tally(subject=name)
            enough = t.truth >= LEAST_TAKES
            _row(name or tr("(no name)"), tr("{n} of {all}", n=t.hits, all=t.truth)
                 if t.truth else "-", t.false, t.duplicates, _figure(t.f1, 3) if enough else "-",
                 _latency(t)[0])


def _classes(found: Evaluation) -> None:
    """Events of each gesture. Fewer takes than LEAST_TAKES give counts, and no part of them."""
    takes = Counter(g.label for s in found.streams for g in s.gestures)
    with ui.element("table").classes("bk-table"):
        _head(tr("gesture"), tr("found"), tr("false"), tr("twice"), tr("recall"),
              tr("precision"), tr("median delay"))
        for k, label in enumerate(found.model.labels):
            if k == found.model.idle:
                continue
            t = found.tally(label=label)
            enough = takes[label] >= LEAST_TAKES
            reported = t.hits + t.false + t.duplicates
            _row(label, tr("{n} of {all}", n=t.hits, all=t.truth) if t.truth else "-", t.false,
                 t.duplicates,
                 f"{100 * t.recall:.0f} %" if enough else tr("too little to judge"),
                 f"{100 * t.precision:.0f} %" if enough and reported else "-", _latency(t)[0])


def _head(*names: str) -> None:
    with ui.element("tr"):
        for name in names:
            with ui.element("th"):
                ui.label(name)


def _row(*values: Any) -> None:
    with ui.element("tr"):
        for value in values:
            _cell(str(value))


def _cell(text: str) -> ui.element:
    with ui.element("td") as cell:
        ui.label(text)
    return cell


class SlidersPanel:
    """When an event is reported; the event figures follow while you move a slider."""

    def __init__(self, trainer: TrainSession):
        self._trainer = trainer
        self._area = Area("bk-card bk-stack")
        self._busy = False
        self._shown_version = -1
        ui.timer(_APPLY_S, self._apply)

    def refresh(self) -> None:
        found = self._trainer.evaluation
        self._area.box.set_visibility(found is not None)
        if found:
            if self._area.show(self._trainer.results, self._build):
                self._shown_version = -1
            if self._trainer.version == self._shown_version:
                return
            self._shown_version = self._trainer.version
            t = found.tally()
            self._now.set_text(tr(
                "{n} of {all} found, {false} false, {twice} twice, delay {delay}", n=t.hits,
                all=t.truth, false=t.false, twice=t.duplicates, delay=_latency(t)[0]))

    def _build(self) -> None:
        assert self._trainer.evaluation
        self._sliders: dict[str, Slider] = {}
        with ui.element("div").classes("bk-between"):
            ui.label(tr("When it reports")).classes("bk-title")
            self._area.button(tr("As tuned"), "restart_alt", self._back, "b", kind="plain",
                              hint=tr("settings as tuned"))
        self._now = ui.label().style("font-weight: 700").props('aria-live="polite"')
        self._slider(*_SURE)
        with ui.expansion(tr("Advanced")).classes("bk-wide bk-advanced") as more:
            with ui.element("div").classes("bk-stack"):
                ui.label(tr("Gestures are recognised in short windows of time. These settings "
                            "make one event of many windows (the debouncer).")).classes(
                    "bk-quiet bk-small")
                for line in _ADVANCED:
                    self._slider(*line)
                ui.label(tr("Tab and the arrow keys also move them.")).classes("bk-quiet bk-small")
        self._area.key("v", tr("advanced settings"), lambda: more.set_value(not more.value),
                       line=False)

    def _slider(self, name: str, title: str, text: str, unit: str) -> None:
        found = self._trainer.evaluation
        assert found
        hop_ms = found.model.front_end.hop_ms
        least, most = Settings.LIMITS[name]
        now = getattr(self._trainer.settings, name)
        with ui.element("div").classes("bk-slider"):
            ui.label(tr(title))
            value = ui.label().style("font-weight: 700")
            slider = Slider(min=least, max=most, step=1, value=now).props(
                f'aria-label="{tr(title)}: {tr(text)}"')
            ui.label(tr(text)).classes("bk-quiet bk-small bk-under")

        def shown(v: Any) -> None:
            number = f"{int(v)}"
            value.set_text(tr("{ms} ms ({n})", ms=f"{int(v) * hop_ms:.0f}", n=number)
                           if unit == "ms" else f"{number} {unit}".strip())

        def moved(event: Any) -> None:
            shown(event.value)
            base = self._trainer.wanted or self._trainer.settings
            self._trainer.wanted = Settings(**{**vars(base), name: int(event.value)})

        shown(now)
        slider.on_value_change(moved)
        self._sliders[name] = slider

    def _back(self) -> None:
        for name, slider in self._sliders.items():
            slider.set_value(getattr(self._trainer.tuned, name))

    async def _apply(self) -> None:
        if self._trainer.wanted is None or self._busy or not self._trainer.model:
            return
        self._busy = True
        try:
            await run.io_bound(self._trainer.apply_wanted)
        finally:
            self._busy = False
