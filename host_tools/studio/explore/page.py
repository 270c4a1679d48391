"""All takes at once: a map, thumbnails, labels that are probably wrong, what looks wrong."""
from __future__ import annotations

from collections import Counter
from urllib.parse import quote

from nicegui import context, ui

from host_tools.errors import BeckonError
from host_tools.studio.explore.groups import RIGHT, Groups, grouped
from host_tools.studio.explore.job import Look, Place
from host_tools.studio.explore.panels import FindingsPanel, SuspectsPanel
from host_tools.studio.explore.session import ExploreSession
from host_tools.studio.explore.takes_view import TakesView
from host_tools.studio.frame.language import number, said, tr, tr_n
from host_tools.studio.frame.layout import empty_state, message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.shortcuts import hint, key
from host_tools.studio.frame.theme import label_colour
from host_tools.studio.frame.widgets import Area, choice, select_field, swatch
from host_tools.studio.signal.signal_view import SignalView, SpanMark

_REFRESH_S = 0.2
_STALE_S = 2.0
_AROUND_MS = 800.0
_LEGEND = 14  # entries


def page(project: Project, explorer: ExploreSession) -> None:
    """Build the page's content inside the frame. Raises BeckonError for a broken labels.csv."""
    project.labels.refresh()
    if not project.labels.recordings():
        empty_state("scatter_plot", tr("No takes to look at yet"),
                    tr("Record some gestures, or label recordings that you have. Then you see all "
                       "takes here at once, and which labels are probably wrong."),
                    action=tr("Go to Record"), target="/record")
        return
    if explorer.found is None or explorer.stale():
        explorer.look()
    ExplorePage(project, explorer)


