"""Try a model on live samples before it is deployed: bars, thresholds, events in large letters."""
from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from nicegui import run, ui

from host_tools.dataset import is_idle
from host_tools.errors import BeckonError
from host_tools.model.format import Model
from host_tools.model.golden import read_model
from host_tools.paths import DEFAULT_MODEL
from host_tools.studio.frame.language import number, tr, tr_n
from host_tools.studio.frame.layout import empty_state, message
from host_tools.studio.frame.project import Project, free_path
from host_tools.studio.frame.theme import label_colour
from host_tools.studio.frame.widgets import Area, warn
from host_tools.studio.signal.live_feed import Feed
from host_tools.studio.signal.signal_view import SignalView
from host_tools.studio.trial.bars import BarRow, Bars
from host_tools.studio.trial.sending_panel import SendingPanel
from host_tools.studio.trial.session import TrialSession, TrialView, thresholds_of

_REFRESH_S = 0.08
_LIST_S = 1.0  # between looks into models/
_FRESH_S = 2.5  # an event stays large and coloured so long
_ROWS = 12
_LIVE = ("live", "recording", "unsaved")  # states of a source that delivers
_NEW, _SHIPPED = "new", "shipped"  # choices besides the files in models/


class Source(Protocol):
    """The Record page's recorder, as far as this page needs it."""

    feed: Feed | None
    choice: Any  # a SourceChoice, or None before the first

    def view(self) -> Any: ...
    def close(self) -> None: ...


def page(project: Project, trial: TrialSession, source: Source,
         source_panel: Callable[[Area], Any], fresh_model: Callable[[], Model | None]) -> None:
    """Build the page's content inside the frame.

    source_panel(area): makes what asks where samples come from. fresh_model(): the model that
    was just trained and lies in no file yet, or None.
    """
    TrialPage(project, trial, source, source_panel, fresh_model)


