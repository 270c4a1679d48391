"""The frame of each page: header, navigation, filters. Looks are Studio's."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

from nicegui import ui

from host_tools.dashboard.filters import PERIODS, View
from host_tools.studio.frame.language import later, tr
from host_tools.studio.frame.layout import language_menu, tool

STATIC = Path(__file__).parent / "static"
PAGES = (("", later("Gestures", about="page"), "insights"),
         ("devices", later("Devices", about="page"), "developer_board"),
         ("rollouts", later("Models", about="page"), "system_update_alt"),
         ("health", later("Collecting", about="page"), "storage"))  # fmt: skip
_HEAD = (
    '<script src="/studio/static/theme.js"></script>'
    '<script src="/studio/frame/frame.js"></script>'
    '<link rel="stylesheet" href="/studio/static/studio.css">'
    '<link rel="stylesheet" href="/studio/frame/frame.css">'
    '<link rel="stylesheet" href="/dashboard/static/dashboard.css">'
)


@contextmanager
def frame(active: str, view: View, store: str, person: str) -> Iterator[None]:
    """Build the frame; the block builds the content in it. person: "" without a login."""
    ui.add_head_html(_HEAD)
    ui.add_body_html(_early_header(active, view, store.rpartition("/")[2]))
    ui.run_javascript(f"beckonTheme.ready(); beckonLost.watch({json.dumps(_lost_words())}, '')")
    with ui.element("header").classes("bk-header"):
        with ui.element("div").classes("bk-brand"):
            ui.html(f"<b>{escape(tr('Beckon dashboard'))}</b>", sanitize=False)
            ui.label(store.rpartition("/")[2]).tooltip(store)
        with ui.element("nav").classes("bk-nav").props(f'aria-label="{tr("Pages")}"'):
            for name, title, icon in PAGES:
                with ui.link(target=f"/{name}{view.query()}") as link:
                    ui.icon(icon)
                    ui.label(tr(title, about="page"))
                if name == active:
                    link.props('aria-current="page"')
        with ui.element("div").classes("bk-tools"):
            language_menu()
            tool("contrast", tr("dark or light"), js="() => window.beckonTheme.toggle()")
            if person:
                ui.link(tr("Log out"), "/logout").tooltip(person)
    with ui.element("div").classes("bk-main"):
        yield


def _early_header(active: str, view: View, store: str) -> str:
    """The header as plain HTML: it is there while the scripts still load."""
    links = "".join(
        f'<a href="/{name}{escape(view.query())}"'
        f'{" aria-current=page" if name == active else ""}>{escape(tr(title, about="page"))}</a>'
        for name, title, _ in PAGES)
    return ('<div id="bk-first"><header class="bk-header"><div class="bk-brand">'
            f"<b>{escape(tr('Beckon dashboard'))}</b><span>{escape(store)}</span></div>"
            f'<nav class="bk-nav">{links}</nav></header></div>')


def _lost_words() -> dict[str, str]:
    """What Studio's frame.js shows when the server does not answer."""
    return {
        "title": tr("The dashboard does not answer"),
        "gone": tr("Its program has ended, or this computer was asleep. The collectors go on "
                   "storing. Start it again in a terminal with beckon dashboard; this page goes on "
                   "when it answers."),
        "again": tr("The dashboard has been started again, or another program answers here. Open "
                    "the address that it printed in its terminal."),
    }


def filters(page: str, view: View, gestures: list[str], names: Callable[[], list[str]]) -> None:
    """What is chosen goes into the address, which shows it: it can be kept and sent on."""

    def go(**changes: str) -> None:
        ui.navigate.to(f"/{page}{view.query(**changes)}")

    with ui.element("div").classes("bd-filters"):
        period = ui.select({name: tr(words) for name, (words, _) in PERIODS.items()},
                           value=view.period, label=tr("Period"))  # fmt: skip
        period.on_value_change(lambda e: go(period=e.value))
        device = ui.input(tr("Device"), value=view.device, placeholder=tr("all"),
                          autocomplete=names())  # fmt: skip
        device.props("clearable maxlength=32")
        device.on("keydown.enter", lambda: go(device=(device.value or "").strip()))
        device.on("clear", lambda: go(device=""))
        known = gestures if not view.gesture or view.gesture in gestures else [
            *gestures, view.gesture]  # fmt: skip
        gesture = ui.select({"": tr("all"), **{name: name for name in known}}, value=view.gesture,
                            label=tr("Gesture"))  # fmt: skip
        gesture.on_value_change(lambda e: go(gesture=e.value or ""))
        for field in (period, device, gesture):
            field.props("outlined dense options-dense").classes("bk-field")
        if view.device or view.gesture:
            button = ui.button(tr("Show all"), icon="filter_alt_off", color=None,
                               on_click=lambda: go(device="", gesture=""))  # fmt: skip
            button.props("flat no-caps").classes("bk-button bk-plain")
