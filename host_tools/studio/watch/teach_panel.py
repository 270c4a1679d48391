"""The Watch page's card that teaches a board a gesture."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nicegui import run, ui

from host_tools.device.known_broker import known_broker
from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.learning import TAKES, TAKES_LEAST, TAKES_MOST
from host_tools.mqtt.learning_words import Progress, doing
from host_tools.studio.frame.language import said, tr, tr_n
from host_tools.studio.frame.layout import message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.widgets import Area, mark, number_field, text_field, warn
from host_tools.studio.watch.session import WatchSession
from host_tools.studio.watch.teach import Teacher, known_gestures, under_way


class TeachPanel:
    """A board learns a gesture, takes it back, or hands it over."""

    def __init__(self, project: Project, watcher: WatchSession, teacher: Teacher):
        self._project, self._watcher, self._teacher = project, watcher, teacher
        self._watch_form = project.form("watch")
        self._form = project.form("teach", device="", label="", takes=TAKES)
        self._asking = False  # whether it shall really be taken back
        self._follow = False  # whether the card shall come into view
        self._names: tuple[str, ...] = ()  # of boards that report
        self._shown: object = None  # what the fields offer
        self._device: ui.input | None = None
        self._area = Area("bk-card bk-stack")

    def refresh(self) -> None:
        view = self._teacher.view
        running = view.state == "running"
        devices = self._watcher.devices()
        other = None if running else under_way(devices)
        self._prefill(tuple(devices))
        if running or other:
            self._asking = False
            shape: tuple[object, ...] = (view.doing, view.device, view.stopping, view.progress,
                                         other)
        else:
            shape = (self._asking, replace(view, share=None))
        changed = self._area.show((running, shape), self._build)
        if self._follow and changed:
            self._look_here()
            self._follow = running and view.progress is None  # the card grows with the first one
        if running and view.doing == "bring":
            self._fill.style(f"width: {100 * (view.share or 0):.0f}%")
        elif not (running or other or self._asking):
            self._suggest()

    def _prefill(self, names: tuple[str, ...]) -> None:
        """The only board is the one that is meant, until somebody names another."""
        if names != self._names:
            self._names = names
            if len(names) == 1 and not self._form["device"]:
                self._form["device"] = names[0]
                self._shown = None
                if self._device is not None and not self._device.is_deleted:
                    self._device.set_value(names[0])

    def _suggest(self) -> None:
        """What the fields offer; without building them again under somebody's hands."""
        known = known_gestures(self._watcher.devices(), self._form["device"].strip())
        shown = (self._names, tuple(known))
        if shown == self._shown:
            return
        self._shown = shown
        assert self._device is not None
        self._device.set_autocomplete(list(self._names))
        self._label.set_autocomplete(known)
        self._knows.set_text(tr("It knows {names}. Any other name is a new gesture.",
                                names=", ".join(known)))
        self._knows.set_visibility(bool(known))

    def _build(self) -> None:
        ui.label(tr("Teach the board")).classes("bk-title")
        view = self._teacher.view
        other = under_way(self._watcher.devices())
        if view.state == "running" and view.doing == "learn":
            self._build_progress(view.device, view.progress, view.stopping, self._teacher.stop)
        elif view.state == "running":
            ui.label(tr("{device} goes back to its model from before ...", device=view.device)
                     if view.doing == "undo" else
                     tr("Bringing what {device} has learned ...", device=view.device)
                     ).classes("bk-break").props("role=status")
            if view.doing == "bring":
                with ui.element("div").classes("bk-bar"):
                    self._fill = ui.element("div")
        elif other:
            self._build_progress(*other, False, self._stop_other)
        elif self._asking:
            self._build_question()
        else:
            self._build_form()

    def _build_form(self) -> None:
        form = self._form
        self._shown = None
        ui.label(tr("The board learns a gesture from a few repetitions, without training on this "
                    "computer. It needs the broker and the update_key of beckon setup.")).classes(
            "bk-quiet bk-small")
        self._build_result()
        self._device = text_field(tr("Board"), form, "device", placeholder="beckon-kitchen",
                                  autocomplete=[])
        with ui.element("div").classes("bk-teach-what"):
            self._label = text_field(tr("Gesture"), form, "label",
                                     placeholder="wave", autocomplete=[])
            number_field(tr("Repetitions"), form, "takes", TAKES_LEAST, TAKES_MOST)
        self._knows = ui.label().classes("bk-quiet bk-small bk-break")
        self._area.button(tr("Start learning"), "school", self._learn, "t",
                          kind="primary").classes("bk-wide")
        ui.label(tr("What it learned last:")).classes("bk-quiet bk-small")
        with ui.element("div").classes("bk-row"):
            self._area.button(tr("Take it back"), "undo", self._ask, "u", kind="plain",
                              hint=tr("take back the gesture"))
            self._area.button(tr("Bring it to this computer"), "download", self._bring, "c",
                              kind="plain", hint=tr("bring the gesture here"))

    def _build_result(self) -> None:
        view = self._teacher.view
        if view.state == "failed":
            message(view.message)
            self._build_unusable(view.progress)
            return
        if view.state == "stopped":
            _result("plain", tr("Stopped: {device} has learned nothing.", device=view.device))
            return
        if view.state != "done":
            return
        if view.doing == "learn":
            good, takes = (view.progress.good, view.progress.takes) if view.progress else (0, 0)
            _result("good", tr("{label} is in use on {device}, learned from {good} of {takes} "
                               "repetitions, model {model}. Try it now.", label=view.label,
                               device=view.device, good=good, takes=takes, model=view.model))
            self._build_unusable(view.progress)
        elif view.doing == "undo":
            _result("good", tr("{device} is back on model {model}", device=view.device,
                               model=view.model))
        elif view.kept:
            kept = view.kept
            n = len(kept.recordings)
            _result("good", tr_n("Now in this project: models/{file} and {n} new recording.",
                                 "Now in this project: models/{file} and {n} new recordings.", n,
                                 file=kept.path.name))
            if not kept.gestures:
                ui.label(tr("{device} has learned no gesture since that model was deployed",
                            device=view.device)).classes("bk-small bk-break")
            for label in kept.unkept:
                ui.label(tr("No recording of {label}: the board's flash had no room for its "
                            "samples.", label=label)).classes("bk-warn bk-small bk-break")

    def _build_question(self) -> None:
        ui.label(tr("{device} forgets the gesture that it learned last, and its repetitions. Bring "
                    "them to this computer first if you want to keep them.",
                    device=self._form["device"].strip())).classes("bk-break")
        with ui.element("div").classes("bk-row"):
            self._area.button(tr("Yes, take it back"), "undo", self._undo, "u", kind="primary")
            self._area.button(tr("Keep it"), None, self._do_not, "Escape", kind="plain")

    def _build_progress(self, device: str, progress: Progress | None, stopping: bool,
                        stop: Callable[[], Any]) -> None:
        with ui.element("div").classes("bk-stack-small").props("role=status aria-live=polite"):
            if progress is None:
                ui.label(tr("Asking {device} ...", device=device)).classes("bk-break")
            else:
                recording = progress.phase == "repetitions"
                ui.label(tr("{device} learns {label}", device=device,
                            label=progress.label)).classes("bk-quiet bk-break")
                if progress.takes:
                    ui.label(tr("{good} of {takes}", good=progress.good,
                                takes=progress.takes)).classes("bk-big")
                    with ui.element("div").classes("bk-bar"):
                        ui.element("div").style(
                            f"width: {100 * progress.good / progress.takes:.0f}%")
                ui.label(_sentence(said(doing(progress)))).classes("bk-break").style(
                    "font-weight: 600")
                if recording:
                    ui.label(tr("If your hand has to go back, rest first and go back "
                                "slowly.")).classes("bk-quiet bk-small")
                self._build_unusable(progress)
        if stopping:
            ui.label(tr("Stopping ...")).classes("bk-quiet")
        elif progress is None or progress.phase in ("repetitions", "computing"):
            self._area.button(tr("Stop"), "stop", stop, "e",
                              hint=tr("stop learning")).classes("bk-wide")

    def _build_unusable(self, progress: Progress | None) -> None:
        for line in progress.unusable if progress else ():
            with ui.element("div").classes("bk-row").style("flex-wrap: nowrap"):
                mark("warn")
                ui.label(_sentence(said(line))).classes("bk-small bk-break")

    def _broker(self) -> BrokerAddress | None:
        """The one that is watched, or that the page names; None for that of the settings."""
        address = self._watch_form["broker"].strip()
        if self._watcher.running and self._watcher.broker:
            return self._watcher.broker
        return known_broker(address) if address else None

    def _learn(self) -> None:
        form = self._form
        try:
            self._teacher.learn(self._broker(), form["device"].strip(), form["label"].strip(),
                                int(form["takes"] or 0))
        except BeckonError as error:
            warn(error)
        self._follow = True
        self.refresh()

    def _ask(self) -> None:
        if not self._form["device"].strip():
            warn(BeckonError("enter the device's name, such as beckon-kitchen"))
            return
        self._asking = self._follow = True
        self.refresh()

    def _look_here(self) -> None:
        """The card is below others; a key may have been pressed without a look at it."""
        ui.run_javascript(
            f"document.getElementById('c{self._area.box.id}').scrollIntoView({{block: 'nearest'}})")

    def _do_not(self) -> None:
        self._asking = False
        self.refresh()

    def _undo(self) -> None:
        self._asking = False
        try:
            self._teacher.undo(self._broker(), self._form["device"].strip())
        except BeckonError as error:
            warn(error)
        self.refresh()

    def _bring(self) -> None:
        try:
            self._teacher.bring(self._broker(), self._form["device"].strip(), self._project)
        except BeckonError as error:
            warn(error)
        self.refresh()

    async def _stop_other(self) -> None:
        other = under_way(self._watcher.devices())
        if other is None:
            return
        try:
            await run.io_bound(self._teacher.stop_other, self._broker(), other[0])
        except BeckonError as error:
            warn(error)


def _result(kind: str, text: str) -> None:
    with ui.element("div").classes("bk-row").style("flex-wrap: nowrap").props("role=status"):
        mark(kind)
        ui.label(text).classes("bk-break bk-small")


def _sentence(text: str) -> str:
    """With a capital, as it stands alone here."""
    return text[:1].upper() + text[1:]
