"""Building blocks of the pages: areas that rebuild themselves, fields, choices, marks."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import segno
from nicegui import ui

from host_tools.device.known_broker import known_broker
from host_tools.errors import BeckonError
from host_tools.studio.frame.language import said
from host_tools.studio.frame.shortcuts import key, key_button, shortcuts
from host_tools.studio.frame.theme import shape_of


class Area:
    """A part of a page that is rebuilt when what it shows changes; its keys go with it."""

    def __init__(self, classes: str = ""):
        self.box = ui.element("div").classes(classes)
        self._combos: list[str] = []
        self._shown: Any = self  # nothing yet: equal to no shape

    @contextmanager
    def rebuilt(self) -> Iterator[None]:
        """Empty the area; the block builds its new content."""
        keys = shortcuts()
        for combo in self._combos:
            keys.drop(combo)
        self._combos.clear()
        self.box.clear()
        with self.box:
            yield

    def show(self, shape: Any, build: Callable[[], None]) -> bool:
        """Rebuild if shape differs from the last one; return whether it did."""
        if shape == self._shown:
            return False
        self._shown = shape
        with self.rebuilt():
            build()
        return True

    def key(self, combo: str, text: str, handler: Callable[..., Any], **options: Any) -> None:
        self._combos.append(combo)
        key(combo, text, handler, **options)

    def button(self, text: str, icon: str | None, handler: Callable[..., Any],
               combo: str | None = None, **options: Any) -> ui.button:
        if combo is not None:
            self._combos.append(combo)
        return key_button(text, icon, handler, combo, **options)


def svg(text: str) -> ui.html:
    """A drawing of charts.py."""
    return ui.html(text, sanitize=False).classes("bk-svg")


def qr_code(text: str) -> str:
    """An SVG of text, dark on light in every theme, as cameras expect it."""
    return segno.make(text, error="m").svg_inline(
        scale=4, border=3, dark="#000", light="#fff", omitsize=True)


def mark(kind: str) -> ui.icon:
    """The sign of a verdict or a level: a shape, not only a colour."""
    icons = {"good": "check_circle", "hit": "check_circle", "bad": "cancel", "false": "cancel",
             "warn": "warning", "missed": "remove_circle_outline", "duplicate": "copy_all",
             "plain": "info"}
    colour = {"good": "good", "hit": "good", "bad": "bad", "false": "bad", "warn": "warn",
              "missed": "warn", "duplicate": "warn"}.get(kind, "quiet")
    return ui.icon(icons[kind]).classes(f"bk-{colour} bk-mark")


def choice(options: dict[Any, str], values: dict[str, Any], name: str,
           on_change: Callable[[], Any] | None = None) -> ui.toggle:
    """A few options side by side, bound to values[name]."""
    toggle = ui.toggle(options, value=values[name]).props(
        "no-caps unelevated spread toggle-color=primary toggle-text-color=on-accent")
    toggle.classes("bk-toggle")

    def changed(event: Any) -> None:
        values[name] = event.value
        if on_change:
            on_change()

    return toggle.on_value_change(changed)


class Slider(ui.slider):
    """A slider that moves in the browser at once.

    If it waited for the server's answer, keys that come faster would be lost.
    """

    LOOPBACK = False


def text_field(label: str, values: dict[str, Any], name: str, **options: Any) -> ui.input:
    field = ui.input(label, value=values[name], **options).props("outlined").classes("bk-field")
    field.props(f'aria-label="{label}" maxlength=400')
    field.on_value_change(lambda e: values.__setitem__(name, e.value or ""))
    return field


def selected(field: ui.input) -> ui.input:
    """Select the field's text when it gets the focus, so that typing replaces it."""
    return field.on("focus", js_handler="(event) => event.target.select()")


def broker_field(label: str, values: dict[str, Any]) -> ui.input:
    """Of values["broker"]; empty it means the broker of `beckon setup`, which it shows."""
    try:
        known = str(known_broker())
    except BeckonError as error:
        known = said(error)
    return text_field(label, values, "broker", placeholder=known)


def number_field(label: str, values: dict[str, Any], name: str, least: float, most: float,
                 step: float = 1, unit: str = "") -> ui.number:
    field = ui.number(label, value=values[name], min=least, max=most, step=step, suffix=unit)
    field.props("outlined").classes("bk-field bk-number")
    field.on_value_change(lambda e: values.__setitem__(name, e.value))
    return field


def select_field(label: str, options: Any, values: dict[str, Any], name: str,
                 on_change: Callable[[], Any] | None = None) -> ui.select:
    known = list(options)
    if values[name] not in known:
        values[name] = known[0] if known else None
    field = ui.select(options, label=label, value=values[name]).props("outlined options-dense")
    field.classes("bk-field")

    def changed(event: Any) -> None:
        values[name] = event.value
        if on_change:
            on_change()

    return field.on_value_change(changed)


def swatch(colour: str) -> ui.element:
    """A label's colour before its name; its shape differs from that of like colours."""
    return ui.element("span").classes(f"bk-swatch bk-shape-{shape_of(colour)}").style(
        f"background: {colour}")


def warn(error: Exception) -> None:
    """Show a fault of the last action over the page."""
    ui.notify(said(error), type="negative", position="top", multi_line=True, timeout=7000)
