"""The Explore page's right side: labels that are probably wrong, and what looks wrong."""
from __future__ import annotations

import re
from collections.abc import Callable

from nicegui import ui

from host_tools.dataset.checks import Finding
from host_tools.errors import BeckonError
from host_tools.experiments.label_errors import Suspect
from host_tools.studio.explore.job import Look
from host_tools.studio.explore.session import DELETE, KEEP, RELABEL, ExploreSession
from host_tools.studio.frame.language import said, tr, tr_n
from host_tools.studio.frame.layout import message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.shortcuts import key
from host_tools.studio.frame.widgets import Area, mark, warn

_ROWS = 25
_FILE_AND_LINE = re.compile(r"^.*?(?:recordings[/\\][^:]+?\.csv(?:\.gz)?|labels\.csv:\d+)(?=[: ])")


class SuspectsPanel:
    """What a search found, surest first, and the keys that mend it."""

    def __init__(self, explorer: ExploreSession, go: Callable[[str, float], None],
                 changed: Callable[[], None]):
        self._explorer, self._go, self._changed = explorer, go, changed
        self._at = 0
        with ui.element("div").classes("bk-card bk-stack"):
            self._head = Area("bk-stack")
            self._list = Area("bk-suspects")
        key("n", tr("next, previous suspect"), lambda: self._step(1), group="suspect")
        key("p", "", lambda: self._step(-1), group="suspect")
        key("mod+z", tr("undo"), self._undo)

    def refresh(self) -> None:
        explorer = self._explorer
        s = explorer.searching
        suspects = explorer.suspects()
        self._at = min(self._at, max(0, len(suspects) - 1))
        now = suspects[self._at] if suspects else None
        rebuilt = self._head.show(
            (s.state, s.fault, explorer.searched, explorer.outdated, len(suspects), now),
            lambda: self._build(suspects, now))
        if s.state == "running" and (rebuilt or s.of):
            share = s.done / s.of if s.of else 0.0
            self._bar.style(f"width: {100 * share:.0f}%")
        self._list.show((tuple(suspects[:_ROWS]), self._at), lambda: self._build_list(suspects))

    def _build(self, suspects: list[Suspect], now: Suspect | None) -> None:
        explorer, area = self._explorer, self._head
        state = explorer.searching.state
        ui.label(tr("Labels that are probably wrong")).classes("bk-title")
        if explorer.searching.fault:
            message(explorer.searching.fault)
        if state == "running":
            ui.label(tr("Every take is judged by networks that did not learn from it.")).classes(
                "bk-quiet bk-small")
            with ui.element("div").classes("bk-bar"):
                self._bar = ui.element("div")
            area.button(tr("Stop"), "stop", explorer.stop, "Escape").classes("bk-wide")
            return
        if not explorer.searched:
            ui.label(tr("Several networks are trained, each without a part of the takes, and say "
                        "what the others look like. A minute for some hundred takes.")).classes(
                "bk-quiet bk-small")
            area.button(tr("Search"), "manage_search", self._search, "f", kind="primary",
                        hint=tr("find wrong labels")).classes("bk-wide")
            return
        if now is None:
            with ui.element("div").classes("bk-row"):
                mark("good")
                ui.label(tr("No label looks wrong any longer."))
        else:
            with ui.element("div").props('aria-live="polite"'):
                with ui.element("div").classes("bk-row").style("gap: .5rem"):
                    ui.label(now.label).classes("bk-title")
                    ui.icon("arrow_forward")
                    ui.label(now.suggested).classes("bk-title")
                ui.label(tr("looks like {name}: {share:.0f} % against {own:.0f} %",
                            name=now.suggested, share=now.share, own=now.own_share)).classes(
                    "bk-quiet")
            area.button(tr("It is {name}", name=now.suggested), "check",
                        lambda: self._mend(now, RELABEL), "Enter", kind="primary",
                        hint=tr("relabel")).classes("bk-wide")
            with ui.element("div").classes("bk-pair"):
                area.button(tr("Keep"), "thumb_up", lambda: self._mend(now, KEEP), "k")
                area.button(tr("Delete"), "delete", lambda: self._mend(now, DELETE), "Delete",
                            kind="danger")
        if explorer.outdated:
            ui.label(tr("Labels or recordings have changed since the search.")).classes(
                "bk-quiet bk-small")
        area.button(tr("Search again"), "refresh", self._search, "f", kind="plain")

    def _build_list(self, suspects: list[Suspect]) -> None:
        for number, s in enumerate(suspects[:_ROWS]):
            button = ui.button(color=None, on_click=lambda _, n=number: self._pick(n))
            button.props("unelevated no-caps align=left").classes(
                "bk-suspect" + (" bk-current" if number == self._at else ""))
            if number == self._at:
                button.props('aria-current="true"')
            with button:
                ui.label(f"{s.label} → {s.suggested}").classes("bk-cut")
                ui.label(f"{s.share:.0f} %").classes("bk-quiet")
        left = len(suspects) - _ROWS
        if left > 0:
            ui.label(tr_n("and {n} more, less sure", "and {n} more, less sure", left)).classes(
                "bk-quiet bk-small")

    # doing

    def choose(self, recording: str, start_ms: float) -> None:
        """Another part of the page has selected this take."""
        for number, s in enumerate(self._explorer.suspects()):
            if s.recording == recording and abs(s.start_ms - start_ms) < 2:
                self._at = number

    def _pick(self, number: int) -> None:
        suspects = self._explorer.suspects()
        if suspects:
            self._at = max(0, min(number, len(suspects) - 1))
            chosen = suspects[self._at]
            self._go(chosen.recording, chosen.start_ms)

    def _step(self, by: int) -> None:
        self._pick(self._at + by)

    def _search(self) -> None:
        self._at = 0
        try:
            self._explorer.search()
        except BeckonError as error:
            warn(error)

    def _mend(self, suspect: Suspect, how: str) -> None:
        try:
            self._explorer.mend(suspect, how)
        except BeckonError as error:
            warn(error)
            return
        self._pick(self._at)  # the next one has moved up
        self._changed()

    def _undo(self) -> None:
        try:
            recording = self._explorer.undo()
        except BeckonError as error:
            warn(error)
            return
        if recording is None:
            ui.notify(tr("nothing to undo"), position="top")
        self._changed()


