"""The element with all takes: a map or thumbnails on one canvas, however many there are."""
from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from nicegui.element import Element

from host_tools.studio.explore.groups import Groups
from host_tools.studio.explore.job import Look


class TakesView(Element, component="takes_view_element.js"):
    """label: what it is, for those who hear the page. Its methods may be called at any time."""

    def __init__(self, label: str):
        super().__init__()
        self._props["label"] = label
        self._state: dict[str, list[Any]] = {}
        self._mounted = False
        self.on("ready", self._ready, [])

    def show(self, look: Look) -> None:
        """Other takes."""
        self._call("show", {
            "n": len(look.places), "xy": _base64(look.xy, "<f4"),
            "thumbs": _base64(look.thumbs, "i1"), "points": look.thumbs.shape[2]})

    def colour(self, groups: Groups, wrong: Sequence[bool], suspect: Sequence[bool],
               gone: Sequence[bool], order: Sequence[int]) -> None:
        """wrong: gets a cross, suspect: a ring. gone: is not shown any longer.

        order: of the thumbnails.
        """
        self._call("colour", {
            "groups": _base64(groups.of, "<u2"), "colours": list(groups.colours),
            "shapes": list(groups.shapes),
            "wrong": _base64(wrong, "u1"), "suspect": _base64(suspect, "u1"),
            "gone": _base64(gone, "u1"), "order": _base64(order, "<i4")})

    def select(self, index: int) -> None:
        self._call("select", index)

    def highlight(self, group: int) -> None:
        """Only this group stands out; -1: all do."""
        self._call("highlight", group)

    def set_mode(self, mode: str) -> None:
        """mode: map or grid."""
        self._call("setMode", mode)

    def on_select(self, handler: Callable[[int], Any]) -> None:
        self.on("select", lambda e: handler(int(e.args)))

    def on_open(self, handler: Callable[[int], Any]) -> None:
        self.on("open", lambda e: handler(int(e.args)))

    def _call(self, method: str, *args: Any) -> None:
        self._state.pop(method, None)  # the last call comes last again
        self._state[method] = list(args)
        if self._mounted:
            self.run_method(method, *args)

    def _ready(self) -> None:
        self._mounted = True
        for method, args in self._state.items():
            self.run_method(method, *args)


def _base64(values: Any, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()