class TrialPage:
    """What one tab shows of the project's trial."""

    def __init__(self, project: Project, trial: TrialSession, source: Source,
                 source_panel: Callable[[Area], Any], fresh_model: Callable[[], Model | None]):
        self._project, self._trial, self._source = project, trial, source
        self._fresh_model = fresh_model
        self._form = project.form("trial", model="", source="")
        self._feed: Feed | None = None
        self._bars: Bars | None = None
        self._listed: tuple[tuple[str, str], ...] = ()  # choices of a model
        self._listed_s = -_LIST_S
        self._drawn: tuple[object, dict[str, int]] = (None, {})  # model, thresholds
        with ui.element("div").classes("bk-split bk-trial"):
            with ui.element("section"):
                self._empty = Area("bk-stack")
                self._now = Area("bk-card bk-now")
                with ui.element("div").classes("bk-card bk-stack") as self._card:
                    with ui.element("div").classes("bk-between"):
                        ui.label(tr("How sure it is now")).classes("bk-title")
                        self._state = ui.label().classes("bk-quiet")
                    self._gauges = Area()
                    ui.label(tr("A gesture counts when its bar reaches the mark and the hand comes "
                                "to rest. Drag a mark to change the threshold.")).classes(
                        "bk-quiet bk-small")
                with ui.element("div").classes("bk-card") as self._picture:
                    self._signal = SignalView(height="11rem", overview=False)
            with ui.element("aside"):
                self._side = Area("bk-stack")
                self._models = Area("bk-card bk-stack")
                self._sending = SendingPanel(project, trial, source)
                self._list = Area("bk-card bk-stack-small")
        self._panel = source_panel(self._side)
        self._refresh()
        ui.timer(_REFRESH_S, self._refresh)
        ui.timer(0.01, self._choose, once=True)

    # which model

    def _choices(self) -> dict[str, str]:
        """Key -> words, the likeliest first."""
        out: dict[str, str] = {}
        if self._fresh_model() is not None:
            out[_NEW] = tr("the model just trained")
        for path in reversed(self._project.models()):
            out[path.name] = path.name
        out[_SHIPPED] = tr("Beckon's own model")
        return out

    async def _choose(self, wanted: str = "") -> None:
        """Use the wanted model, else the one in use, else the likeliest."""
        choices = self._choices()
        key = wanted or self._form["model"]
        fresh = self._fresh_model()
        if key not in choices or not wanted and fresh is not None and self._is_new(fresh):
            key = next(iter(choices))
        self._form["model"] = key
        view = self._trial.view()
        model: Model | None
        path: Path | None = None
        try:
            if key == _NEW:
                model = fresh
            else:
                path = (DEFAULT_MODEL if key == _SHIPPED
                        else self._project.inside("models", key))
                model = await run.io_bound(read_model, path)
        except BeckonError as error:
            warn(error)
            return
        if model is None:
            return
        own = None if key == _SHIPPED else path  # Beckon's own file is not written
        if view.model is None or (view.path, view.model.model_id) != (own, model.model_id):
            self._trial.use(model, choices[key], own)

    def _is_new(self, fresh: Model) -> bool:
        """Whether a model has been trained since this page last chose one."""
        known = self._form.get("fresh")
        self._form["fresh"] = fresh
        return known is not fresh

    # showing

    def _refresh(self) -> None:
        self._trial.watch()
        view, source = self._trial.view(), self._source.view()
        live = source.state in _LIVE or source.state == "ended" and self._source.feed is not None
        self._empty.box.set_visibility(not live or bool(source.fault))
        shown = live and view.model is not None
        for part in (self._now.box, self._card):
            part.set_visibility(shown)
        self._picture.set_visibility(live)  # hidden itself, it would hear nothing
        self._empty.show((source.state, source.fault, live),
                         lambda: self._build_empty(source, live))
        self._side.show((source.state, source.title), lambda: self._build_side(source))
        if time.monotonic() - self._listed_s > _LIST_S:
            self._listed, self._listed_s = tuple(self._choices().items()), time.monotonic()
        names = self._listed
        self._models.show((names, view.title, view.changed, view.fault, view.model is None,
                           view.rules),
                          lambda: self._build_models(dict(names), view))
        self._sending.refresh()
        self._list.box.set_visibility(view.total > 0)
        self._list.show((view.total, view.events[-1:]), lambda: self._build_list(view))
        feed = self._source.feed
        if live and feed is not None and feed is not self._feed:
            self._feed = feed
            self._signal.show_live(feed)
        if shown:
            self._show_now(view)

    def _show_now(self, view: TrialView) -> None:
        model = view.model
        assert model is not None
        if self._drawn[0] is not model or self._drawn[1] != view.thresholds:
            self._drawn = model, dict(view.thresholds)
            with self._gauges.rebuilt():
                self._bars = Bars(self._rows(model, view.thresholds))
                self._bars.on_threshold(self._moved)
        if self._bars and view.percent:
            self._bars.update_bars(view.percent, view.peaks)
        if view.fault or self._source.view().state == "ended":
            words = ""
        elif not view.windows:
            words = tr("filling the first window")
        else:
            words = tr("the hand moves") if view.moving else tr("at rest")
        if view.dropped:
            words += "; " + tr_n("{n} sample left out: this computer is too slow",
                                 "{n} samples left out: this computer is too slow", view.dropped)
        self._state.set_text(words)
        last = view.events[-1] if view.events else None
        fresh = last is not None and time.monotonic() - last.at_s < _FRESH_S
        self._now.show((last, fresh, view.fault, id(model)),
                       lambda: self._build_now(view, fresh))

    def _rows(self, model: Model, thresholds: dict[str, int]) -> list[BarRow]:
        colours = self._colours(model)
        rows, idle = [], None
        for i, label in enumerate(model.labels):
            if i == model.idle:
                idle = BarRow(label, tr("no gesture"), colours[label], i, slider=False)
                continue
            single = "" in thresholds
            rows.append(BarRow(
                label, label, colours[label], i, thresholds.get(label, thresholds.get("", 0)),
                slider=not single, hint=tr("Threshold of {name}, in percent", name=label)))
        if "" in thresholds:
            words = tr("all gestures")
            rows.append(BarRow("", words, "", 0, thresholds[""], bar=False,
                               hint=tr("Threshold of all gestures, in percent")))
        return rows + ([idle] if idle else [])

    def _colours(self, model: Model) -> dict[str, str]:
        known = self._project.gestures()
        known += [label for label in model.labels if label not in known and not is_idle(label)]
        return {label: label_colour(known, label) for label in model.labels}

    def _build_empty(self, source: Any, live: bool) -> None:
        if source.fault:
            message(source.fault)
        if live:
            return
        if source.state == "opening":
            with ui.element("div").classes("bk-empty"):
                ui.spinner(size="4.5rem")
                with ui.element("h1"):
                    ui.label(tr("Opening {name}", name=source.title))
            return
        empty_state("waving_hand", tr("Try it before you deploy it"),
                    tr("Connect a board, or play a recording. The model runs here on what the "
                       "sensor says, with the board's own arithmetic, and shows every gesture that "
                       "it recognises. Set how sure it must be, then deploy."))

    def _build_side(self, source: Any) -> None:
        if source.state in ("off", "opening", "ended"):
            self._panel.build(source)
            return
        with ui.element("div").classes("bk-card bk-stack"):
            ui.label(source.title).classes("bk-title bk-break")
            ui.label(tr("Samples come from here. The Record page shows the same source.")).classes(
                "bk-quiet bk-small")
            self._side.button(tr("Disconnect"), "link_off", self._close, "x",
                              hint=tr("disconnect")).classes("bk-wide")

    async def _close(self) -> None:
        await run.io_bound(self._source.close)

    def _build_models(self, choices: dict[str, str], view: TrialView) -> None:
        ui.label(tr("Model")).classes("bk-title")
        key = self._form["model"] if self._form["model"] in choices else None
        field = ui.select(choices, value=key).props("outlined options-dense").classes("bk-field")
        field.props(f'aria-label="{tr("Model")}"')
        field.on_value_change(lambda e: self._choose(e.value))
        if view.fault:
            message(view.fault)
        if view.model is None:
            return
        if view.rules:
            ui.label(tr("With the rule gestures of your settings: {names}",
                        names=", ".join(view.rules))).classes("bk-quiet bk-small bk-break")
        if view.changed:
            ui.label(tr("You changed thresholds. Save them for the board.")).classes("bk-small")
            with ui.element("div").classes("bk-row"):
                self._models.button(tr("Save"), "save", self._save, "s", kind="primary",
                                    hint=tr("save the thresholds"))
                self._models.button(tr("As they were"), "undo", self._trial.reset_thresholds, "r",
                                    hint=tr("thresholds as they were"))
        elif view.path is None and self._form["model"] == _NEW:
            self._models.button(tr("Save the model"), "save", self._save, "s").classes("bk-wide")
        else:
            self._models.button(tr("Deploy"), "publish", lambda: ui.navigate.to("/watch"), "d",
                                kind="primary").classes("bk-wide")

    def _moved(self, label: str, percent: int) -> None:
        self._drawn[1][label] = percent  # the slider shows it already
        self._trial.set_threshold(label, percent)

    def _save(self) -> None:
        view = self._trial.view()
        try:
            path = view.path
            if path is None:
                path = free_path(self._project.inside("models"), "model", ".mlp")
            size = self._trial.save(path)
        except BeckonError as error:
            warn(error)
            return
        self._form["model"] = path.name
        self._listed_s = -_LIST_S
        ui.notify(tr("{file}: {n:,} bytes", file=f"models/{path.name}", n=size),
                  type="positive", position="top")

    def _build_now(self, view: TrialView, fresh: bool) -> None:
        box, last = self._now.box, view.events[-1] if view.events else None
        box.classes(remove="bk-old" if fresh else "", add="" if fresh else "bk-old")
        if view.fault:
            message(view.fault)
            return
        if last is None or view.model is None:
            with ui.element("div"):
                ui.label(tr("Make a gesture")).classes("bk-event")
                names = ", ".join(thresholds_of(view.model) if view.model else ()) or "..."
                ui.label(tr("This model knows: {names}", names=names)).classes("bk-quiet bk-break")
            return
        colour = self._colours(view.model).get(last.label, "var(--accent)")
        box.style(f"--gesture: {colour}")
        with ui.element("div").props('aria-live="assertive"'):
            ui.label(last.label).classes("bk-event")
            count = view.counts.get(last.label, 0)
            ui.label(tr("number {n} of this gesture", n=count)).classes("bk-quiet")
        with ui.element("div").classes("bk-row bk-sure"):
            for percent, words in ((last.confidence, tr("confidence")),
                                   (last.label_confidence, tr("label confidence"))):
                with ui.element("div"):
                    ui.label(f"{percent} %").classes("bk-big")
                    ui.label(words).classes("bk-quiet")

    def _build_list(self, view: TrialView) -> None:
        with ui.element("div").classes("bk-between"):
            ui.label(tr_n("{n} event", "{n} events", view.total)).classes("bk-title")
            self._list.button(tr("Clear"), "clear_all", self._trial.clear, "Delete",
                              kind="plain", hint=tr("clear the list"))
        counts = ", ".join(f"{label} {n}" for label, n in sorted(view.counts.items()))
        ui.label(counts).classes("bk-quiet bk-break")
        with ui.element("table").classes("bk-table bk-heard"):
            for event in reversed(view.events[-_ROWS:]):
                with ui.element("tr"):
                    for text in (event.label, f"{number(event.t_ms / 1000, '.2f')} s",
                                 f"{event.confidence} %"):
                        with ui.element("td"):
                            ui.label(text)
