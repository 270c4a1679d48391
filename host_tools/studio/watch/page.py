"""Deploy a model and watch its events arrive, with each device's health."""
from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from host_tools.studio.frame.language import tr
from host_tools.studio.frame.layout import empty_state
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.widgets import Area
from host_tools.studio.watch.deploy import Deployer
from host_tools.studio.watch.panels import (
    BrokerPanel,
    DeployPanel,
    DevicesPanel,
    EventsPanel,
    nothing_yet,
)
from host_tools.studio.watch.session import WatchSession
from host_tools.studio.watch.teach import Teacher
from host_tools.studio.watch.teach_panel import TeachPanel

_REFRESH_S = 0.15


def page(project: Project, watcher: WatchSession, deployer: Deployer, teacher: Teacher,
         release_port: Callable[[str], None]) -> None:
    """Build the page's content inside the frame.

    release_port(port) frees a serial port that another page may hold.
    """
    WatchPage(project, watcher, deployer, teacher, release_port)


class WatchPage:
    """What one tab shows of the project's watcher, deployer and teacher."""

    def __init__(self, project: Project, watcher: WatchSession, deployer: Deployer,
                 teacher: Teacher, release_port: Callable[[str], None]):
        self._watcher = watcher
        with ui.element("div").classes("bk-split"):
            with ui.element("section"):
                self._empty = Area("bk-stack")
                self._events = EventsPanel(project, watcher)
            with ui.element("aside"):
                self._broker = BrokerPanel(project, watcher)
                self._devices = DevicesPanel(project, watcher)
                self._deploy = DeployPanel(project, deployer, release_port)
                self._teach = TeachPanel(project, watcher, teacher)
        self._refresh()
        ui.timer(_REFRESH_S, self._refresh)
        ui.timer(1.0, self._devices.expected)

    def _refresh(self) -> None:
        self._empty.show(nothing_yet(self._watcher), self._build_empty)
        self._broker.refresh()
        self._events.refresh()
        self._devices.refresh()
        self._deploy.refresh()
        self._teach.refresh()

    def _build_empty(self) -> None:
        if nothing_yet(self._watcher):
            empty_state("sensors", tr("See your gestures arrive"),
                        tr("Deploy a model to a board, enter the broker that the board uses, and "
                        "press Watch. Each gesture that a board recognises appears here at once."))
