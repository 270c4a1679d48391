"""The Train page's figures: events, spans, confusion, people, and the debouncer's sliders."""
from __future__ import annotations

from typing import Any

import numpy as np
from nicegui import run, ui

from host_tools.evaluation.evaluate import Evaluation, Tally
from host_tools.evaluation.in_words import false_alarms
from host_tools.evaluation.metrics import macro_f1
from host_tools.studio.frame.widgets import Area, Slider, choice
from host_tools.studio.train.session import Settings, TrainSession

_CONFUSION, _SUBJECTS, _CLASSES = "confusion", "subjects", "classes"
_SLIDERS = (
    # field, title, what it does, unit
    ("threshold_percent", "Threshold", "less sure than this is not a gesture", "%"),
    ("span", "Windows of a gesture", "this many decide together", "ms"),
    ("calm_windows", "Calm windows", "this many must follow the movement; 0: do not wait", "ms"),
    ("calm_ratio", "Calm below", "1/64 of the movement before", ""),
    ("quiet", "Quiet windows", "this many come before the next gesture", "ms"),
    ("refractory", "Dead time", "nothing is reported for this time after an event", "ms"),
)
_APPLY_S = 0.08


def number(value: float, digits: int = 2) -> str:
    """A figure without trailing zeros; "-" if it is not finite."""
    if not np.isfinite(value):
        return "-"
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"


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
        events = t.as_json()
        changed = self._trainer.settings != self._trainer.tuned

        def was(name: str) -> str:
            old = getattr(before, name)
            return f", was {old}" if changed and old != getattr(t, name) else ""

        _tile(f"{t.hits} of {t.truth}", "gestures found", f"{t.missed} missed{was('hits')}",
               "good" if t.hits == t.truth else "warn")
        _tile(str(t.false), "false events", false_alarms(events) + was("false"),
              "bad" if t.false else "good")
        _tile(str(t.duplicates), "reported twice", "of one gesture" + was("duplicates"),
               "bad" if t.duplicates else "good")
        _tile(*_latency(t))
        _tile(number(t.f1, 3), "event F1",
               f"was {number(before.f1, 3)}" if changed else "1 is perfect")
        spans = found.spans
        _tile(f"{number(100 * spans.accuracy, 1)} %", "spans right at their end",
               f"of {len(spans.truth)}; {found.not_yet} come only after it" if found.not_yet
               else f"of {len(spans.truth)}, macro F1 {number(macro_f1(found.confusion), 3)}")


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
        return "-", "median delay", "nothing was found"
    p50, p95 = t.latency_ms(0.5), t.latency_ms(0.95)
    return f"{_ms(p50)} ms", "median delay", f"from the label's end; 95 %: {_ms(p95)} ms"


def _ms(value: float) -> str:
    return f"{value:.0f}".replace("-", "−")


class TablesPanel:
    """Confusion, people, gestures."""

    def __init__(self, trainer: TrainSession):
        self._trainer = trainer
        self._form: dict[str, Any] = {"table": _CONFUSION}
        with ui.element("div").classes("bk-card bk-stack"):
            choice({_CONFUSION: "Confusion", _SUBJECTS: "People", _CLASSES: "Gestures"},
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
    ui.label("Single spans. Rows: their labels. Columns: what the model took them for.").classes(
        "bk-quiet bk-small")
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
        _head("person", "gestures found", "false", "twice", "F1", "spans right", "median delay")
        for name in names:
            t = found.tally(subject=name)
            mine = found.spans.subject == name
            right = (found.spans.truth == found.spans.found)[mine]
            delay = f"{np.median(t.latencies_ms):.0f} ms" if t.latencies_ms else "-"
            _row(name or "(no name)", f"{t.hits} of {t.truth}", t.false, t.duplicates,
                 number(t.f1, 3), f"{100 * right.mean():.0f} %" if len(right) else "-", delay)


def _classes(found: Evaluation) -> None:
    labels, matrix = found.model.labels, found.confusion
    with ui.element("table").classes("bk-table"):
        _head("gesture", "found", "false", "twice", "spans", "recall", "precision", "median delay")
        for k, label in enumerate(labels):
            if k == found.model.idle:
                continue
            t = found.tally(label=label)
            row, column = int(matrix[k].sum()), int(matrix[:, k].sum())
            delay = f"{np.median(t.latencies_ms):.0f} ms" if t.latencies_ms else "-"
            _row(label, f"{t.hits} of {t.truth}", t.false, t.duplicates, row,
                 f"{100 * matrix[k, k] / row:.0f} %" if row else "-",
                 f"{100 * matrix[k, k] / column:.0f} %" if column else "-", delay)


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
    """The debouncer's settings; the event figures follow while you move a slider."""

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
            self._now.set_text(f"{t.hits} of {t.truth} found, {t.false} false, {t.duplicates} "
                               f"twice, delay {_latency(t)[0]}")

    def _build(self) -> None:
        found = self._trainer.evaluation
        assert found
        hop_ms = found.model.front_end.hop_ms
        now = self._trainer.settings
        self._sliders = {}
        with ui.element("div").classes("bk-between"):
            ui.label("Debouncer").classes("bk-title")
            self._area.button("As tuned", "restart_alt", self._back, "b", kind="plain",
                              hint="debouncer as tuned")
        self._now = ui.label().style("font-weight: 700").props('aria-live="polite"')
        for name, title, text, unit in _SLIDERS:
            least, most = Settings.LIMITS[name]
            with ui.element("div").classes("bk-slider"):
                ui.label(title).tooltip(text)
                value = ui.label().style("font-weight: 700")
                slider = Slider(min=least, max=most, step=1, value=getattr(now, name)).props(
                    f'aria-label="{title}: {text}"')

            def shown(v: Any, value: Any = value, unit: str = unit) -> None:
                windows = f"{int(v)} ({int(v) * hop_ms:.0f} ms)" if unit == "ms" else f"{int(v)}"
                value.set_text(f"{windows} {unit}" if unit == "%" else windows)

            def moved(event: Any, name: str = name, shown: Any = shown) -> None:
                shown(event.value)
                base = self._trainer.wanted or self._trainer.settings
                self._trainer.wanted = Settings(**{**vars(base), name: int(event.value)})

            shown(getattr(now, name))
            slider.on_value_change(moved)
            self._sliders[name] = slider
        ui.label("Tab and the arrow keys also move them.").classes("bk-quiet bk-small")

    def _back(self) -> None:
        for name, slider in self._sliders.items():
            slider.set_value(getattr(self._trainer.tuned, name))

    async def _apply(self) -> None:
        if self._trainer.wanted is None or self._busy or not self._trainer.evaluation:
            return
        self._busy = True
        try:
            await run.io_bound(self._trainer.apply_wanted)
        finally:
            self._busy = False
