"""Deploy a model and watch its events arrive: live, with each device's health."""
from __future__ import annotations

from nicegui import ui

from host_tools.studio.frame.layout import empty_state
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.sessions import sessions_of
from host_tools.studio.frame.widgets import STYLE, Area
from host_tools.studio.watch.panels import (
    BrokerPanel,
    DeployPanel,
    DevicesPanel,
    EventsPanel,
    nothing_yet,
)

_EVERY_S = 0.15


def page(project: Project) -> None:
    """Build the page's content inside the frame."""
    WatchPage(project)


class WatchPage:
    """What one tab shows of the project's watcher and deployer."""

    def __init__(self, project: Project):
        ui.add_head_html(STYLE)
        self._watcher = sessions_of(project).watcher
        with ui.element("div").classes("bks-split"):
            with ui.element("section"):
                self._empty = Area("bks-stack")
                self._events = EventsPanel(project)
            with ui.element("aside"):
                self._broker = BrokerPanel(project)
                self._devices = DevicesPanel(project)
                self._deploy = DeployPanel(project)
        self._refresh()
        ui.timer(_EVERY_S, self._refresh)
        ui.timer(1.0, self._devices.expected)

    def _refresh(self) -> None:
        self._empty.show(nothing_yet(self._watcher), self._build_empty)
        self._broker.refresh()
        self._events.refresh()
        self._devices.refresh()
        self._deploy.refresh()

    def _build_empty(self) -> None:
        if nothing_yet(self._watcher):
            empty_state("sensors", "See your gestures arrive",
                        "Deploy a model to a board, name the broker that it reports to, and press "
                        "Watch. Whatever a board recognises appears here at once.")
