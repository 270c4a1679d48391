"""The Record page's right side: where samples come from, and what to record."""
from __future__ import annotations

import sys
from pathlib import Path

from nicegui import run, ui

from host_tools.device.ports import candidates
from host_tools.errors import BeckonError
from host_tools.studio.frame.language import later, tr
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.widgets import (
    Area,
    broker_field,
    choice,
    number_field,
    select_field,
    text_field,
    warn,
)
from host_tools.studio.phone.card import phone_card
from host_tools.studio.record.session import RecordSession, RecordView
from host_tools.studio.record.sitting import Sitting
from host_tools.studio.record.sources import SourceChoice

_KINDS = {"board": "USB", "broker": "Wi-Fi", "csv": "CSV", "file": later("File"),
          "phone": later("Phone")}
_HELP = {
    "board": later("A board with Beckon's firmware on a serial port. Its program stops while "
                   "Studio reads, and restarts afterwards."),
    "broker": later("A board with Beckon's firmware, through its MQTT broker. It recognises "
                    "nothing while it streams."),
    "csv": later("Any firmware that prints three or six numbers per sample, one line each."),
    "file": later("A recording, played as if it were live."),
    "phone": later("The motion sensors of a phone, through a page in its browser."),
}
_LONGEST_S = 10.0  # a take that a button ends


class SourcePanel:
    """Where samples come from."""

    def __init__(self, project: Project, recorder: RecordSession, area: Area):
        self._project, self._recorder, self._area = project, recorder, area
        found = candidates()
        self._form = project.form(
            "source", kind="board", port=found[0][0] if len(found) == 1 else "", rate=100,
            accel_g=8, gyro_dps=1000, unit="m/s2", baud=115200, broker="",
            device="", file="", speed=1,
        )

    def build(self, view: RecordView) -> None:
        form = self._form
        opening = view.state == "opening"
        with ui.element("div").classes("bk-card bk-stack"):
            ui.label(tr("Where samples come from")).classes("bk-title")
            choice({kind: tr(name) for kind, name in _KINDS.items()}, form, "kind",
                    lambda: fields.show(form["kind"], build_fields)).classes("bk-sources")
            fields = Area("bk-stack")

            def build_fields() -> None:
                ui.label(tr(_HELP[form["kind"]])).classes("bk-quiet bk-small")
                getattr(self, "_" + form["kind"])()

            fields.show(form["kind"], build_fields)
            if opening:
                self._area.button(tr("Cancel"), "close", self._cancel, "Escape").classes("bk-wide")
            else:
                self._area.button(tr("Connect"), "power", self._open, "Enter", kind="primary",
                                  typing=True).classes("bk-wide")

    def _board(self) -> None:
        self._port()
        with ui.element("div").classes("bk-pair"):
            number_field(tr("Samples per second"), self._form, "rate", 10, 500)
            select_field(tr("Acceleration"), {g: f"±{g} g" for g in (2, 4, 8, 16)}, self._form,
                         "accel_g")
        select_field(tr("Turning"), {d: f"±{d} °/s" for d in (250, 500, 1000, 2000)}, self._form,
                     "gyro_dps")
        if sys.platform != "win32":
            ui.button(tr("No board yet? Practise with a pretend one"), icon="science",
                      on_click=self._practise).props("flat no-caps dense").classes("bk-wide")

    async def _practise(self) -> None:
        """Start a pretend board, whose synthetic hand makes what is asked for, and connect."""
        from host_tools.simulator.pretend.board import practice_port

        note = ui.notification(tr("Starting a pretend board"), spinner=True, timeout=None)
        try:
            self._form["port"] = await run.io_bound(practice_port)
            self._open()
        except BeckonError as error:
            warn(error)
        finally:
            note.dismiss()

    def _port(self) -> None:
        ports = [port for port, _ in candidates()]
        text_field(tr("Serial port"), self._form, "port", autocomplete=ports,
                   placeholder="/dev/ttyUSB0")
        if ports:
            ui.label(tr("found: {ports}", ports=", ".join(
                f"{p} ({what})" for p, what in candidates()))).classes("bk-quiet bk-small bk-break")

    def _csv(self) -> None:
        self._port()
        with ui.element("div").classes("bk-pair"):
            select_field(tr("Acceleration in"), ["m/s2", "g", "mg"], self._form, "unit")
            number_field(tr("Baud"), self._form, "baud", 1200, 3_000_000, 1)

    def _broker(self) -> None:
        broker_field(tr("Broker"), self._form)
        text_field(tr("Device"), self._form, "device", placeholder="beckon-kitchen")

    def _file(self) -> None:
        known = [f"recordings/{f.path.name}" for f in self._project.recordings()]
        text_field(tr("Recording (.csv or .csv.gz)"), self._form, "file", autocomplete=known,
                   placeholder=known[0] if known else tr("a path"))
        select_field(tr("Speed"), {1: tr("as it was"), **{
            n: tr("{n} times", n=n) for n in (2, 5, 20, 60)}}, self._form, "speed")

    def _phone(self) -> None:
        phone_card(self._recorder.phone)

    def _choice(self) -> SourceChoice:
        form = self._form
        path = Path(form["file"].strip()).expanduser()
        try:
            rate, baud = float(form["rate"] or 0), int(form["baud"] or 0)
        except (TypeError, ValueError):
            raise BeckonError(tr("enter numbers for rate and baud, such as 100 and 115200")) \
                from None
        if form["kind"] == "board" and not 10 <= rate <= 500:
            raise BeckonError(tr("{rate:g} samples per second: enter a number from 10 to 500",
                                 rate=rate))
        return SourceChoice(
            form["kind"], form["port"].strip(), rate, form["accel_g"], form["gyro_dps"],
            form["unit"], baud if form["kind"] == "csv" else None, form["broker"].strip(),
            form["device"].strip(), path if path.is_absolute() else self._project.folder / path,
            float(form["speed"]), phone=self._recorder.phone and self._recorder.phone.link,
        )

    def _open(self) -> None:
        try:
            self._recorder.open(self._choice())
        except BeckonError as error:
            warn(error)

    def _cancel(self) -> None:
        self._recorder.cancel()