class ExplorePage:
    """What one tab shows of the project's takes."""

    def __init__(self, project: Project, explorer: ExploreSession):
        self._project, self._explorer = project, explorer
        self._form = project.form("explore", mode="map", colour="label")
        self._look: Look | None = None
        self._index: dict[tuple[str, int], int] = {}  # recording and ms -> place
        self._called: list[str] = []
        self._selected = self._lit = -1
        self._groups = Groups((), (), ())
        self._colours_of: object = None
        self._opened = ""
        with ui.element("div").classes("bk-split bk-explore") as self._root:
            with ui.element("section"):
                self._top = Area("bk-row bk-between")
                self._fault = Area("bk-stack")
                with ui.element("div").classes("bk-card bk-stack bk-takes-card"):
                    self._view = TakesView(tr("All takes. Arrow keys go from take to take, Enter "
                                              "opens the take on the Label page."))
                    self._view.on_select(self._select)
                    self._view.on_open(self._open_label)
                    self._legend = Area("bk-row bk-legend")
                    self._note = ui.label().classes("bk-quiet bk-small")
            with ui.element("aside"):
                with ui.element("div").classes("bk-card bk-stack-small bk-chosen-take"):
                    self._chosen = Area("bk-stack-small")
                    with ui.element("div") as self._picture:  # hidden, an element hears nothing
                        self._signal = SignalView(height="11rem", overview=False)
                self._suspects = SuspectsPanel(explorer, self._go, self._changed)
                self._findings = FindingsPanel(project, self._open)
        self._build_top()
        self._view.set_mode(self._form["mode"])
        key("l", tr("open on the Label page"), lambda: self._open_label(self._selected))
        hint(["ArrowLeft", "ArrowRight"], tr("the next take"), line=False)
        stop = project.labels.listen(lambda _: None)
        context.client.on_delete(stop)
        self._refresh()
        ui.timer(_REFRESH_S, self._refresh)
        ui.timer(_STALE_S, self._look_again)

    def _build_top(self) -> None:
        with self._top.rebuilt():
            with ui.element("div").style("min-width: 15rem"):
                choice({"map": tr("Map"), "grid": tr("Thumbnails")}, self._form, "mode",
                       lambda: self._view.set_mode(self._form["mode"]))
            with ui.element("div").style("width: 15rem"):
                select_field(tr("Colours show"), {
                    "label": tr("Label"), "person": tr("Person"), "recording": tr("Recording"),
                    RIGHT: tr("Right or wrong")}, self._form, "colour", self._recolour)

    def _recolour(self) -> None:
        self._lit = -1
        self._view.highlight(-1)
        self._colours_of = None

    # refreshing

    def _refresh(self) -> None:
        explorer = self._explorer
        explorer.poll()
        self._fault.show((explorer.fault, explorer.looking and explorer.found is None),
                         self._build_fault)
        look = explorer.found
        if look is not None and look is not self._look:
            self._take(look)
        self._suspects.refresh()
        self._findings.refresh(look)
        labels = self._project.labels.version
        state = (labels, explorer.version, id(look), self._form["colour"])
        if look is not None and state != self._colours_of:
            self._colours_of = state
            self._paint(look)
            self._show_chosen()

    def _look_again(self) -> None:
        """After changes. It looks at every file's date, so not with each refresh."""
        if not self._explorer.looking and self._explorer.stale(at_once=False):
            self._explorer.look()

    def _build_fault(self) -> None:
        if self._explorer.fault:
            message(self._explorer.fault)
        elif self._explorer.found is None:
            with ui.element("div").classes("bk-row"):
                ui.spinner(size="2rem")
                ui.label(tr("Reading all takes")).classes("bk-quiet")

    def _take(self, look: Look) -> None:
        """Show other takes; what was selected stays so if it is still there."""
        chosen = self._place()
        self._look = look
        self._index = {(p.recording, round(p.start_ms)): i for i, p in enumerate(look.places)}
        self._selected = -1
        if chosen:
            self._selected = self._find(chosen.recording, chosen.start_ms)
        self._view.show(look)
        if look.model:
            words = tr("Takes that {model} sees alike lie beside each other: two principal "
                       "components of its last hidden layer, {share:.0f} % of the variance.",
                       model=look.model, share=100 * look.shown)
        else:
            words = tr("Takes that move alike lie beside each other: two principal components of "
                       "the signal, {share:.0f} % of the variance. With a model in models/ the map "
                       "shows what it sees.", share=100 * look.shown)
        if look.fault:
            words += " " + said(look.fault)
        self._note.set_text(words)

    def _find(self, recording: str, start_ms: float) -> int:
        at = round(start_ms)
        return next((self._index[recording, t] for t in (at, at - 1, at + 1)
                     if (recording, t) in self._index), -1)

    def _paint(self, look: Look) -> None:
        """The colours, crosses and rings of all takes as the labels are now."""
        explorer, labels = self._explorer, self._project.labels
        now: dict[tuple[str, float], tuple[str, str]] = {}
        for name in labels.recordings():
            for item in labels.spans(name):
                now[name, item.start_ms] = item.label, item.subject
        current = [now.get((p.recording, p.start_ms)) for p in look.places]
        held = explorer.held_out()
        suspects = explorer.suspects()
        rings = {self._find(s.recording, s.start_ms) for s in suspects}
        called = [held.get((p.recording, p.start_ms), p.found) for p in look.places]
        self._called = called
        wrong = [bool(c and said and said != c[0]) for c, said in zip(current, called, strict=True)]
        self._groups = grouped(self._form["colour"], look.places, current, called, labels.labels)
        order = sorted(range(len(look.places)), key=lambda i: (
            current[i] is None, i not in rings, (current[i] or ("", ""))[0], i))
        shown = [i for i in order if current[i] is not None]
        self._view.colour(self._groups, wrong,
                          [i in rings for i in range(len(current))],
                          [c is None for c in current], shown)
        self._current = current
        self._legend.show((self._groups.names, tuple(Counter(self._groups.of).items()), self._lit,
                           sum(wrong)), lambda: self._build_legend(sum(wrong), bool(held)))

    def _build_legend(self, wrong: int, held: bool) -> None:
        counts = Counter(g for g, c in zip(self._groups.of, self._current, strict=True) if c)
        shown = [g for g in range(len(self._groups.names)) if counts[g]][:_LEGEND]
        for g in shown:
            button = ui.button(color=None, on_click=lambda _, g=g: self._light(g))
            button.props(f'unelevated no-caps aria-pressed="{str(g == self._lit).lower()}"')
            button.classes("bk-button bk-chip" + (" bk-current" if g == self._lit else ""))
            with button:
                shape = f"bk-shape-{self._groups.shapes[g] % 4}"
                ui.element("span").classes(f"bk-swatch {shape}").style(
                    f"background: {self._groups.colours[g]}")
                ui.label(self._groups.names[g])
                ui.label(f"{counts[g]}").classes("bk-quiet")
        left = sum(1 for g in range(len(self._groups.names)) if counts[g]) - len(shown)
        if left > 0:
            ui.label(tr_n("and {n} more", "and {n} more", left)).classes("bk-quiet")
        if wrong:
            words = (tr_n("✕ {n} take called something else by networks that did not learn from it",
                          "✕ {n} takes called something else by networks that did not learn from "
                          "them", wrong) if held else
                     tr_n("✕ {n} take called something else by the model",
                          "✕ {n} takes called something else by the model", wrong))
            ui.label(words).classes("bk-quiet bk-small")

    def _light(self, group: int) -> None:
        self._lit = -1 if group == self._lit else group
        self._view.highlight(self._lit)
        self._colours_of = None

    # the chosen take

    def _place(self) -> Place | None:
        look = self._look
        return look.places[self._selected] if look and 0 <= self._selected < len(
            look.places) else None

    def _select(self, index: int) -> None:
        self._selected = index
        self._show_chosen()
        place = self._place()
        if place:
            self._suspects.choose(place.recording, place.start_ms)

    def _go(self, recording: str, start_ms: float) -> None:
        """Select a take from outside the map."""
        self._selected = self._find(recording, start_ms)
        self._view.select(self._selected)
        self._show_chosen()

    def _show_chosen(self) -> None:
        place = self._place()
        item = self._explorer.item(place.recording, place.start_ms) if place else None
        said = self._called[self._selected] if place and self._called else ""
        self._chosen.show((place, item, said), lambda: self._build_chosen(place, said))
        self._picture.set_visibility(place is not None)
        if place is None:
            return
        labels = self._project.labels
        if place.recording != self._opened:
            self._opened = place.recording
            self._signal.show_recording(place.recording)
        marks = [SpanMark(i.id, i.start_ms, i.end_ms, i.label, label_colour(labels.labels, i.label))
                 for i in labels.spans(place.recording)]
        self._signal.set_spans(marks, item.id if item else None)
        self._signal.look_at(place.start_ms - _AROUND_MS, place.end_ms + _AROUND_MS)

    def _build_chosen(self, place: Place | None, said: str) -> None:
        if place is None:
            ui.label(tr("Click a take, or press Tab and the arrow keys.")).classes("bk-quiet")
            return
        labels = self._project.labels
        item = self._explorer.item(place.recording, place.start_ms)
        with ui.element("div").classes("bk-between").props('aria-live="polite"'):
            with ui.element("div").classes("bk-row").style("gap: .5rem; min-width: 0"):
                colour = label_colour(labels.labels, item.label) if item else "var(--line)"
                swatch(colour)
                ui.label(item.label if item else tr("deleted")).classes("bk-title bk-break")
            self._chosen.button(tr("Open in Label"), "sell",
                                lambda: self._open_label(self._selected), kind="plain")
        who = f", {item.subject}" if item and item.subject else ""
        ui.label(f"{place.recording}{who}, {number(place.start_ms / 1000, '.2f')} s").classes(
            "bk-quiet bk-small bk-break")
        if said:
            words = (tr("looks like {name}", name=said) if item and said != item.label
                     else tr("looks like it"))
            ui.label(words).classes("bk-small")

    def _open_label(self, index: int) -> None:
        look = self._look
        if look and 0 <= index < len(look.places):
            place = look.places[index]
            self._open(place.recording, place.start_ms + 1000)

    def _open(self, recording: str, t_ms: float) -> None:
        """The place on the Label page."""
        ui.navigate.to(f"/label?recording={quote(recording)}&t_ms={t_ms:.0f}")

    def _changed(self) -> None:
        """A label was mended or an action was undone."""
        try:
            self._refresh()
        except BeckonError as error:
            with self._root:
                message(str(error))
