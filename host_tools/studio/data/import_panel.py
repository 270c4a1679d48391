"""Drop files, see what they are, answer what they do not say, import."""
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import ui

from host_tools.errors import BeckonError
from host_tools.studio.data.importing import Answers, Look, add, read
from host_tools.studio.frame.drop_area import DropArea
from host_tools.studio.frame.language import said, tr, tr_n
from host_tools.studio.frame.layout import message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.uploads import Uploads
from host_tools.studio.frame.widgets import Area, number_field, text_field, warn
from host_tools.units import ACCEL_UNITS, GYRO_UNITS, TIME_UNITS


class ImportPanel:
    """imported(names) is called when recordings have come."""

    def __init__(self, project: Project, uploads: Uploads,
                 imported: Callable[[list[str]], None]):
        self._project, self._uploads, self._imported = project, uploads, imported
        self._key = ""
        with ui.element("section").classes("bk-card bk-stack") as self._root:
            with ui.element("h2").classes("bk-title"):
                ui.label(tr("Import"))
            DropArea(uploads, tr("Drop recordings here: files, folders or a zip"), self._arrived)
            ui.label(tr("CSV, Edge Impulse, CreateAI, phone loggers, NumPy: Studio looks first and "
                        "shows what the files are.")).classes("bk-quiet bk-small")
            self._area = Area("bk-stack")

    async def _arrived(self, key: str) -> None:
        self._uploads.end(self._key)
        self._key = key
        self._form: dict[str, Any] = {"accel": "", "gyro": "", "time": "", "rate": None,
                                      "label": "", "person": ""}
        await self._look()

    async def _look(self) -> None:
        with self._area.rebuilt(), ui.element("div").classes("bk-row"):
            ui.spinner(size="2rem")
            ui.label(tr("Reading the files"))
        look, fault = None, ""
        try:
            form = self._form
            answers = Answers(form["accel"] or "", form["gyro"] or "", form["time"] or "",
                              float(form["rate"] or 0), form["label"], form["person"])
            look = await asyncio.to_thread(read, self._uploads.folder(self._key), answers)
        except BeckonError as error:
            fault = str(error)
        with self._root, self._area.rebuilt():  # the button that was pressed is gone
            self._build(look, _for_the_page(said(fault)))

    def _build(self, look: Look | None, fault: str) -> None:
        if fault:
            message(fault)
            ui.label(tr("Nothing was imported. Name what the files do not say, then look again."))
        if look is not None:
            with ui.element("div").classes("bk-stack-small"):
                for line in look.lines:
                    ui.label(line).classes("bk-break")
            for notice in look.notices:
                ui.label(_for_the_page(said(notice))).classes("bk-warn bk-small bk-break")
        with ui.expansion(tr("What the files do not say"), value=bool(fault)).classes("bk-wide"):
            self._fields()
        with ui.element("div").classes("bk-row"):
            if look is not None:
                found = look
                self._area.button(
                    tr_n("Import {n} recording", "Import {n} recordings", look.count), "download",
                    lambda: self._add(found), "shift+i", kind="primary", hint=tr("import"))
            self._area.button(tr("Look again"), "search", self._look, None)
            self._area.button(tr("Cancel"), "close", self._cancel, None, kind="plain")

    def _fields(self) -> None:
        own = tr("what the files say")
        with ui.element("div").classes("bk-import-fields"):
            self._unit(tr("Acceleration in"), "accel", [*ACCEL_UNITS], own)
            self._unit(tr("Turn rate in"), "gyro", [*GYRO_UNITS], own)
            self._unit(tr("Times in"), "time", [*TIME_UNITS], own)
            number_field(tr("Samples per second"), self._form, "rate", 4, 2000)
            text_field(tr("Label of everything"), self._form, "label")
            text_field(tr("Person"), self._form, "person")
        ui.label(tr("Raw counts: counts:N, with N counts per g or per degree per second, such as "
                    "counts:16384.")).classes("bk-quiet bk-small")

    def _unit(self, label: str, name: str, units: list[str], own: str) -> None:
        text_field(label, self._form, name, autocomplete=units,
                   placeholder=f"{own} ({', '.join(units)})")

    async def _add(self, look: Look) -> None:
        try:
            names = await asyncio.to_thread(add, self._project, look)
        except BeckonError as error:
            warn(error)
            return
        with self._root:
            self._cancel()
            self._imported(names)

    def _cancel(self) -> None:
        self._uploads.end(self._key)
        with self._area.rebuilt():
            pass


def _for_the_page(text: str) -> str:
    """The library names options of the command; the page has fields for them."""
    for option, field in (("--accel-unit", tr("Acceleration in")),
                          ("--gyro-unit", tr("Turn rate in")), ("--time-unit", tr("Times in")),
                          ("--rate", tr("Samples per second"))):
        text = text.replace(option, f"“{field}”")
    return text
