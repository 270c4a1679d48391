"""The Label page's lower lines: the chosen span and the labels; and small buttons."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from nicegui import ui

from host_tools.dataset.idle import IDLE_LABEL
from host_tools.studio.frame.language import tr
from host_tools.studio.frame.shortcuts import key, key_mark, shown
from host_tools.studio.frame.theme import IDLE_COLOUR, label_colour
from host_tools.studio.frame.widgets import swatch
from host_tools.studio.label.editor import Mark

NUMBERED = 9  # labels that have a key


class ChosenLine:
    """Which span or proposal is selected, with its times."""

    def __init__(self) -> None:
        self._box = ui.element("div").classes("bk-row bk-chosen")

    def show(self, chosen: Mark | None, labels: list[str], any_marks: bool) -> None:
        """labels: all of the project, for the colours. any_marks: is there one to select?"""
        self._box.clear()
        with self._box:
            if chosen is None:
                ui.label(
                    tr("Click a span to select it. Drag on empty ground to draw one.") if any_marks
                    else tr("Press G for proposals, or drag over the signal to draw a span.")
                ).classes("bk-quiet")
                return
            colour = label_colour(labels, chosen.label) if chosen.label else IDLE_COLOUR
            swatch(colour)
            ui.label(chosen.label or tr("which gesture?")).classes("bk-title")
            ui.label(tr("{start:.2f} to {end:.2f} s", start=chosen.start_ms / 1000,
                        end=chosen.end_ms / 1000))
            sure = "" if chosen.confidence is None else tr(", {percent} % sure",
                                                             percent=chosen.confidence)
            ui.label(tr("proposal") + sure if chosen.proposed
                     else f"{chosen.end_ms - chosen.start_ms:.0f} ms").classes("bk-quiet")


class Palette:
    """A button for each label, with its number; one for a new label and one for the person."""

    def __init__(self, choose: Callable[[str], None], ask_label: Callable[[], None],
                 ask_subject: Callable[[], None]):
        self._choose, self._ask_label, self._ask_subject = choose, ask_label, ask_subject
        self._box = ui.element("div").classes("bk-row bk-palette")
        self._shown: tuple[Any, ...] = ()

    def show(self, labels: list[str], counts: Counter[str], current: str | None,
             subject: str) -> None:
        """labels: in the order of their numbers. counts: spans with each label."""
        state = (labels, counts, current, subject)
        if state == self._shown:
            return
        self._shown = state
        self._box.clear()
        with self._box:
            for number, label in enumerate(labels, 1):
                button = ui.button(color=None, on_click=lambda _, x=label: self._choose(x))
                button.props(f'unelevated no-caps aria-pressed="{str(label == current).lower()}"')
                button.classes("bk-button bk-chip" + (" bk-current" if label == current else ""))
                with button:
                    if number <= NUMBERED:
                        key_mark(str(number))
                    swatch(label_colour(labels, label))
                    ui.label(tr("no gesture") if label == IDLE_LABEL else label)
                    ui.label(str(counts[label])).classes("bk-quiet")
            with _plain_button(self._ask_label):
                key_mark("l")
                ui.label(tr("new label"))
            with _plain_button(self._ask_subject):
                key_mark("w")
                ui.label(tr("who: {person}", person=subject or tr("not given")))


def _plain_button(handler: Callable[[], Any]) -> ui.button:
    button = ui.button(color=None, on_click=lambda: handler()).props("unelevated no-caps")
    return button.classes("bk-button bk-chip bk-plain").props("data-opens")


def icon_button(icon: str, text: str, handler: Callable[[], Any], combo: str,
                line: bool = False) -> ui.button:
    """A button without words. text: for its tooltip and the hints; line: see key()."""
    button = ui.button(icon=icon, color=None, on_click=lambda: handler())
    button.props(f'unelevated aria-label="{text}"').classes("bk-button bk-icon")
    button.tooltip(f"{text}  ({shown(combo)})")
    key(combo, text, lambda: handler() if button.enabled else None, line=line)
    return button


def enable(button: ui.button, enabled: bool) -> None:
    """Enable or disable; sends nothing to the browser if the button is so already."""
    if button.enabled != enabled:
        button.set_enabled(enabled)