class FindingsPanel:
    """What `beckon data check` says, each with the place where it is mended."""

    def __init__(self, project: Project, open_place: Callable[[str, float], None]):
        self._project, self._open = project, open_place
        self._area = Area("bk-card bk-stack-small")

    def refresh(self, look: Look | None) -> None:
        found = look.findings if look else ()
        notices = look.notices if look else ()
        self._area.box.set_visibility(look is not None)
        self._area.show((found, notices), lambda: self._build(found, notices))

    def _build(self, found: tuple[Finding, ...], notices: tuple[str, ...]) -> None:
        ui.label(tr("What looks wrong in the data")).classes("bk-title")
        if not found and not notices:
            with ui.element("div").classes("bk-row"):
                mark("good")
                ui.label(tr("Nothing: units, range, rate, takes and people look right."))
        for finding in found:
            with ui.element("div").classes("bk-finding"):
                mark("warn")
                with ui.element("div").classes("bk-stack-small"):
                    ui.label(words_of(finding)).classes("bk-break")
                    with ui.element("div").classes("bk-row").style("gap: .5rem"):
                        for text, act in self._cures(finding):
                            ui.button(text, color=None, on_click=act).props(
                                "unelevated no-caps dense").classes("bk-cure")
        for notice in notices:
            with ui.element("div").classes("bk-finding"):
                mark("plain")
                ui.label(_sentence(_FILE_AND_LINE.sub("", said(notice)))).classes(
                    "bk-break bk-quiet")

    def _cures(self, f: Finding) -> list[tuple[str, Callable[[], None]]]:
        """Where it is mended: a button's words and what it does."""
        def record() -> None:
            ui.navigate.to("/record")

        out: list[tuple[str, Callable[[], None]]] = []
        if f.about == "people":
            out.append((tr("Set who moved"), self._to_takes) if f.recording else
                       (tr("Record another person"), record))
        elif f.about == "classes":
            out.append((tr("Record more"), record))
        elif f.about == "range":
            out.append((tr("Record with a wider range"), record))
        elif f.about == "units":
            out.append((tr("Import again"), lambda: ui.navigate.to("/data")))
        if f.recording:
            out.append((tr("Look at it"), lambda: self._open(f.recording, (f.t_ms or 0) + 500)))
        return out

    def _to_takes(self) -> None:
        self._project.form("data")["shown"] = "takes"
        ui.navigate.to("/data")


def words_of(finding: Finding) -> str:
    """The finding without the file's path: the button leads there."""
    text = _FILE_AND_LINE.sub(lambda _: finding.recording or "", said(finding.text))
    return text.lstrip(": ") if finding.recording else _sentence(text)  # a name stays as it is


def _sentence(text: str) -> str:
    text = text.lstrip(": ")
    return text[:1].upper() + text[1:]
