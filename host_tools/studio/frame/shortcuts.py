"""A page's keyboard shortcuts, and the line at its bottom that shows them.

    key("n", "no gesture", handler)               # hint: [N] no gesture
    key_button("Save", "save", handler, "mod+s")  # a button that shows and obeys its key

Combinations: see static/keyboard.js. Each page has one Shortcuts, made by
layout.frame before page(project) runs.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nicegui import context, ui
from nicegui.element import Element
from nicegui.events import UiEventArguments, handle_event

from host_tools.studio.frame.language import later, tr

_SHOWN = {
    "mod": later("Ctrl"), "alt": "Alt", "shift": later("Shift"), "space": later("Space"),
    "ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓", "Escape": "Esc",
    "Delete": later("Del"), "PageUp": later("Pg↑"), "PageDown": later("Pg↓"), "Enter": "Enter",
    "Home": later("Home"), "End": later("End", about="key"),
}
_ARIA = {"mod": "Control", "alt": "Alt", "shift": "Shift", "space": "Space"}


@dataclass(frozen=True)
class _Key:
    combo: str
    text: str
    handler: Callable[..., Any]
    group: str
    line: bool


class Shortcuts(Element, component="shortcuts.js"):
    """The shortcuts of one page."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, _Key] = {}
        self._props["combos"] = {}
        self.on("key", lambda event: self.press(event.args))
        self.changed: Callable[[], None] = lambda: None

    def add(self, combo: str, text: str, handler: Callable[..., Any], *, group: str = "",
            line: bool = True, repeat: bool = False, typing: bool = False,
            opens: bool = False) -> None:  # fmt: skip
        """Call handler() when combo is pressed.

        text: what it does, for the hints; "" for none, if another key does the same. Keys of
        one group share one hint, with the first one's text. line: show it in the bottom line,
        not only in the list of all keys. repeat: also while held down. typing: also in a text
        field or dialog. opens: it opens a dialog, whose field gets what is typed next.
        """
        self._keys[combo] = _Key(combo, text, handler, group, line)
        self._props["combos"] = {
            **self._props["combos"], combo: {"repeat": repeat, "typing": typing, "opens": opens}
        }
        self.changed()

    def show(self, combos: list[str], text: str, *, line: bool = True) -> None:
        """Show a hint for keys that another part handles, such as the signal view."""
        for combo in combos:
            self._keys[combo] = _Key(combo, text, lambda: None, text, line)
        self.changed()

    def opens(self, combo: str, opens: bool) -> None:
        """Whether the key opens a dialog now; see add()."""
        known = self._props["combos"].get(combo)
        if known is not None and known["opens"] != opens:
            self._props["combos"] = {**self._props["combos"], combo: {**known, "opens": opens}}

    def drop(self, combo: str) -> None:
        self._keys.pop(combo, None)
        self._props["combos"] = {c: v for c, v in self._props["combos"].items() if c != combo}
        self.changed()

    def press(self, combo: str) -> None:
        """Do what these keys do."""
        known = self._keys.get(combo)
        if known is not None:
            handle_event(known.handler, UiEventArguments(sender=self, client=self.client))

    def hints(self, every: bool = False) -> list[tuple[list[str], str]]:
        """(combinations, what they do), in the order in which they were added.

        every: also those that are not in the bottom line.
        """
        out: list[tuple[list[str], str]] = []
        places: dict[str, int] = {}
        for known in sorted(self._keys.values(), key=lambda k: k.combo == "?"):  # all keys: last
            if not (known.line or every):
                continue
            if known.group and known.group in places:
                out[places[known.group]][0].append(known.combo)
            elif known.text:
                places[known.group] = len(out)
                out.append(([known.combo], known.text))
        return [(c if len(c) < 4 else [c[0], "…", c[-1]], text) for c, text in out]


def shown(combo: str) -> str:
    """A combination as people read it: "mod+z" is "Ctrl Z"."""
    if combo == "+":
        return combo
    parts = [p for p in combo.split("+") if p] or [combo]
    about = {"End": "key"}
    return " ".join(tr(_SHOWN[p], about=about.get(p, "")) if p in _SHOWN
                    else p.upper() if len(p) == 1 else p for p in parts)


def _for_aria(combo: str) -> str:
    """As aria-keyshortcuts has it, the same in all languages: "mod+z" is "Control+Z"."""
    parts = [p for p in combo.split("+") if p] or ["Plus"]
    return "+".join(_ARIA.get(p, p.upper() if len(p) == 1 else p) for p in parts)


def shortcuts() -> Shortcuts:
    """The shortcuts of the page that is being built."""
    for element in context.client.elements.values():
        if isinstance(element, Shortcuts):
            return element
    raise RuntimeError("no layout.frame around this page")


def key(combo: str, text: str, handler: Callable[..., Any], **options: Any) -> None:
    """Add a shortcut to the page that is being built; see Shortcuts.add."""
    shortcuts().add(combo, text, handler, **options)


def hint(combos: list[str], text: str, *, line: bool = True) -> None:
    """Show keys that a part of the page handles; see Shortcuts.show."""
    shortcuts().show(combos, text, line=line)


def key_mark(combo: str) -> ui.label:
    """A small picture of the key."""
    return ui.label(shown(combo)).classes("bk-key")


def key_button(text: str, icon: str | None, handler: Callable[..., Any], combo: str | None = None,
               *, kind: str = "", hint: str | None = None, line: bool = True,
               opens: bool = False, **options: Any) -> ui.button:
    """A button with its key on it. kind: "primary", "plain", "danger" or "".

    hint: the words among the keys, if they differ from the button's. line: also in the bottom
    line, which does not repeat every button. opens: see Shortcuts.add.
    """
    button = ui.button(text, icon=icon, color=None, on_click=lambda: handler())
    button.props("unelevated no-caps").classes("bk-button" + (f" bk-{kind}" if kind else ""))
    if opens:
        button.props("data-opens")
    if combo is not None:
        with button:
            key_mark(combo)
        key(combo, hint or text, lambda: handler() if button.enabled else None,
            line=line and hint != "", opens=opens, **options)
        button.props(f'aria-keyshortcuts="{_for_aria(combo)}"')
    return button