class SittingPanel:
    """What to record: gestures one after another, or everything that happens."""

    def __init__(self, project: Project, recorder: RecordSession, area: Area):
        self._project, self._recorder, self._area = project, recorder, area
        self._form = project.form(
            "sitting", mode="guided", labels=", ".join(project.gestures()), takes=15, seconds=2.0,
            countdown=3.0, subject="me", free_label="", free_seconds=0, sound=True, button=False,
            row_label="", row_seconds=10.0,
        )

    def build(self) -> None:
        form = self._form
        with ui.element("div").classes("bk-card bk-stack"):
            ui.label(tr("What to record")).classes("bk-title")
            choice({"guided": tr("Guided"), "row": tr("In a row"), "free": tr("Freely")}, form,
                   "mode", lambda: fields.show(form["mode"], build_fields))
            fields = Area("bk-stack")

            def build_fields() -> None:
                {"guided": self._guided, "row": self._row, "free": self._free}[form["mode"]]()

            fields.show(form["mode"], build_fields)
            text_field(tr("Whose hand"), form, "subject", placeholder="ann")
            self._area.button(tr("Start"), "fiber_manual_record", self._start, "space",
                              kind="primary").classes("bk-wide")

    def _guided(self) -> None:
        form = self._form
        text_field(tr("Gestures, with commas"), form, "labels", placeholder="circle, swipe, knock")
        with ui.element("div").classes("bk-pair"):
            number_field(tr("Takes of each"), form, "takes", 1, 1000)
            number_field(tr("Length of a take"), form, "seconds", 0.5, 10, 0.5, "s")
            number_field(tr("Countdown"), form, "countdown", 1, 60, 0.5, "s")
            sound = ui.switch(tr("Beep at GO"), value=form["sound"])
            sound.on_value_change(lambda e: form.__setitem__("sound", e.value))
        button = ui.switch(tr("A button starts and ends each take"), value=form["button"])
        button.on_value_change(lambda e: form.__setitem__("button", e.value))
        button.tooltip(tr("the board's button (setting take_button_pin), or Space; no countdown"))
        ui.label(tr("Hold still, wait for GO, make the gesture once, rest. If a take cannot be "
                    "used, Studio refuses it at once and asks for it again.")).classes(
            "bk-quiet bk-small")

    def _row(self) -> None:
        form = self._form
        text_field(tr("Gesture"), form, "row_label", placeholder="circle")
        number_field(tr("For so long"), form, "row_seconds", 3, 120, 1, "s")
        ui.label(tr("Make one gesture again and again, evenly or with short rests. Studio cuts the "
                    "recording into takes, and you choose which ones to keep.")).classes(
            "bk-quiet bk-small")

    def _free(self) -> None:
        form = self._form
        text_field(tr("Label for the whole recording"), form, "free_label",
                   placeholder=tr("none, or leave empty"))
        number_field(tr("End after (0: when you press S)"), form, "free_seconds", 0, 86400, 10, "s")
        ui.label(tr("Use the label none for movements that are not gestures: walk, cook, type. "
                    "Without a label, label the recording later on the Label page.")).classes(
            "bk-quiet bk-small")

    def _start(self) -> None:
        form = self._form
        try:
            if form["mode"] == "guided":
                labels = tuple(x.strip() for x in form["labels"].split(",") if x.strip())
                sitting = Sitting(self._project.folder, form["subject"].strip(), labels,
                                  int(form["takes"] or 0) or -1,
                                  _LONGEST_S if form["button"] else float(form["seconds"] or 0),
                                  float(form["countdown"] or 0), button=form["button"])
            elif form["mode"] == "row":
                sitting = Sitting(self._project.folder, form["subject"].strip(),
                                  tuple(filter(None, [form["row_label"].strip()])), 0,
                                  float(form["row_seconds"] or 0), row=True)
            else:
                label = form["free_label"].strip()
                sitting = Sitting(self._project.folder, form["subject"].strip(),
                                  (label,) if label else (), 0, float(form["free_seconds"] or 0))
            self._recorder.start(sitting)
        except BeckonError as error:
            warn(error)
