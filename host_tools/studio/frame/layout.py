"""The frame around every page: header, navigation, theme, hints; and the empty state."""
from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import ui

from host_tools.studio.frame.language import (
    COOKIE,
    LANGUAGES,
    language,
    later,
    number,
    said,
    tr,
)
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.routes import STUDIO
from host_tools.studio.frame.shortcuts import Shortcuts, key_mark

PAGES = (  # name, title, icon, letter for Alt; of an open project
    ("data", later("Data", about="page"), "table_rows", "a"),
    ("record", later("Record", about="page"), "fiber_manual_record", "r"),
    ("label", later("Label", about="page"), "sell", "l"),
    ("explore", later("Explore", about="page"), "scatter_plot", "e"),
    ("train", later("Train", about="page"), "model_training", "t"),
    ("trial", later("Try", about="page"), "waving_hand", "y"),
    ("watch", later("Watch", about="page"), "sensors", "w"),
)
_START = later("Projects", about="page")
_MODULES = ["static/keyboard.js"] + sorted(
    f"signal/{path.name}" for path in (STUDIO / "signal").glob("*.js"))
_HEAD = (
    '<script src="/studio/static/theme.js"></script>'
    '<script src="/studio/frame/frame.js"></script>'
    '<link rel="stylesheet" href="/studio/static/studio.css">'
    '<link rel="stylesheet" href="/studio/frame/frame.css">'
    # The browser fetches all modules at once, not each when its importer has arrived.
    + "".join(f'<link rel="modulepreload" href="/studio/{m}">' for m in _MODULES)
)


@contextmanager
def frame(project: Project | None, active: str) -> Iterator[Shortcuts]:
    """Build the frame; the block builds the page's content in it. None: no project is open."""
    pages = PAGES if project is not None else ()
    ui.add_head_html(_HEAD)
    ui.add_head_html(f'<link rel="stylesheet" href="/studio/{active}/{active}.css">')
    ui.add_head_html(f"<script>window.beckonWords = {json.dumps(_signal_words())}</script>")
    ui.add_body_html(_early_header(project, active))
    ui.run_javascript(f"beckonTheme.ready(); beckonLost.watch({json.dumps(_lost_words())}, "
                      f"{json.dumps(coming_back_secret())});"
                      # where the pages do not fit side by side
                      "document.querySelector('.bk-nav [aria-current]')"
                      "?.scrollIntoView({inline: 'center', block: 'nearest'})")
    keys = Shortcuts()
    with ui.element("header").classes("bk-header"):
        with ui.link(target="/start").classes("bk-brand") as brand:
            ui.html("<b>Beckon Studio</b>", sanitize=False)
            ui.label(project.name if project else tr("Projects"))
        brand.props('aria-keyshortcuts="Alt+P"')
        if project is not None:
            brand.tooltip(f"{project.folder}  ({tr('all projects')}: Alt P)")
        if active == "start":
            brand.props('aria-current="page"')
        with ui.element("nav").classes("bk-nav").props(f'aria-label="{tr("Pages")}"'):
            for name, _, icon, letter in pages:
                with ui.link(target=f"/{name}") as link:
                    ui.icon(icon)
                    ui.label(page_title(name))
                if name == active:
                    link.props('aria-current="page"')
                link.props(f'aria-keyshortcuts="Alt+{letter.upper()}"')
        with ui.element("div").classes("bk-tools"):
            language_menu()
            tool("contrast", tr("dark or light"), "alt+d",
                  js="() => window.beckonTheme.toggle()")
            helper = tool("keyboard", tr("all keys"), "?")
    content = ui.element("div").classes("bk-main")
    hints = ui.element("footer").classes("bk-hints").props(
        f'aria-label="{tr("Keys")}" tabindex=0')  # it scrolls
    with content:
        if active != "start":  # which has a heading of its own
            with ui.element("h1").classes("bk-unseen"):
                ui.label(page_title(active))
        yield keys
    keys.add("alt+p", "", lambda: ui.navigate.to("/start"))
    for name, _, _, letter in pages:
        keys.add(f"alt+{letter}", "", lambda name=name: ui.navigate.to(f"/{name}"))
    keys.add("alt+d", "", lambda: ui.run_javascript("beckonTheme.toggle()"))
    show = _help(keys)
    helper.on_click(show)
    keys.add("?", tr("all keys"), show)

    def redraw() -> None:
        hints.clear()
        with hints:
            for combos, text in keys.hints():
                _hint(combos, text)

    keys.changed = redraw
    redraw()


