"""Label a recording: show what LabelEditor decides; hand keys and drags to it."""
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import context, ui

from host_tools.dataset import is_idle
from host_tools.dataset.idle import IDLE_LABEL
from host_tools.dataset.proposals import propose
from host_tools.dataset.recording import Recording
from host_tools.errors import BeckonError
from host_tools.evaluation.model_proposals import propose_with_model
from host_tools.studio.frame.label_store import ChangedOutside
from host_tools.studio.frame.language import said, tr, tr_n
from host_tools.studio.frame.layout import empty_state, message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.shortcuts import hint, key, key_button, shortcuts
from host_tools.studio.frame.theme import IDLE_COLOUR, label_colour
from host_tools.studio.label.dialogs import (
    ask_label,
    ask_recording,
    ask_subject,
    offer_reload,
    show_comparison,
)
from host_tools.studio.label.editor import LabelEditor, Mark
from host_tools.studio.label.panels import (
    NUMBERED,
    ChosenLine,
    Palette,
    enable,
    icon_button,
)
from host_tools.studio.signal.signal_view import Flag, SignalView, SpanChange, SpanMark


def page(project: Project) -> None:
    """Build the page's content; ?recording=NAME&t_ms=MILLISECONDS in the address opens a place."""
    if not project.recordings():
        empty_state(
            "show_chart", tr("Nothing to label yet"),
            tr("Record some gestures first, or import files on the Data page."),
            action=tr("Go to Record"), target="/record",
        )
        return
    query = context.client.request.query_params
    shown = LabelPage(project)
    ui.timer(0, lambda: shown.start(query.get("recording"), query.get("t_ms")), once=True)


