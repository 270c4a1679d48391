"""Record gestures: all axes live, guided takes, and a verdict on each at once."""
from __future__ import annotations

from nicegui import run, ui

from host_tools.errors import BeckonError
from host_tools.studio.frame.language import tr, tr_n
from host_tools.studio.frame.layout import empty_state, message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.widgets import Area
from host_tools.studio.record.guidance import Guidance, counts_of, review_list, takes_list
from host_tools.studio.record.panels import SittingPanel, SourcePanel
from host_tools.studio.record.session import RecordSession, RecordView
from host_tools.studio.signal.signal_view import SignalView

_REFRESH_S = 0.1


def page(project: Project, recorder: RecordSession) -> None:
    """Build the page's content inside the frame."""
    RecordPage(project, recorder)


class RecordPage:
    """What one tab shows of the project's recorder."""

    def __init__(self, project: Project, recorder: RecordSession):
        self._project = project
        self._recorder = recorder
        self._feed: object = None
        self._number = self._recorder.view().number
        with ui.element("div").classes("bk-split"):
            with ui.element("section"):
                self._empty = Area("bk-stack")
                self._picture = ui.element("div").classes("bk-card bk-stack")
                with self._picture:
                    self._status = ui.element("div").classes("bk-live-status")
                    with self._status:
                        self._title = ui.label().classes("bk-title")
                        self._rate = ui.label().classes("bk-quiet")
                        self._lost = ui.label().classes("bk-quiet")
                    self._signal = SignalView(height="min(46vh, 30rem)", overview=False)
                self._guidance = Guidance(project.form("sitting"))
                self._review = Area("bk-stack")
                self._report = Area("bk-stack")
            with ui.element("aside"):
                self._side = Area("bk-stack")
                self._counts = Area("bk-card bk-stack-small")
                self._takes = Area("bk-stack")
        self._sources = SourcePanel(project, recorder, self._side)
        self._sittings = SittingPanel(project, recorder, self._side)
        self._refresh()
        ui.timer(_REFRESH_S, self._refresh)

    def _refresh(self) -> None:
        view = self._recorder.view()
        self._show_picture(view)
        self._guidance.show(view)
        self._side.show((view.state, view.guided), lambda: self._build_side(view))
        counting = view.state == "recording" and view.guided
        self._counts.box.set_visibility(counting)
        if counting:
            self._counts.show((view.counts, view.label), lambda: counts_of(view))
        self._report.show((view.state, view.fault, view.warning, view.quiet_s > 0, view.number),
                        lambda: self._build_report(view))
        reviewing = view.state == "review"
        self._review.box.set_visibility(reviewing)
        if reviewing:
            self._review.show((view.state, view.number), lambda: review_list(
                view, self._recorder.keep))
            self._show_kept(view)
        self._takes.show(() if reviewing else (view.takes, view.state == "recording"),
                         lambda: None if reviewing else takes_list(view))
        if view.number != self._number:
            self._number = view.number
            try:
                self._project.labels.refresh()
            except BeckonError:
                pass  # the Label page shows what is wrong with the file

    def _show_picture(self, view: RecordView) -> None:
        shown = view.state not in ("off", "opening") and self._recorder.feed is not None
        self._picture.set_visibility(shown)
        self._empty.box.set_visibility(not shown)
        self._empty.show(view.state if not shown else "", lambda: self._build_empty(view))
        if not shown:
            return
        feed = self._recorder.feed
        if feed is not None and feed is not self._feed:
            self._feed = feed
            self._signal.show_live(feed)
        self._title.set_text(view.title)
        if view.state == "ended":
            self._rate.set_text(tr("closed"))
        elif view.quiet_s:
            self._rate.set_text(tr("nothing for {seconds:.0f} s", seconds=view.quiet_s))
        else:
            self._rate.set_text(tr("{rate:.1f} samples per second, {axes} axes",
                                   rate=float(view.measured_hz or view.rate_hz), axes=view.axes))
        if view.state == "recording":
            minutes, seconds = divmod(int(view.seconds), 60)
            lost = tr_n("{n} sample lost", "{n} samples lost", view.lost) if view.lost else \
                tr("nothing lost")
            self._lost.set_text(tr("recording {time}, {lost}", lost=lost,
                                   time=f"{minutes}:{seconds:02d}"))
        else:
            self._lost.set_text("")

    def _build_empty(self, view: RecordView) -> None:
        if view.state == "opening":
            with ui.element("div").classes("bk-empty"):
                ui.spinner(size="4.5rem")
                with ui.element("h1"):
                    ui.label(tr("Opening {source}", source=view.title))
                with ui.element("p"):
                    ui.label(tr("The board stops its program and starts its sensor. This takes "
                                "some seconds."))
            return
        empty_state("usb", tr("Connect a board"),
                    tr("Choose where the samples come from. A board on USB needs Beckon's "
                       "firmware; beckon deploy copies it. No board at hand? Use a "
                       "phone, or play a recording."))

    def _build_side(self, view: RecordView) -> None:
        if view.state in ("off", "opening", "ended"):
            self._sources.build(view)
        elif view.state == "live":
            self._sittings.build()
            self._side.button(tr("Disconnect {source}", source=view.title), "link_off",
                              self._close, "x", kind="plain",
                              hint=tr("disconnect")).classes("bk-wide")
        elif view.state == "review":
            self._build_choosing()
        else:
            self._build_running(view)

    def _build_running(self, view: RecordView) -> None:
        recorder, area = self._recorder, self._side
        with ui.element("div").classes("bk-card bk-stack"):
            ui.label(tr("Recording", about="under way")).classes("bk-title")
            if view.state == "unsaved":
                message(view.fault)
                area.button(tr("Try again"), "refresh", lambda: recorder.try_again(True), "space",
                            kind="primary")
                area.button(tr("Give up"), "close", lambda: recorder.try_again(False), "Escape",
                            kind="danger")
                return
            with ui.element("div").classes("bk-buttons"):
                if view.button:
                    area.button(tr("Start or end the take"), "radio_button_checked",
                                recorder.press, "space", kind="primary")
                elif view.guided:
                    area.button(tr("Pause or resume"), "pause", recorder.pause, "space",
                                kind="primary")
                if view.guided:
                    area.button(tr("Undo last take"), "undo", recorder.take_back, "Backspace")
                area.button(tr("End and cut into takes") if view.row else tr("End and save"),
                            "save", recorder.finish, "s", kind="" if view.guided else "primary")
                area.button(tr("End without saving"), "delete", self._ask_discard, "Escape",
                            kind="danger", hint=tr("discard"))

    def _build_choosing(self) -> None:
        recorder, area = self._recorder, self._side
        with ui.element("div").classes("bk-card bk-stack"):
            ui.label(tr("Which takes are good?")).classes("bk-title")
            ui.label(tr("Drop what is not one whole gesture: the first and the last are often cut "
                        "short.")).classes("bk-quiet bk-small")
            with ui.element("div").classes("bk-buttons"):
                self._keep = area.button("", "check", recorder.finish, "s", kind="primary",
                                         hint=tr("keep the takes"))
                area.button(tr("Drop all"), "delete", self._ask_discard, "Escape", kind="danger")
        for number in range(1, 10):
            area.key(str(number), tr("keep or drop a take") if number == 1 else "",
                     lambda n=number: self._turn(n - 1), group="1 … 9")

    def _turn(self, number: int) -> None:
        """Keep a take that is dropped, and the other way round."""
        takes = self._recorder.view().takes
        if number < len(takes):
            self._recorder.keep(number, not takes[number].good)
            self._review.show(None, lambda: review_list(self._recorder.view(), self._recorder.keep))

    def _show_kept(self, view: RecordView) -> None:
        kept = sum(take.good for take in view.takes)
        self._keep.set_text(tr_n("Keep {n} take", "Keep {n} takes", kept))

    def _ask_discard(self) -> None:
        with ui.dialog() as dialog, ui.card():
            ui.label(tr("Discard this recording?")).classes("bk-title")
            with ui.element("div").classes("bk-row"):
                ui.button(tr("Discard"), color=None, on_click=lambda: dialog.submit(True)).props(
                    "unelevated no-caps autofocus").classes("bk-button bk-danger")
                ui.button(tr("Continue"), color=None, on_click=lambda: dialog.submit(False)).props(
                    "unelevated no-caps").classes("bk-button")

        async def answer() -> None:
            if await dialog:
                self._recorder.discard()
            dialog.delete()

        ui.timer(0, answer, once=True)

    async def _close(self) -> None:
        await run.io_bound(self._recorder.close)

    def _build_report(self, view: RecordView) -> None:
        if view.fault and view.state != "unsaved":
            message(view.fault)
        if view.state == "ended" and not view.fault:
            ui.label(tr("The recording has been played to its end.")).classes("bk-quiet")
        if view.warning:
            ui.label(view.warning).classes("bk-warn")
        if view.quiet_s and view.state in ("live", "recording"):
            ui.label(tr("No samples arrive. Is the board still plugged in?")).classes(
                "bk-warn")
        done = view.done
        if done is None or view.state in ("recording", "review"):
            return
        with ui.element("div").classes("bk-card bk-stack"):
            if done.fault:
                message(done.fault)
            if not done.paths:
                ui.label(tr("Nothing was saved.")).classes("bk-title")
                return
            saved = tr_n("{n} recording, {seconds:.0f} s", "{n} recordings, {seconds:.0f} s",
                         len(done.paths), seconds=done.seconds)
            if view.takes:
                good = tr_n("{n} good take", "{n} good takes", done.takes)
                saved = tr("{takes}, {refused} refused: {recordings}", takes=good,
                           refused=done.refused, recordings=saved)
            ui.label(tr("Saved {what}", what=saved)).classes("bk-title")
            names = ", ".join(path.name for path in done.paths[:6])
            more = ", ..." if len(done.paths) > 6 else ""
            ui.label(f"recordings/{names}{more}").classes("bk-quiet bk-break")
            with ui.element("div").classes("bk-row"):
                self._report.button(tr("Look at the labels"), "sell",
                                    lambda: ui.navigate.to("/label"), "l")
