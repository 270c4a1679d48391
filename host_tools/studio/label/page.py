"""The Label page: what editor.py decides, shown; keys and drags handed to it."""
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import context, ui

from host_tools.dataset import is_idle
from host_tools.dataset.idle import IDLE_LABEL
from host_tools.dataset.proposals import propose, propose_with_model
from host_tools.dataset.recording import Recording
from host_tools.errors import BeckonError
from host_tools.studio.frame.layout import empty_state, message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.shortcuts import hint, key, key_button, key_mark, shown
from host_tools.studio.frame.theme import IDLE_COLOUR, label_colour
from host_tools.studio.label.dialogs import (
    ask_label,
    ask_recording,
    ask_subject,
    offer_reload,
    show_comparison,
)
from host_tools.studio.label.editor import LabelDesk, Mark
from host_tools.studio.label.store import ChangedOutside
from host_tools.studio.signal.signal_view import Flag, SignalView, SpanChange, SpanMark

_NUMBERED = 9  # labels that have a key


class LabelPage:
    """One tab's Label page. build() makes the elements, start() opens a recording."""

    def __init__(self, project: Project):
        self.project = project
        self.session = project.labels
        self.session.refresh()
        self.desk = LabelDesk(self.session)
        self.recording: Recording | None = None
        self._acting = False
        self._cursor_shown: float | None = None  # where the browser has it
        self._palette_shown: tuple[Any, ...] = ()

    # building

    def build(self) -> None:
        with ui.element("div").classes("bk-fill") as self.root:
            with ui.element("div").classes("bk-row"):
                self._build_top()
            self.fault = ui.element("div")
            self.view = SignalView(height="auto", editable=True).classes("bk-frame")
            self.view.on_span(self._span)
            self.view.on_cursor(self._cursor)
            with ui.element("div").classes("bk-row bk-between"):
                self.chosen = ui.element("div").classes("bk-row bk-chosen")
                self._build_actions()
            self.palette = ui.element("div").classes("bk-row bk-palette")
        self._add_keys()
        stop = self.session.listen(self._changed)
        context.client.on_delete(stop)

    def _build_top(self) -> None:
        with ui.element("div").classes("bk-row bk-joined"):
            key_button("", "chevron_left", lambda: self._other(-1), ",",
                       hint="previous recording", line=False).props(
                'aria-label="previous recording"')
            with ui.button(color=None, on_click=self._pick).props("unelevated no-caps").classes(
                "bk-button bk-name"
            ).props('aria-label="choose a recording"'):
                self.name = ui.label().classes("bk-title")
            key_button("", "chevron_right", lambda: self._other(1), ".",
                       hint="next recording", line=False).props(
                'aria-label="next recording"')
        self.progress = ui.label().classes("bk-quiet bk-grow bk-status")
        self.proposing = key_button("Propose", "auto_awesome", self._propose, "g",
                                    kind="primary", hint="propose")
        self.undo = _icon("undo", "undo", lambda: self._do(self._undo), "mod+z", line=True)
        self.redo = _icon("redo", "redo", lambda: self._do(self._redo), "mod+y")
        _icon("compare_arrows", "compare with another person", self._compare, "c")

    def _build_actions(self) -> None:
        with ui.element("div").classes("bk-row"):
            self.accept = key_button("Accept", "check", lambda: self._do(self.desk.accept),
                                     "Enter", hint="accept", kind="primary")
            self.all = key_button("All", "done_all", lambda: self._do(self._accept_all),
                                  "shift+a", hint="accept all", line=False)
            self.all.props('aria-label="accept all proposals"')
            self.split = key_button("Split", "content_cut", lambda: self._do(self.desk.split),
                                    "s", hint="split at the cursor", line=False)
            self.merge = key_button("Merge", "merge", lambda: self._do(self.desk.merge),
                                    "m", hint="merge with the next", line=False)
            self.delete = key_button("Delete", "delete", lambda: self._do(self.desk.delete),
                                     "Delete", kind="danger", hint="delete, reject", line=False)

    def _add_keys(self) -> None:
        key("n", "next, previous", lambda: self._step(1), group="step")
        key("p", "", lambda: self._step(-1), group="step")
        for number in range(1, _NUMBERED + 1):
            key(str(number), "label" if number == 1 else "", lambda n=number: self._number(n),
                group="1 … 9")
        key("l", "new label", self._ask_label)
        key("i", "start, end", lambda: self._do(self.desk.begin_here), group="ends")
        key("o", "", lambda: self._do(self.desk.end_here), group="ends")
        hint(["ArrowLeft", "ArrowRight"], "cursor")
        hint(["ArrowUp", "ArrowDown"], "zoom")
        key("x", "", lambda: self._do(self.desk.delete))
        key("Backspace", "", lambda: self._do(self.desk.delete))
        key("Escape", "let go of the span", self._let_go, line=False)
        key("mod+shift+z", "", lambda: self._do(self._redo))
        key("w", "who moved", self._ask_subject, line=False)
        key("r", "choose a recording", self._pick, line=False)
        key("z", "look at the span", self._look, line=False)
        hint(["shift+ArrowLeft", "shift+ArrowRight"], "cursor, far", line=False)
        hint(["PageUp", "PageDown"], "pan a screen", line=False)
        hint(["Home", "End"], "first, last screen", line=False)
        hint(["0"], "the whole recording", line=False)

    async def start(self, name: str | None, t_ms: str | None) -> None:
        """Open the recording of the address, else the first one without labels."""
        files = [f.name for f in self.project.recordings()]
        labelled = set(self.session.recordings())
        if name not in files:
            name = next((n for n in files if n not in labelled), files[0])
        await self._open(name)
        try:
            at = float(t_ms) if t_ms else None
        except ValueError:
            at = None
        if at is not None and self.recording is not None:
            self.desk.cursor_ms = at
            self.view.look_at(at - 4000, at + 2000)
            self.refresh()

    async def _open(self, name: str) -> None:
        self.recording = None
        self.fault.clear()
        self.name.set_text(name)
        self.view.show_recording(name)  # the browser fetches while we read
        self._cursor_shown = None
        self.desk.open(name, 0, 0)
        try:
            self.recording = await asyncio.to_thread(self.project.recording, name)
        except BeckonError as error:
            with self.fault:
                message(str(error))
            self.view.show_nothing()
            self.refresh()
            return
        start = self.recording.start_ms
        self.desk.open(name, start, start + 1000 * self.recording.seconds)
        for notice in self.project.notices(name):
            with self.fault:
                ui.label(notice).classes("bk-quiet")
        self.refresh()

    # doing

    def _do(self, action: Callable[[], Any]) -> None:
        """Run an action; say its fault; show what came of it."""
        if self.recording is None:
            return
        self._acting = True  # what the session tells meanwhile is shown at the end, once
        try:
            action()
        except ChangedOutside as error:
            offer_reload(str(error), self.session.reload)
        except BeckonError as error:
            ui.notify(str(error), type="warning", position="top", timeout=4000)
        finally:
            self._acting = False
        self.refresh()
        chosen = self.desk.chosen()
        if chosen is not None:
            self.view.reveal(chosen.start_ms, chosen.end_ms)

    def _span(self, change: SpanChange) -> None:
        if change.action == "select":
            self.desk.select(change.id)
            self.refresh()
        elif change.action == "move" and change.id is not None:
            id = change.id
            self._do(lambda: self.desk.reshape(id, change.start_ms, change.end_ms))
        elif change.action == "create" and self.desk.brush is None:
            self.refresh()
            self._ask_label(then=lambda: self._span(change))
        elif change.action == "create":
            self._do(lambda: self.desk.create(change.start_ms, change.end_ms))

    def _cursor(self, t_ms: float) -> None:
        self.desk.cursor_ms = self._cursor_shown = t_ms

    def _let_go(self) -> None:
        self.desk.selected = self.desk.opened_ms = None
        self.refresh()

    def _step(self, by: int) -> None:
        if self.desk.step(by) is None:
            ui.notify("no further span here: G proposes some, . goes to the next recording",
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
            mark = self.desk.chosen()
            if is_idle(label) and mark is None and not self.session.spans(self.desk.recording):
                self.desk.whole_idle(label)
            else:
                self.desk.choose(label)

        self._do(choose)

    def _ask_label(self, then: Callable[[], None] = lambda: None) -> None:
        def use(label: str) -> None:
            self._do(lambda: self.desk.choose(label))
            then()

        ask_label([x for x in self._labels() if self.session.counts()[x]], use, self._rename_label)

    def _rename_label(self, old: str, new: str) -> None:
        self._do(lambda: self.session.rename_label(old, new))

    def _ask_subject(self) -> None:
        def use(subject: str) -> None:
            self._do(lambda: self.desk.set_subject(subject))

        ask_subject(self.desk.subject, self.session.subjects, use)

    def _accept_all(self) -> None:
        count = self.desk.accept_all()
        ui.notify(f"{count} accepted; Ctrl Z takes all of them back", position="top")

    def _undo(self) -> None:
        self._turned(self.session.undo())

    def _redo(self) -> None:
        self._turned(self.session.redo())

    def _turned(self, recording: str | None) -> None:
        """After undo or redo: show where it happened."""
        if recording is not None and recording != self.desk.recording:
            ui.notify(f"in {recording}", position="top")

    async def _propose(self) -> None:
        recording = self.recording
        if recording is None:
            return
        path = self.project.model_path()
        known = self.session.as_spans(recording.name)
        self.proposing.props("loading")  # with a model, an hour takes seconds
        try:
            if path is None:
                found = await asyncio.to_thread(propose, recording, known)
            else:
                from host_tools.model.format import read_model

                found = await asyncio.to_thread(
                    lambda: propose_with_model(recording, read_model(path), known)
                )
        except BeckonError as error:
            ui.notify(str(error), type="warning", position="top")
            return
        finally:
            self.proposing.props(remove="loading")
        if self.recording is not recording:
            return  # another one was opened meanwhile
        count = self.desk.offer(found)
        by = f"by {path.name}" if path is not None else "from the movement"
        ui.notify(f"{count} proposals {by}" if count else "nothing more that moves here",
                  position="top")
        self._do(lambda: None)

    async def _other(self, by: int) -> None:
        names = [f.name for f in self.project.recordings()]
        if not names:
            return
        at = names.index(self.desk.recording) if self.desk.recording in names else 0
        if 0 <= at + by < len(names):
            await self._open(names[at + by])

    def _pick(self) -> None:
        counts = {f.name: len(self.session.spans(f.name)) for f in self.project.recordings()}
        ask_recording(counts, self.desk.recording, self._open)

    def _compare(self) -> None:
        show_comparison(self.project, self._go)

    async def _go(self, recording: str, start_ms: float, end_ms: float) -> None:
        if recording != self.desk.recording:
            await self._open(recording)
        self.view.look_at(start_ms - 2000, end_ms + 2000)

    def _look(self) -> None:
        chosen = self.desk.chosen()
        if chosen is not None:
            wide = chosen.end_ms - chosen.start_ms
            self.view.look_at(chosen.start_ms - wide, chosen.end_ms + wide)

    # showing

    def _labels(self) -> list[str]:
        """The labels in the order of their numbers, "no gesture" last."""
        labels = self.session.labels
        idle = [x for x in labels if is_idle(x)] or [IDLE_LABEL]
        return [x for x in labels if not is_idle(x)] + idle

    def _changed(self, recording: str) -> None:
        """Another tab, or we, changed labels."""
        if not self._acting:
            with self.root:
                self.refresh()

    def refresh(self) -> None:
        """Show the desk's state."""
        labels, marks, chosen = self.session.labels, self.desk.marks(), self.desk.chosen()
        self.view.set_spans([self._mark(m, labels) for m in marks],
                            chosen.id if chosen else None)
        if self.desk.cursor_ms != self._cursor_shown:  # else it may have moved on already
            self._cursor_shown = self.desk.cursor_ms
            self.view.set_cursor(self._cursor_shown)
        opened = self.desk.opened_ms
        self.view.set_flags([] if opened is None else [Flag(opened, "start")])
        if self.desk.brush is not None:
            self.view.set_brush(label_colour(labels, self.desk.brush))
        files, done = self.project.recordings(), set(self.session.recordings())
        labelled = sum(f.name in done for f in files)
        proposed = sum(m.proposed for m in marks)
        spans = sum(self.session.counts().values())
        self.progress.set_text(
            f"{labelled} of {len(files)} labelled, "
            + (f"{proposed} proposals left" if proposed else f"{spans} spans, all saved")
        )
        _able(self.undo, self.session.can_undo is not None)
        _able(self.redo, self.session.can_redo is not None)
        _able(self.all, any(m.proposed and m.label for m in marks))
        _able(self.accept, chosen is not None and chosen.proposed)
        self.accept.set_visibility(proposed > 0)
        self.all.set_visibility(proposed > 0)
        _able(self.split, any(not m.proposed for m in marks))
        _able(self.merge, chosen is not None and not chosen.proposed)
        _able(self.delete, chosen is not None)
        self._show_chosen(chosen, labels, bool(marks))
        self._show_palette(labels, chosen)

    def _mark(self, mark: Mark, labels: list[str]) -> SpanMark:
        note = f"{mark.confidence} %" if mark.confidence is not None else mark.subject
        colour = label_colour(labels, mark.label) if mark.label else IDLE_COLOUR
        return SpanMark(mark.id, mark.start_ms, mark.end_ms, mark.label, colour,
                        "proposal" if mark.proposed else "label", note)

    def _show_chosen(self, chosen: Mark | None, labels: list[str], any_marks: bool) -> None:
        self.chosen.clear()
        with self.chosen:
            if chosen is None:
                ui.label(
                    "Click a span to select it, drag on empty ground to draw one." if any_marks
                    else "Press G for proposals, or drag over the signal to draw a span."
                ).classes("bk-quiet")
                return
            colour = label_colour(labels, chosen.label) if chosen.label else IDLE_COLOUR
            ui.element("span").classes("bk-swatch").style(f"background: {colour}")
            ui.label(chosen.label or "which gesture?").classes("bk-title")
            ui.label(f"{chosen.start_ms / 1000:.2f} to {chosen.end_ms / 1000:.2f} s")
            sure = "" if chosen.confidence is None else f", {chosen.confidence} % sure"
            ui.label(f"proposal{sure}" if chosen.proposed
                     else f"{chosen.end_ms - chosen.start_ms:.0f} ms").classes("bk-quiet")

    def _show_palette(self, labels: list[str], chosen: Mark | None) -> None:
        counts = self.session.counts()
        current = chosen.label if chosen is not None and chosen.label else self.desk.brush
        shown = (self._labels(), counts, current, self.desk.subject)
        if shown == self._palette_shown:
            return
        self._palette_shown = shown
        self.palette.clear()
        with self.palette:
            for number, label in enumerate(self._labels(), 1):
                button = ui.button(color=None, on_click=lambda _, x=label: self._choose(x))
                button.props(f'unelevated no-caps aria-pressed="{str(label == current).lower()}"')
                button.classes("bk-button bk-chip" + (" bk-current" if label == current else ""))
                with button:
                    if number <= _NUMBERED:
                        key_mark(str(number))
                    ui.element("span").classes("bk-swatch").style(
                        f"background: {label_colour(labels, label)}")
                    ui.label("no gesture" if label == IDLE_LABEL else label)
                    ui.label(str(counts[label])).classes("bk-quiet")
            with _plain_button(self._ask_label):
                key_mark("l")
                ui.label("new label")
            with _plain_button(self._ask_subject):
                key_mark("w")
                ui.label(f"who: {self.desk.subject or 'not said'}")


def _plain_button(handler: Callable[[], Any]) -> ui.button:
    button = ui.button(color=None, on_click=lambda: handler()).props("unelevated no-caps")
    return button.classes("bk-button bk-chip bk-plain")


def _icon(icon: str, text: str, handler: Callable[[], Any], combo: str,
          line: bool = False) -> ui.button:
    button = ui.button(icon=icon, color=None, on_click=lambda: handler())
    button.props(f'unelevated aria-label="{text}"').classes("bk-button bk-icon")
    button.tooltip(f"{text}  ({shown(combo)})")
    key(combo, text, lambda: handler() if button.enabled else None, line=line)
    return button


def _able(button: ui.button, enabled: bool) -> None:
    if button.enabled != enabled:
        button.set_enabled(enabled)


def page(project: Project) -> None:
    """Build the page; the address may name ?recording=NAME and t_ms=MILLISECONDS."""
    if not project.recordings():
        empty_state(
            "show_chart", "Nothing to label yet",
            "Record some gestures first, or copy recordings (.csv) into the folder "
            f"{project.name}/recordings.", action="Go to Record", target="/record",
        )
        return
    query = context.client.request.query_params
    built = LabelPage(project)
    built.build()
    ui.timer(0, lambda: built.start(query.get("recording"), query.get("t_ms")), once=True)
