"""Parts that the pages Record, Train and Watch are built of."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import ui

from host_tools.studio.frame.shortcuts import key, key_button, key_mark, shortcuts

STYLE = '<link rel="stylesheet" href="/studio/static/sessions.css">'


class Area:
    """A part of a page that is built anew when what it shows changes; its keys go with it."""

    def __init__(self, classes: str = ""):
        self.box = ui.element("div").classes(classes)
        self._combos: list[str] = []
        self._shown: Any = self  # nothing yet: equal to no shape

    @contextmanager
    def anew(self) -> Iterator[None]:
        """Empty it, then build what the block builds into it."""
        keys = shortcuts()
        for combo in self._combos:
            keys.drop(combo)
        self._combos.clear()
        self.box.clear()
        with self.box:
            yield

    def show(self, shape: Any, build: Callable[[], None]) -> bool:
        """Build anew if shape is another than the last time; whether it was."""
        if shape == self._shown:
            return False
        self._shown = shape
        with self.anew():
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


def figure(value: str, name: str, note: str = "", level: str = "") -> ui.element:
    """A number that one sees from two metres. level: good, bad, warn or ""."""
    with ui.element("div").classes("bks-figure") as box:
        number = ui.label(value).classes("bk-big")
        if level:
            number.classes(f"bk-{level}")
        ui.label(name)
        if note:
            ui.label(note).classes("bk-quiet bks-small")
    return box


def svg(text: str) -> ui.html:
    """A drawing of charts.py."""
    return ui.html(text, sanitize=False).classes("bks-svg")


def mark(kind: str) -> ui.icon:
    """The sign of a verdict or a level: a shape, not only a colour."""
    icons = {"good": "check_circle", "hit": "check_circle", "bad": "cancel", "false": "cancel",
             "warn": "warning", "missed": "remove_circle_outline", "duplicate": "copy_all",
             "plain": "info"}  # fmt: skip
    colour = {"good": "good", "hit": "good", "bad": "bad", "false": "bad", "warn": "warn",
              "missed": "warn", "duplicate": "warn"}.get(kind, "quiet")
    return ui.icon(icons[kind]).classes(f"bk-{colour} bks-mark")


def choice(options: dict[Any, str], values: dict[str, Any], name: str,
           on_change: Callable[[], Any] | None = None) -> ui.toggle:
    """One of a few, side by side, bound to values[name]."""
    toggle = ui.toggle(options, value=values[name]).props(
        "no-caps unelevated spread toggle-color=primary toggle-text-color=on-accent")
    toggle.classes("bks-toggle")

    def changed(event: Any) -> None:
        values[name] = event.value
        if on_change:
            on_change()

    return toggle.on_value_change(changed)


class Slider(ui.slider):
    """A slider that moves in the browser at once, not after the server's answer: keys that
    come faster than that would be lost."""

    LOOPBACK = False


def text_field(label: str, values: dict[str, Any], name: str, **options: Any) -> ui.input:
    field = ui.input(label, value=values[name], **options).props("outlined").classes("bks-field")
    field.props(f'aria-label="{label}" maxlength=400')
    field.on_value_change(lambda e: values.__setitem__(name, e.value or ""))
    return field


def number_field(label: str, values: dict[str, Any], name: str, least: float, most: float,
                 step: float = 1, unit: str = "") -> ui.number:
    field = ui.number(label, value=values[name], min=least, max=most, step=step, suffix=unit)
    field.props("outlined").classes("bks-field bks-number")
    field.on_value_change(lambda e: values.__setitem__(name, e.value))
    return field


def select_field(label: str, options: Any, values: dict[str, Any], name: str,
                 on_change: Callable[[], Any] | None = None) -> ui.select:
    known = list(options)
    if values[name] not in known:
        values[name] = known[0] if known else None
    field = ui.select(options, label=label, value=values[name]).props("outlined options-dense")
    field.classes("bks-field")

    def changed(event: Any) -> None:
        values[name] = event.value
        if on_change:
            on_change()

    return field.on_value_change(changed)


def warn(error: Exception) -> None:
    """A fault of what was just asked for, over the page."""
    ui.notify(str(error), type="negative", position="top", multi_line=True, timeout=7000)


__all__ = ["STYLE", "Area", "Slider", "choice", "figure", "key_mark", "mark", "number_field",
           "select_field", "svg", "text_field", "warn"]  # fmt: skip
