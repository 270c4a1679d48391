"""An area for files and folders: dropped, or chosen with its buttons; see drop_area.js.

    DropArea(uploads, "Drop recordings here", arrived)     # arrived(key) when all have come
"""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from nicegui.element import Element

from host_tools.errors import BeckonError
from host_tools.studio.frame.language import tr
from host_tools.studio.frame.uploads import Uploads
from host_tools.studio.frame.widgets import warn


class DropArea(Element, component="drop_area.js"):
    """many: several files, and folders; else one file of the kind that accept names."""

    def __init__(self, uploads: Uploads, text: str, arrived: Callable[[str], Any], *,
                 many: bool = True, accept: str = ""):
        super().__init__()
        self._uploads = uploads
        self._arrived = arrived
        self._props["words"] = {
            "text": text, "files": tr("Choose files") if many else tr("Choose a file"),
            "folder": tr("Choose a folder") if many else "", "sending": tr("Sending"),
            "lost": tr("the files did not arrive: is Studio still running?"),
        }
        self._props["many"] = many
        self._props["accept"] = accept
        self._renew()
        self.on("done", self._done)
        self.on("fault", lambda event: self._failed(str(event.args)))

    def _renew(self) -> None:
        self._key = self._uploads.begin()
        self._props["batch"] = self._key
        self.update()

    async def _done(self) -> None:
        key = self._key
        self._renew()
        result = self._arrived(key)
        if inspect.isawaitable(result):
            await result

    def _failed(self, text: str) -> None:
        self._uploads.end(self._key)
        self._renew()
        warn(BeckonError(text))