def _early_header(project: Project | None, active: str) -> str:
    """The header as plain HTML: you see and use it while the scripts still load."""
    links = "".join(
        f'<a href="/{name}"{" aria-current=page" if name == active else ""}>{page_title(name)}</a>'
        for name, _, _, _ in (PAGES if project is not None else ())
    )
    name = html.escape(project.name if project else tr("Projects"))
    return (
        '<div id="bk-first"><header class="bk-header"><a class="bk-brand" href="/start">'
        f'<b>Beckon Studio</b><span>{name}</span></a><nav class="bk-nav">{links}</nav>'
        '</header></div>'
    )


def _signal_words() -> dict[str, str]:
    """The words of signal/*.js, by their English form."""
    return {"acceleration": tr("acceleration"), "turn rate": tr("turn rate"),
            "lost": tr("lost"), "scores  %": tr("scores  %"),
            ".": number(0.1, ".1f")[1]}  # the decimal sign


_secret = ""


def share_secret(secret: str) -> None:
    """From now on pages know what coming_back.py needs."""
    global _secret
    _secret = secret


def coming_back_secret() -> str:
    return _secret


def _lost_words() -> dict[str, str]:
    """What frame.js shows when the server does not answer."""
    return {
        "title": tr("Beckon Studio does not answer"),
        "gone": tr("Its program has ended, or this computer was asleep. All labels and recordings "
                   "are saved. Start it again in a terminal with beckon studio; this page goes on "
                   "when it answers."),
        "again": tr("Another program answers here, or another project is open in Beckon Studio. "
                    "Go on in the page that it has opened, or open the address that it printed in "
                    "its terminal."),
    }


def page_title(name: str) -> str:
    """The page's title in the current language."""
    title = dict([("start", _START), *(page[:2] for page in PAGES)])[name]
    return tr(title, about="page")


def language_menu() -> None:
    """The button with the menu of languages; the browser keeps the choice."""
    with tool("translate", tr("language")), ui.menu().props("role=menu"):
        for code, name in LANGUAGES.items():
            item = ui.menu_item(name).props(f'lang="{code}" role=menuitem')
            if code == language():
                item.props('aria-current="true"').style("font-weight: 700")
            item.on("click", js_handler=f"() => beckonLanguage.choose({COOKIE!r}, {code!r})")


def tool(icon: str, text: str, combo: str = "", js: str | None = None) -> ui.button:
    """A button of the header. combo: its key. js: what it does in the browser."""
    button = ui.button(icon=icon, color=None).props(f'flat round aria-label="{text}"')
    button.style("min-width: 48px; min-height: 48px")
    if combo:  # without a key it opens a menu, which the words would cover
        button.tooltip(f"{text}  ({combo})")
    if js is not None:
        button.on("click", js_handler=js)
    return button


def _hint(combos: list[str], text: str) -> None:
    with ui.element("span"):
        for combo in combos:
            key_mark(combo) if combo != "…" else ui.label(combo)
        ui.label(text)


def _help(keys: Shortcuts) -> Callable[[], None]:
    def show() -> None:
        with ui.dialog() as dialog, ui.card():
            ui.label(tr("Keys")).classes("bk-title")
            pages = [([f"alt+{letter}"], page_title(name))
                     for name, letter in (("start", "p"), *((p[0], p[3]) for p in PAGES))]
            for title, listed in (
                (tr("On this page"), keys.hints(every=True)),
                (tr("Pages"), pages),
                (tr("Everywhere"), [(["alt+d"], tr("dark or light")),
                                    (["Tab"], tr("to the next button or field")),
                                    (["Escape"], tr("close a dialog"))]),
            ):
                with ui.element("h2").classes("bk-keys-group"):
                    ui.label(title)
                with ui.element("div").classes("bk-keys"):
                    for combos, text in listed:
                        _hint(combos, text)
        dialog.on("hide", dialog.delete)
        dialog.open()

    return show


def empty_state(icon: str, title: str, text: str, *, action: str | None = None,
                target: str | Callable[..., Any] | None = None) -> None:
    """Show, on a page without content, what to do first.

    target: an address or a function; action: the words on its button.
    """
    with ui.element("div").classes("bk-empty"):
        ui.icon(icon)
        with ui.element("h1"):
            ui.label(title)
        with ui.element("p"):
            ui.label(text)
        if action is not None:
            go = target if callable(target) else lambda: ui.navigate.to(str(target))
            button = ui.button(action, color=None, on_click=go)
            button.props("unelevated no-caps").classes("bk-button bk-primary")


def message(text: str) -> ui.label:
    """Show a fault in the page, in one line and in the reader's language."""
    return ui.label(said(text)).classes("bk-message").props('role="alert"')
