"""Choose a project: open, make, try the sample, share as a file, open a shared one."""
from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse, Response
from nicegui import ui
from starlette.background import BackgroundTask

from host_tools.errors import BeckonError
from host_tools.studio.frame.drop_area import DropArea
from host_tools.studio.frame.language import later, said, tr, tr_n
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.shortcuts import key_button
from host_tools.studio.frame.uploads import Uploads
from host_tools.studio.frame.widgets import Area, text_field, warn
from host_tools.studio.start.projects import About, KnownProjects, look_into
from host_tools.studio.start.sharing import pack, unpack

_NEXT = {
    "record": later("Next: record your first gestures"),
    "label": later("Next: label the recordings"),
    "train": later("Next: train a model"),
    "watch": later("Next: put the model on a board and watch"),
}
_HINTS = (
    ("fiber_manual_record", later("Record"),
     later("Connect a board and make each gesture some 15 times. No board? Import files, or take "
           "the sample.")),
    ("sell", later("Label"),
     later("Guided takes come with labels. For all else, Studio proposes where you moved.")),
    ("model_training", later("Train"),
     later("A minute later you see what the model finds in recordings that it has not seen.")),
    ("sensors", later("Watch"),
     later("Copy the model to the board. It then reports your gestures over MQTT.")),
)


class StartPages:
    """known: the projects; open_project: opens one, or raises BeckonError."""

    def __init__(self, known: KnownProjects, uploads: Uploads,
                 open_project: Callable[[Project], None]):
        self._known, self._uploads, self._open_project = known, uploads, open_project

    def add_routes(self, app: FastAPI) -> None:
        @app.get("/start/share/{name}.zip")
        def share(name: str, folder: str) -> Response:
            """A known project as a zip; other folders are nobody's business."""
            path = Path(folder)
            if path.name != name or path not in {*self._known.recent(), *self._known.in_folder()}:
                return JSONResponse({"error": "not one of your projects"}, status_code=404)
            handle, temporary = tempfile.mkstemp(prefix="beckon-share-", suffix=".zip")
            os.close(handle)
            target = Path(temporary)
            try:
                pack(path, target)
            except BeckonError as error:
                target.unlink(missing_ok=True)
                return JSONResponse({"error": said(error)}, status_code=422)
            return FileResponse(target, media_type="application/zip", filename=f"{name}.zip",
                                background=BackgroundTask(target.unlink, missing_ok=True))

    def page(self, project: Project | None) -> None:
        _StartPage(self._known, self._uploads, self._open_project, project)