class LabelPage:
    """What one tab shows of a recording; start() opens one."""

    def __init__(self, project: Project):
        self.project = project
        self.store = project.labels
        self.store.refresh()
        self.editor = LabelEditor(self.store)
        self.recording: Recording | None = None
        self._acting = False
        self._cursor_shown: float | None = None  # where the browser has it
        self._build()

    # building

    def _build(self) -> None:
        with ui.element("div").classes("bk-fill") as self.root:
            with ui.element("div").classes("bk-row"):
                self._build_top()
            self.fault = ui.element("div")
            self.view = SignalView(height="auto", editable=True).classes("bk-frame")
            self.view.on_span(self._span)
            self.view.on_cursor(self._cursor)
            with ui.element("div").classes("bk-row bk-between"):
                self.chosen = ChosenLine()
                self._build_actions()
            self.palette = Palette(self._choose, self._ask_label, self._ask_subject)
        self._add_keys()
        stop = self.store.listen(self._changed)
        context.client.on_delete(stop)

    def _build_top(self) -> None:
        with ui.element("div").classes("bk-row bk-joined"):
            key_button("", "chevron_left", lambda: self._other(-1), ",",
                       hint=tr("previous recording"), line=False).props(
                f'aria-label="{tr("previous recording")}"')
            with ui.button(color=None, on_click=self._pick).props("unelevated no-caps").classes(
                "bk-button bk-name"
            ).props("data-opens").tooltip(tr("choose a recording")):
                self.name = ui.label().classes("bk-title")
            key_button("", "chevron_right", lambda: self._other(1), ".",
                       hint=tr("next recording"), line=False).props(
                f'aria-label="{tr("next recording")}"')
        self.progress = ui.label().classes("bk-quiet bk-grow bk-progress")
        self.proposing = key_button(tr("Propose"), "auto_awesome", self._propose, "g",
                                    kind="primary", hint=tr("propose"))
        with ui.element("div").classes("bk-row bk-icons"):
            self.undo = icon_button("undo", tr("undo"), lambda: self._do(self._undo), "mod+z",
                                    line=True)
            self.redo = icon_button("redo", tr("redo"), lambda: self._do(self._redo), "mod+y")
            icon_button("compare_arrows", tr("compare with another person"), self._compare, "c")

    def _build_actions(self) -> None:
        with ui.element("div").classes("bk-row"):
            self.accept = key_button(tr("Accept"), "check", lambda: self._do(self.editor.accept),
                                     "Enter", hint=tr("accept"), kind="primary")
            self.all = key_button(tr("All"), "done_all", lambda: self._do(self._accept_all),
                                  "shift+a", hint=tr("accept all"), line=False)
            self.all.props(f'aria-label="{tr("accept all proposals")}"')
            self.split = key_button(tr("Split"), "content_cut", lambda: self._do(self.editor.split),
                                    "s", hint=tr("split at the cursor"), line=False)
            self.merge = key_button(tr("Merge"), "merge", lambda: self._do(self.editor.merge),
                                    "m", hint=tr("merge with the next"), line=False)
            self.delete = key_button(tr("Delete"), "delete", lambda: self._do(self.editor.delete),
                                     "Delete", kind="danger", hint=tr("delete, reject"), line=False)

    def _add_keys(self) -> None:
        self.keys = shortcuts()
        key("n", tr("next, previous"), lambda: self._step(1), group="step")
        key("p", "", lambda: self._step(-1), group="step")
        for number in range(1, NUMBERED + 1):
            key(str(number), tr("label") if number == 1 else "", lambda n=number: self._number(n),
                group="1 … 9")
        key("l", tr("new label"), self._ask_label, opens=True)
        key("i", tr("start, end"), lambda: self._do(self.editor.begin_here), group="ends")
        key("o", "", lambda: self._do(self.editor.end_here), group="ends")
        hint(["ArrowLeft", "ArrowRight"], tr("cursor"))
        hint(["ArrowUp", "ArrowDown"], tr("zoom"))
        key("x", "", lambda: self._do(self.editor.delete))
        key("Backspace", "", lambda: self._do(self.editor.delete))
        key("Escape", tr("deselect"), self._deselect, line=False)
        key("mod+shift+z", "", lambda: self._do(self._redo))
        key("w", tr("who moved"), self._ask_subject, line=False, opens=True)
        key("r", tr("choose a recording"), self._pick, line=False, opens=True)
        key("z", tr("look at the span"), self._look, line=False)
        hint(["shift+ArrowLeft", "shift+ArrowRight"], tr("cursor, far"), line=False)
        hint(["PageUp", "PageDown"], tr("pan a screen"), line=False)
        hint(["Home", "End"], tr("first, last screen"), line=False)
        hint(["0"], tr("the whole recording"), line=False)

    async def start(self, name: str | None, t_ms: str | None) -> None:
        """Open the recording of the address, else the first one without labels."""
        files = [f.name for f in self.project.recordings()]
        labelled = set(self.store.recordings())
        if name not in files:
            name = next((n for n in files if n not in labelled), files[0])
        await self._open(name)
        try:
            at = float(t_ms) if t_ms else None
        except ValueError:
            at = None
        if at is not None and self.recording is not None:
            self.editor.cursor_ms = at
            self.view.look_at(at - 4000, at + 2000)
            self.refresh()

    async def _open(self, name: str) -> None:
        self.recording = None
        self.fault.clear()
        self.name.set_text(name)
        self.view.show_recording(name)  # the browser fetches while we read
        self._cursor_shown = None
        self.editor.open(name, 0, 0)
        try:
            self.recording = await asyncio.to_thread(self.project.recording, name)
        except BeckonError as error:
            with self.fault:
                message(str(error))
            self.view.show_nothing()
            self.refresh()
            return
        start = self.recording.start_ms
        self.editor.open(name, start, start + 1000 * self.recording.seconds)
        for notice in self.project.notices(name):
            with self.fault:
                ui.label(notice).classes("bk-quiet")
        self.refresh()

    # doing

    def _do(self, action: Callable[[], Any]) -> None:
        """Run an action; report its fault; show the result."""
        if self.recording is None:
            return
        self._acting = True  # the store's notifications meanwhile are shown once, at the end
        try:
            action()
        except ChangedOutside as error:
            offer_reload(said(error), self.store.reload)
        except BeckonError as error:
            ui.notify(said(error), type="warning", position="top", timeout=4000)
        finally:
            self._acting = False
        self.refresh()
        chosen = self.editor.chosen()
        if chosen is not None:
            self.view.reveal(chosen.start_ms, chosen.end_ms)

    def _span(self, change: SpanChange) -> None:
        if change.action == "select":
            self.editor.select(change.id)
            self.refresh()
        elif change.action == "move" and change.id is not None:
            id = change.id
            self._do(lambda: self.editor.reshape(id, change.start_ms, change.end_ms))
        elif change.action == "create" and self.editor.brush is None:
            self.refresh()
            self._ask_label(then=lambda: self._span(change))
        elif change.action == "create":
            self._do(lambda: self.editor.create(change.start_ms, change.end_ms))

    def _cursor(self, t_ms: float) -> None:
        self.editor.cursor_ms = self._cursor_shown = t_ms

    def _deselect(self) -> None:
        self.editor.selected = self.editor.opened_ms = None
        self.refresh()

    def _step(self, by: int) -> None:
        if self.editor.step(by) is None:
            ui.notify(tr("no more spans here: press G for proposals or . for the next recording"),
                      position="top", timeout=2500)
        self._do(lambda: None)

    def _number(self, number: int) -> None:
        labels = self._labels()
        if number <= len(labels):
            self._choose(labels[number - 1])
        else:
            self._ask_label()

    def _choose(self, label: str) -> None:
        def choose() -> None:
            mark = self.editor.chosen()
            if is_idle(label) and mark is None and not self.store.spans(self.editor.recording):
                self.editor.whole_idle(label)
            else:
                self.editor.choose(label)

        self._do(choose)

    def _ask_label(self, then: Callable[[], None] = lambda: None) -> None:
        def use(label: str) -> None:
            self._do(lambda: self.editor.choose(label))
            then()

        ask_label([x for x in self._labels() if self.store.counts()[x]], use, self._rename_label)

    def _rename_label(self, old: str, new: str) -> None:
        def rename() -> None:
            n = self.store.rename_label(old, new)
            if self.editor.brush == old:
                self.editor.brush = new.strip()
            ui.notify(tr_n("{n} span is named {new} now. Ctrl Z undoes it",
                           "{n} spans are named {new} now. Ctrl Z undoes it", n, new=new),
                      position="top")

        self._do(rename)

    def _ask_subject(self) -> None:
        chosen = self.editor.chosen()
        name, spans = self.editor.recording, len(self.store.spans(self.editor.recording))

        def use(subject: str, for_all: bool) -> None:
            def change() -> None:
                n = self.editor.set_subject(subject, for_all)
                who = subject or tr("nobody named")
                if n:
                    ui.notify(tr_n("{who}: {n} span of {name}. Ctrl Z undoes it",
                                   "{who}: {n} spans of {name}. Ctrl Z undoes it",
                                   n, who=who, name=name), position="top")

            self._do(change)

        current = chosen.subject if chosen is not None and not chosen.proposed else ""
        ask_subject(current or self.editor.subject, self.store.subjects, spans, use,
                    chosen is not None and not chosen.proposed)

    def _accept_all(self) -> None:
        count = self.editor.accept_all()
        ui.notify(tr("{n} accepted; Ctrl Z undoes all of them", n=count), position="top")

    def _undo(self) -> None:
        self._show_changed(self.store.undo())

    def _redo(self) -> None:
        self._show_changed(self.store.redo())

    def _show_changed(self, recording: str | None) -> None:
        """After undo or redo: show where it happened."""
        if recording is not None and recording != self.editor.recording:
            ui.notify(tr("in {recording}", recording=recording), position="top")

    async def _propose(self) -> None:
        recording = self.recording
        if recording is None:
            return
        path = self.project.model_path()
        known = self.store.as_spans(recording.name)
        self.proposing.props("loading")  # an hour takes seconds with a model
        try:
            if path is None:
                found = await asyncio.to_thread(propose, recording, known)
            else:
                from host_tools.model.golden import read_model

                found = await asyncio.to_thread(
                    lambda: propose_with_model(recording, read_model(path), known)
                )
        except BeckonError as error:
            ui.notify(said(error), type="warning", position="top")
            return
        finally:
            self.proposing.props(remove="loading")
        if self.recording is not recording:
            return  # another one was opened meanwhile
        count = self.editor.offer(found)
        by = tr("by {model}", model=path.name) if path is not None else tr("from the movement")
        ui.notify(tr_n("{n} proposal {by}", "{n} proposals {by}", count, by=by) if count
                  else tr("no more movements here"), position="top")
        self._do(lambda: None)

    async def _other(self, by: int) -> None:
        names = [f.name for f in self.project.recordings()]
        if not names:
            return
        at = names.index(self.editor.recording) if self.editor.recording in names else 0
        if 0 <= at + by < len(names):
            await self._open(names[at + by])

    def _pick(self) -> None:
        counts = {f.name: len(self.store.spans(f.name)) for f in self.project.recordings()}
        ask_recording(counts, self.editor.recording, self._open)

    def _compare(self) -> None:
        show_comparison(self.project, self._go)

    async def _go(self, recording: str, start_ms: float, end_ms: float) -> None:
        if recording != self.editor.recording:
            await self._open(recording)
        self.view.look_at(start_ms - 2000, end_ms + 2000)

    def _look(self) -> None:
        chosen = self.editor.chosen()
        if chosen is not None:
            wide = chosen.end_ms - chosen.start_ms
            self.view.look_at(chosen.start_ms - wide, chosen.end_ms + wide)

    # showing

    def _labels(self) -> list[str]:
        """The labels in the order of their numbers, "no gesture" last."""
        labels = self.store.labels
        idle = [x for x in labels if is_idle(x)] or [IDLE_LABEL]
        return [x for x in labels if not is_idle(x)] + idle

    def _changed(self, recording: str) -> None:
        """This tab or another one has changed labels."""
        if not self._acting:
            with self.root:
                self.refresh()

    def refresh(self) -> None:
        """Show the editor's state."""
        labels, marks, chosen = self.store.labels, self.editor.marks(), self.editor.chosen()
        self.view.set_spans([self._mark(m, labels) for m in marks],
                            chosen.id if chosen else None)
        if self.editor.cursor_ms != self._cursor_shown:  # the browser may be ahead
            self._cursor_shown = self.editor.cursor_ms
            self.view.set_cursor(self._cursor_shown)
        opened = self.editor.opened_ms
        self.view.set_flags([] if opened is None else [Flag(opened, "start")])
        if self.editor.brush is not None:
            self.view.set_brush(label_colour(labels, self.editor.brush))
        files, done = self.project.recordings(), set(self.store.recordings())
        labelled = sum(f.name in done for f in files)
        proposed = sum(m.proposed for m in marks)
        spans = sum(self.store.counts().values())
        self.progress.set_text(tr("{n} of {all} labelled, ", n=labelled, all=len(files)) + (
            tr_n("{n} proposal left", "{n} proposals left", proposed) if proposed
            else tr_n("{n} span, all saved", "{n} spans, all saved", spans)))
        enable(self.undo, self.store.can_undo is not None)
        enable(self.redo, self.store.can_redo is not None)
        enable(self.all, any(m.proposed and m.label for m in marks))
        enable(self.accept, chosen is not None and chosen.proposed)
        self.accept.set_visibility(proposed > 0)
        self.all.set_visibility(proposed > 0)
        enable(self.split, any(not m.proposed for m in marks))
        enable(self.merge, chosen is not None and not chosen.proposed)
        enable(self.delete, chosen is not None)
        self.chosen.show(chosen, labels, bool(marks))
        current = chosen.label if chosen is not None and chosen.label else self.editor.brush
        for number in range(1, NUMBERED + 1):
            self.keys.opens(str(number), number > len(self._labels()))
        self.palette.show(self._labels(), self.store.counts(), current, self.editor.subject)

    def _mark(self, mark: Mark, labels: list[str]) -> SpanMark:
        note = f"{mark.confidence} %" if mark.confidence is not None else mark.subject
        colour = label_colour(labels, mark.label) if mark.label else IDLE_COLOUR
        return SpanMark(mark.id, mark.start_ms, mark.end_ms, mark.label, colour,
                        "proposal" if mark.proposed else "label", note)
