"""All recordings and takes in tables: import, delete, rename, relabel, set who moved."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import context, ui

from host_tools.errors import BeckonError
from host_tools.studio.data import editing
from host_tools.studio.data.import_panel import ImportPanel
from host_tools.studio.data.tables import recordings_table, takes_table
from host_tools.studio.frame.label_store import ChangedOutside
from host_tools.studio.frame.language import tr, tr_n
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.shortcuts import key, key_button
from host_tools.studio.frame.uploads import Uploads
from host_tools.studio.frame.widgets import Area, choice, warn


def page(project: Project, uploads: Uploads) -> None:
    """Build the page's content inside the frame."""
    project.labels.refresh()
    DataPage(project, uploads)


class DataPage:
    """What one tab shows of the project's data."""

    def __init__(self, project: Project, uploads: Uploads):
        self._project, self._store = project, project.labels
        self._form = project.form("data", shown="recordings")
        with ui.element("div").classes("bk-stack bk-data") as self._root:
            with ui.element("div").classes("bk-row bk-between"):
                with ui.element("div").classes("bk-data-choice"):
                    choice({"recordings": tr("Recordings"), "takes": tr("Takes")}, self._form,
                           "shown", self._show)
                with ui.element("div").classes("bk-row"):
                    self._undo = key_button(tr("Undo"), "undo", lambda: self._do(self._store.undo),
                                            "mod+z", hint=tr("undo"))
                    self._redo = key_button(tr("Redo"), "redo", lambda: self._do(self._store.redo),
                                            "mod+y", hint=tr("redo"), line=False)
            self._table_area = Area("bk-stack")
            with ui.element("div").classes("bk-row bk-data-actions"):
                self._chosen = ui.label().classes("bk-quiet").props('aria-live="polite"')
                self._relabel = key_button(tr("Relabel"), "sell", self._ask_label, "l")
                self._person = key_button(tr("Set person"), "person", self._ask_person, "w")
                self._rename = key_button(tr("Rename"), "edit", self._ask_name, "r")
                self._delete = key_button(tr("Delete"), "delete", self._remove, "Delete",
                                          kind="danger")
            ImportPanel(project, uploads, self._imported)
        key("mod+shift+z", "", lambda: self._do(self._store.redo))
        key("Backspace", "", self._remove)
        context.client.on_delete(self._store.listen(self._changed))
        self._acting = False
        self._show()

    @property
    def _takes(self) -> bool:
        return self._form["shown"] == "takes"

    def _show(self) -> None:
        with self._table_area.rebuilt():
            build = takes_table if self._takes else recordings_table
            self._table = build(self._project)
            self._table.on_select(lambda _: self._selected())
        self._selected()

    def _selected(self) -> None:
        count = len(self._table.selected)
        self._chosen.set_text(
            (tr_n("{n} take chosen", "{n} takes chosen", count) if self._takes else
             tr_n("{n} recording chosen", "{n} recordings chosen", count)) if count
            else tr("Choose rows to change them."))
        for button in (self._relabel, self._person, self._delete):
            button.set_enabled(count > 0)
        self._rename.set_enabled(count == 1 and not self._takes)
        self._rename.set_visibility(not self._takes)
        self._undo.set_enabled(self._store.can_undo is not None)
        self._redo.set_enabled(self._store.can_redo is not None)

    def _changed(self, recording: str) -> None:
        """This tab or another one has changed labels."""
        if not self._acting:
            with self._root:
                self._show()

    def _do(self, action: Callable[[], Any]) -> bool:
        """Run an action; report its fault; show the result."""
        self._acting = True
        try:
            action()
        except ChangedOutside:
            self._store.reload()
            warn(BeckonError(tr("another program has changed the labels: they were read again; "
                                "once more, please")))
            return False
        except BeckonError as error:
            warn(error)
            return False
        finally:
            self._acting = False
            self._show()
        return True

    def _names(self) -> list[str]:
        return [row["name"] for row in self._table.selected]

    def _ids(self) -> list[int]:
        if self._takes:
            return [row["id"] for row in self._table.selected]
        return editing.takes_of(self._store, self._names())

    def _remove(self) -> None:
        if not self._table.selected:
            return
        if self._takes:
            ids = self._ids()
            done = self._do(lambda: editing.delete_takes(self._store, ids))
            text = tr_n("{n} take deleted", "{n} takes deleted", len(ids))
        else:
            names = self._names()
            done = self._do(lambda: editing.delete_recordings(self._project, names))
            text = tr_n("{n} recording moved to the folder deleted",
                        "{n} recordings moved to the folder deleted", len(names))
        if done:
            ui.notify(f"{text} ({tr('undo')}: Ctrl Z)", position="top")

    def _ask_label(self) -> None:
        ids = self._ids()
        if not ids:
            warn(BeckonError(tr("these recordings have no takes yet: label them first")))
            return
        self._ask(tr_n("New label of {n} take", "New label of {n} takes", len(ids)), tr("Label"),
                  "", self._store.labels,
                  lambda text: editing.relabel(self._store, ids, text))

    def _ask_person(self) -> None:
        ids = self._ids()
        if not ids:
            warn(BeckonError(tr("these recordings have no takes yet: label them first")))
            return
        self._ask(tr_n("Who made {n} take?", "Who made {n} takes?", len(ids)), tr("Person"), "",
                  self._store.subjects,
                  lambda text: editing.set_person(self._store, ids, text))

    def _ask_name(self) -> None:
        if len(self._table.selected) != 1 or self._takes:
            return
        old = self._names()[0]
        self._ask(tr("New name of {name}", name=old), tr("Name"), old, [],
                  lambda text: editing.rename_recording(self._project, old, text))

    def _ask(self, title: str, label: str, value: str, known: list[str],
             use: Callable[[str], Any]) -> None:
        def done() -> None:
            if self._do(lambda: use(field.value or "")):
                dialog.close()

        with ui.dialog() as dialog, ui.card().classes("bk-stack"):
            ui.label(title).classes("bk-title")
            field = ui.input(label, value=value, autocomplete=known).props(
                "outlined autofocus maxlength=100").classes("bk-field")
            field.on("keydown.enter", done)
            if known:
                with ui.element("div").classes("bk-row"):
                    for name in known[:12]:
                        ui.button(
                            name, color=None, on_click=lambda n=name: field.set_value(n)
                        ).props("unelevated no-caps").classes("bk-button")
            with ui.element("div").classes("bk-row"):
                ui.button(tr("Use"), color=None, on_click=done).props(
                    "unelevated no-caps").classes("bk-button bk-primary")
                ui.button(tr("Cancel"), color=None, on_click=dialog.close).props(
                    "unelevated no-caps").classes("bk-button")
        dialog.on("hide", dialog.delete)
        dialog.open()

    def _imported(self, names: list[str]) -> None:
        self._form["shown"] = "recordings"
        self._show()
        ui.notify(tr_n("{n} recording imported", "{n} recordings imported", len(names))
                  + f" ({tr('undo')}: Ctrl Z)", position="top")