class _StartPage:
    def __init__(self, known: KnownProjects, uploads: Uploads,
                 open_project: Callable[[Project], None], opened: Project | None):
        self._known, self._open_project, self._opened = known, open_project, opened
        with ui.element("div").classes("bk-start"):
            self._cards = Area("bk-stack")
            with ui.element("div").classes("bk-card bk-stack"):
                with ui.element("h2").classes("bk-title"):
                    ui.label(tr("New project"))
                with ui.element("div").classes("bk-row"):
                    form = {"name": ""}
                    text_field(tr("Name"), form, "name", placeholder="my-gestures").classes(
                        "bk-grow")
                    key_button(tr("Create"), "add", lambda: self._make(form["name"]), "Enter",
                               kind="primary", typing=True, line=False)
                with ui.element("div").classes("bk-row"):
                    key_button(tr("Try the sample project"), "auto_awesome", self._sample, "s")
                    ui.label(tr("Ten people make three gestures, computed, with labels. It is a "
                                "copy: change what you like.")).classes(
                        "bk-quiet bk-small bk-grow bk-beside")
                DropArea(uploads, tr("Drop a project that somebody shared here (.zip)"),
                         self._shared, many=False, accept=".zip")
            self._first = Area("bk-stack")
        self._uploads = uploads
        self._show()

    def _show(self) -> None:
        recent = self._known.recent()
        others = [p for p in self._known.in_folder() if p not in recent]
        with self._cards.rebuilt():
            if recent:
                with ui.element("h1").classes("bk-title"):
                    ui.label(tr("Your projects"))
                for folder in recent:
                    self._card(look_into(folder), listed=True)
            else:
                with ui.element("h1").classes("bk-welcome"):
                    ui.label(tr("Teach a board your gestures"))
            with ui.element("div").classes("bk-row bk-between"):
                with ui.element("h2").classes("bk-title"):
                    ui.label(tr("More projects") if recent else tr("Projects"))
                button = ui.button(tr("Choose another folder"), icon="folder_open", color=None,
                                   on_click=self._ask_folder)
                button.props("unelevated no-caps").classes("bk-button bk-plain")
            for folder in others:
                self._card(look_into(folder))
            if not others:
                folder = self._known.folder
                ui.label(tr("No other projects in {folder}", folder=folder) if recent
                         else tr("No projects in {folder} yet", folder=folder)).classes(
                    "bk-quiet bk-break")
        with self._first.rebuilt():
            if not recent:
                self._hints()

    def _hints(self) -> None:
        with ui.element("ol").classes("bk-first"):
            for icon, title, text in _HINTS:
                with ui.element("li").classes("bk-card bk-stack-small"):
                    with ui.element("div").classes("bk-row"):
                        ui.icon(icon).classes("bk-first-icon")
                        ui.label(tr(title)).classes("bk-title")
                    ui.label(tr(text)).classes("bk-quiet")

    def _card(self, about: About, listed: bool = False) -> None:
        is_open = self._opened is not None and self._opened.folder == about.folder
        with ui.element("article").classes("bk-card bk-project"):
            with ui.element("div").classes("bk-stack-small bk-grow"):
                with ui.element("div").classes("bk-row"):
                    ui.label(about.name).classes("bk-title bk-break")
                    if is_open:
                        ui.label(tr("open")).classes("bk-tag")
                ui.label(str(about.folder.parent)).classes("bk-quiet bk-small bk-break")
                ui.label(_contents(about)).classes("bk-break")
                if about.fault:
                    ui.label(said(about.fault)).classes("bk-bad bk-small bk-break")
                ui.label(tr(_NEXT[about.step])).classes("bk-small bk-next")
            with ui.element("div").classes("bk-row"):
                self._button(tr("Open"), "arrow_forward", lambda: self._open(about.folder, about),
                             about.name).classes("bk-primary")
                if about.recordings or listed:
                    self._more(about, listed)

    def _more(self, about: About, listed: bool) -> None:
        more = self._button("", "more_vert", None, tr("more about {name}", name=about.name))
        with more, ui.menu().props("role=menu"):
            if about.recordings:
                ui.menu_item(tr("Share as a file"), lambda: ui.download(_share(about))).props(
                    "role=menuitem")
            if listed:
                ui.menu_item(tr("Remove from this list"), lambda: self._forget(about.folder)).props(
                    "role=menuitem")

    def _button(self, text: str, icon: str, go: Callable[..., Any] | None, about: str) -> ui.button:
        button = ui.button(text, icon=icon, color=None, on_click=go)
        label = f"{text} {about}".strip().replace('"', "'")
        return button.props(f'unelevated no-caps aria-label="{label}"').classes("bk-button")

    def _forget(self, folder: Path) -> None:
        self._known.forget(folder)
        self._show()

    def _open(self, folder: Path, about: About | None = None) -> None:
        try:
            self._open_project(Project.open(folder))
        except BeckonError as error:
            warn(error)
            return
        ui.navigate.to(f"/{about.step}" if about else "/")

    def _make(self, name: str) -> None:
        try:
            folder = self._known.new(name)
        except BeckonError as error:
            warn(error)
            return
        self._open(folder)

    async def _sample(self) -> None:
        try:
            folder = await asyncio.to_thread(self._known.sample)
        except BeckonError as error:
            warn(error)
            return
        self._open(folder)

    async def _shared(self, key: str) -> None:
        try:
            file = next(self._uploads.folder(key).iterdir())
            folder = self._free(file.stem)
            await asyncio.to_thread(unpack, file, folder)
        except BeckonError as error:
            warn(error)
            return
        finally:
            self._uploads.end(key)
        self._open(folder)

    def _free(self, name: str) -> Path:
        number, path = 1, self._known.folder / name
        while path.exists():
            number += 1
            path = self._known.folder / f"{name}-{number}"
        return path

    def _ask_folder(self) -> None:
        form = {"folder": str(self._known.folder)}

        def choose() -> None:
            try:
                self._known.choose_folder(form["folder"])
            except BeckonError as error:
                warn(error)
                return
            dialog.close()
            self._show()

        with ui.dialog() as dialog, ui.card().classes("bk-stack"):
            ui.label(tr("Folder with your projects")).classes("bk-title")
            field = text_field(tr("Folder"), form, "folder").props("autofocus")
            field.on("keydown.enter", choose)
            with ui.element("div").classes("bk-row"):
                ui.button(tr("Choose"), color=None, on_click=choose).props(
                    "unelevated no-caps").classes("bk-button bk-primary")
                ui.button(tr("Cancel"), color=None, on_click=dialog.close).props(
                    "unelevated no-caps").classes("bk-button")
        dialog.on("hide", dialog.delete)
        dialog.open()


def _contents(about: About) -> str:
    """One line: recordings, gestures, people, the newest model."""
    parts = [tr_n("{n} recording", "{n} recordings", about.recordings)]
    if about.unlabelled:
        parts.append(tr("{n} without labels", n=about.unlabelled))
    if about.labels:
        parts.append(", ".join(f"{name} {count}" for name, count in about.labels.items()))
    if about.people:
        parts.append(tr_n("{n} person", "{n} people", len(about.people)))
    if about.model:
        parts.append(tr("{model}, older than the data", model=about.model) if about.newer
                     else about.model)
    return " · ".join(parts)


def _share(about: About) -> str:
    from urllib.parse import quote, urlencode

    return f"/start/share/{quote(about.name, safe='')}.zip?" + urlencode(
        {"folder": str(about.folder)})
