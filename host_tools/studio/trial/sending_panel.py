"""The Try page's card that sends the events to a broker."""
from __future__ import annotations

from typing import Any

from nicegui import run, ui

from host_tools.device.known_broker import exposure, known_broker
from host_tools.errors import BeckonError
from host_tools.hosted.device import HostView
from host_tools.hosted.naming import default_name
from host_tools.studio.frame.language import tr, tr_n
from host_tools.studio.frame.layout import message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.widgets import Area, broker_field, mark, text_field
from host_tools.studio.trial.session import TrialSession


class SendingPanel:
    """source: the Record page's recorder."""

    def __init__(self, project: Project, trial: TrialSession, source: Any):
        self._trial, self._source = trial, source
        self._form = project.form("sending", broker="", device="", home=False, fault="",
                                  opening=False)
        with ui.element("div").classes("bk-card bk-stack"):
            # Outside of the area, which is rebuilt: the keyboard's focus must stay on it
            self._turn = ui.switch(tr("Send events to a broker"), value=self._is_on())
            self._turn.on_value_change(lambda e: self._turned(bool(e.value)))
            self._area = Area("bk-stack")
        self._counts: ui.label | None = None

    def refresh(self) -> None:
        view, form = self._trial.sender.view(), self._form
        self._turn.set_enabled(self._is_on() or self._trial.view().model is not None)
        if not form["opening"]:
            self._turn.set_value(self._is_on())
        self._area.show(
            (view is not None, view.up if view else None, view.fault if view else form["fault"]),
            lambda: self._build(view))
        if view is not None and self._counts is not None:
            self._counts.set_text(_counts(view))

    def _is_on(self) -> bool:
        return self._trial.sender.view() is not None or self._form["opening"]

    async def _turned(self, on: bool) -> None:
        if on != self._is_on() and not self._form["opening"]:
            await self._switch(on)

    def _build(self, view: HostView | None) -> None:
        form = self._form
        self._counts = None
        if view is None:
            if form["fault"]:
                message(form["fault"])
            ui.label(tr("This computer then appears there like a board: in Watch, the dashboard "
                        "and Home Assistant.")).classes("bk-quiet bk-small")
            broker_field(tr("Broker"), form)
            text_field(tr("Device name"), form, "device", placeholder=self._usual_name())
            home = ui.checkbox(tr("Announce it to Home Assistant"), value=form["home"])
            home.on_value_change(lambda e: form.update(home=bool(e.value)))
            return
        with ui.element("div").classes("bk-row").style("gap: .4rem"):
            mark("good" if view.up and not view.fault else "warn")
            ui.label(tr("{name} is online", name=view.name) if view.up else
                     tr("{name} waits for the broker", name=view.name)).classes("bk-break").style(
                "font-weight: 700")
        sender = self._trial.sender
        ui.label(str(sender.broker)).classes("bk-quiet bk-small bk-break")
        if sender.broker and exposure(sender.broker):
            ui.label(tr("Not encrypted: {what}", what=exposure(sender.broker))).classes(
                "bk-warn bk-small bk-break")
        self._counts = ui.label(_counts(view)).classes("bk-small")
        for line in (view.fault, sender.warning):
            if line:
                message(line)

    def _kind(self) -> str:
        """What the samples come from: board, csv, broker, file or phone."""
        choice = self._source.choice
        return choice.kind if choice else "source"

    def _usual_name(self) -> str:
        return default_name("phone" if self._kind() == "phone" else "host")

    async def _switch(self, on: bool) -> None:
        form, sender = self._form, self._trial.sender
        form["fault"] = ""
        if not on:
            unsent = await run.io_bound(sender.stop)
            if unsent:
                form["fault"] = tr_n("{n} event was not sent: the broker was away",
                                     "{n} events were not sent: the broker was away", unsent)
            return
        form["opening"] = True  # until then the switch stays as it is
        try:
            broker = known_broker(form["broker"].strip())
            await run.io_bound(sender.start, broker, form["device"].strip() or self._usual_name(),
                               self._kind(), form["home"])
        except BeckonError as error:
            form["fault"] = str(error)
        finally:
            form["opening"] = False


def _counts(view: HostView) -> str:
    words = [tr_n("{n} event sent", "{n} events sent", view.delivered)]
    if view.queued:
        words.append(tr("{n} waiting", n=view.queued))
    if view.dropped:
        words.append(tr("{n} dropped", n=view.dropped))
    return ", ".join(words)
