"""The Watch page's cards: the broker, deployment, devices' health, events as they arrive."""
from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from nicegui import run, ui

from host_tools.device.known_broker import exposure, known_broker
from host_tools.device.ports import candidates
from host_tools.device.settings import default_folder
from host_tools.errors import BeckonError
from host_tools.model.golden import read_model
from host_tools.mqtt.power_state import next_contact_s
from host_tools.studio.frame.language import number, said, tr, tr_n
from host_tools.studio.frame.layout import message
from host_tools.studio.frame.project import Project, free_path
from host_tools.studio.frame.theme import label_colour
from host_tools.studio.frame.widgets import (
    Area,
    broker_field,
    choice,
    mark,
    select_field,
    svg,
    text_field,
    warn,
)
from host_tools.studio.signal.charts import LaneWords, lanes
from host_tools.studio.watch.board_label import board_label
from host_tools.studio.watch.deploy import Deployer
from host_tools.studio.watch.device_health import Sign, signs
from host_tools.studio.watch.session import SeenEvent, WatchSession

_ROWS = 60
_FRESH_S = 4.0  # how long the newest event stands out
_SPANS = {60: "1 min", 600: "10 min", 3600: "1 h"}
_OWN_MODEL = ""  # none is sent: the board keeps its own


class BrokerPanel:
    """The broker's address, and whether it is connected."""

    def __init__(self, project: Project, watcher: WatchSession):
        self._watcher = watcher
        self._form = project.form("watch", broker="", span=60)
        self._area = Area("bk-card bk-stack")

    def refresh(self) -> None:
        watcher = self._watcher
        self._area.show((watcher.state, watcher.fault), self._build)

    def _build(self) -> None:
        watcher, area = self._watcher, self._area
        if watcher.state in ("off", "failed"):
            ui.label(tr("Broker")).classes("bk-title")
            broker_field(tr("Address"), self._form)
            if watcher.state == "failed":
                message(watcher.fault)
            area.button(tr("Watch"), "sensors", self._open, "Enter", kind="primary",
                        typing=True).classes("bk-wide")
            return
        words = {"connecting": tr("Connecting to"), "on": tr("Watching"),
                 "lost": tr("Lost, trying again:")}
        with ui.element("div").classes("bk-between"):
            with ui.element("div").style("min-width: 0"):
                with ui.element("div").classes("bk-row").style("gap: .4rem"):
                    mark("good" if watcher.state == "on" else "warn")
                    ui.label(words.get(watcher.state, tr("Broker"))).style("font-weight: 700")
                ui.label(str(watcher.broker)).classes("bk-quiet bk-small bk-break")
                if watcher.broker and exposure(watcher.broker):
                    ui.label(tr("Not encrypted: {what}", what=exposure(watcher.broker))).classes(
                        "bk-warn bk-small bk-break")
            area.button(tr("Stop"), "link_off", self._close, "x", hint=tr("stop watching"))

    def _open(self) -> None:
        try:
            self._watcher.open(known_broker(self._form["broker"].strip()))
        except BeckonError as error:
            warn(error)

    async def _close(self) -> None:
        await run.io_bound(self._watcher.close)


class DeployPanel:
    """Deploy a model, or firmware and model, to a board."""

    def __init__(self, project: Project, deployer: Deployer,
                 release_port: Callable[[str], None]):
        self._project = project
        self._deployer, self._release_port = deployer, release_port
        self._watch_form = project.form("watch")
        found = candidates()
        self._form = project.form(
            "deploy", way="serial", port=found[0][0] if len(found) == 1 else "", device="",
            model=None, models=(), settings=False,
        )
        self._area = Area("bk-card bk-stack")

    def refresh(self) -> None:
        view = self._deployer.view
        running = view.state == "running"
        names = tuple(path.name for path in self._project.models())
        if names != self._form["models"]:  # the newest is what people mean, until they choose
            self._form.update(models=names, model=names[-1] if names else _OWN_MODEL)
        self._area.show((running, names, None if running else view), self._build)
        if running:
            self._what.set_text(f"{view.what} ...")
            self._bar.set_visibility(view.share is not None)
            self._fill.style(f"width: {100 * (view.share or 0):.0f}%")

    def _build(self) -> None:
        ui.label(tr("Deploy")).classes("bk-title")
        view = self._deployer.view
        if view.state == "running":
            self._what = ui.label().classes("bk-break")
            with ui.element("div").classes("bk-bar") as self._bar:
                self._fill = ui.element("div")
            ui.label(tr("If this ends early, the board keeps what it had. Deploy again "
                        "then.")).classes("bk-quiet bk-small")
            return
        form = self._form
        choice({"serial": tr("By USB"), "mqtt": tr("Through the broker")}, form, "way",
               lambda: fields.show(form["way"], build_fields))
        fields = Area("bk-stack")

        def build_fields() -> None:
            (self._serial if form["way"] == "serial" else self._mqtt)()

        fields.show(form["way"], build_fields)
        self._area.button(tr("Deploy"), "publish", self._go, "d", kind="primary").classes("bk-wide")
        if view.state == "failed":
            message(view.message)
        elif view.state == "done":
            with ui.element("div").classes("bk-row").style("flex-wrap: nowrap"):
                mark("good" if view.model and not view.warning else "warn")
                ui.label(said(view.message)).classes("bk-break bk-small")
            if not view.model:
                ui.label(tr("No model was sent: the board recognises what its own model knows."))\
                    .classes("bk-warn bk-small bk-break")
            if view.warning:
                ui.label(view.warning).classes("bk-warn bk-small bk-break")
            if view.label:
                board_label(view.label, self._area)

    def _models(self, own: bool) -> None:
        """The choice of a model. own: also to send none."""
        paths = list(reversed(self._project.models()))
        names = {path.name: tr("{name} (the newest)", name=path.name) if path is paths[0]
                 else path.name for path in paths}
        if not paths:
            ui.label(tr("There is no model in models/ yet: train one and save it. Until then only "
                        "the firmware can be sent.") if own else
                     tr("There is no model in models/ yet: train one and save it.")).classes(
                "bk-warn bk-small")
        if own:
            names[_OWN_MODEL] = tr("None: the firmware alone, the board keeps its model")
        if names:
            select_field(tr("Model"), names, self._form, "model")

    def _serial(self) -> None:
        text_field(tr("Serial port"), self._form, "port", autocomplete=[p for p, _ in candidates()],
                   placeholder="/dev/ttyUSB0")
        self._models(own=True)
        switch = ui.switch(tr("Also Wi-Fi and broker settings"), value=self._form["settings"])
        switch.on_value_change(lambda e: self._form.__setitem__("settings", e.value))
        switch.tooltip(tr("from {folder}, where beckon setup keeps them",
                          folder=default_folder()))

    def _mqtt(self) -> None:
        text_field(tr("Device"), self._form, "device", placeholder="beckon-kitchen")
        self._models(own=False)
        ui.label(tr("The board accepts a model only with its update_key (beckon setup). It tries "
                    "the model and goes back to the old one if the new one fails.")).classes(
            "bk-quiet bk-small")

    async def _go(self) -> None:
        form = self._form
        path = next((p for p in self._project.models() if p.name == form["model"]), None)
        try:
            if form["way"] == "serial":
                port = form["port"].strip()
                await run.io_bound(self._release_port, port)
                folder = default_folder() if form["settings"] else None
                await run.io_bound(self._deployer.serial, port, path, folder)
            elif path is None:
                raise BeckonError("choose a model; if there is none, train and save one first")
            else:
                broker = known_broker(self._watch_form["broker"].strip())
                self._deployer.mqtt(broker, form["device"].strip(), path)
        except BeckonError as error:
            warn(error)


class DevicesPanel:
    """One card per device: whether it is online, and its health."""

    def __init__(self, project: Project, watcher: WatchSession):
        self._project = project
        self._watcher = watcher
        self._area = Area("bk-stack")
        self._known: tuple[Path, int] | None = None
        self._model = ""

    async def expected(self) -> None:
        """Look up the id of the project's newest model."""
        path = self._project.model_path()
        known = (path, path.stat().st_mtime_ns) if path else None
        if known != self._known:
            self._known = known
            try:
                model = await run.io_bound(read_model, path) if path else None
                self._model = model.model_id if model else ""
            except BeckonError:
                self._model = ""

    def refresh(self) -> None:
        devices = self._watcher.devices()
        shown = tuple((d.name, d.online, tuple(signs(d, self._model)), d.events,
                      d.diag_at)
                     for d in devices.values())
        self._area.show(shown, self._build)

    def _build(self) -> None:
        devices = self._watcher.devices()
        if not devices and self._watcher.state == "on":
            with ui.element("div").classes("bk-card"):
                ui.label(tr("No device has reported yet. A board reports as soon as it has Wi-Fi "
                            "and this broker.")).classes("bk-quiet")
        for device in devices.values():
            with ui.element("div").classes("bk-card bk-stack-small"):
                with ui.element("div").classes("bk-between"):
                    ui.label(device.name).classes("bk-title bk-break")
                    ui.label(tr_n("{n} event", "{n} events", device.events)).classes("bk-quiet")
                for sign in signs(device, self._model):
                    _sign(sign)
                if device.diag_at:
                    at = tr("counters of {time}", time=f"{device.diag_at.astimezone():%H:%M:%S}")
                    ui.label(at).classes("bk-quiet bk-small")
                elif device.online:
                    ui.label(tr("its counters arrive every minute")).classes("bk-quiet bk-small")
        if any(device.online for device in devices.values()):
            self._area.button(tr("Ask for health now"), "monitor_heart", self._ask, "h",
                              kind="plain", hint=tr("ask for health"))

    async def _ask(self) -> None:
        for device in self._watcher.devices().values():
            if device.online and not next_contact_s(device.state):
                try:
                    await run.io_bound(self._watcher.ask, device.name)
                except BeckonError as error:
                    warn(error)


def _sign(sign: Sign) -> None:
    with ui.element("div").classes("bk-sign"):
        mark(sign.level)
        ui.label(sign.name).classes("bk-quiet")
        ui.label(sign.value).classes("bk-break").style("font-weight: 600")
        if sign.advice:
            ui.label(sign.advice).classes("bk-advice bk-small bk-quiet")


class EventsPanel:
    """The newest event in letters for the whole room, the last minutes, and the list."""

    def __init__(self, project: Project, watcher: WatchSession):
        self._project = project
        self._watcher = watcher
        self._form = project.form("watch", span=60)
        self._newest = Area("bk-card bk-newest")
        with ui.element("div").classes("bk-card bk-stack") as self._card:
            with ui.element("div").classes("bk-between"):
                self._title = ui.label().classes("bk-title")
                with ui.element("div").style("width: 17rem"):
                    choice(_SPANS, self._form, "span", self._redraw)
            self._lanes = svg("").classes("bk-wide")
        self._table = Area("bk-card bk-stack")
        self._drawn = -1.0

    def refresh(self) -> None:
        watcher = self._watcher
        shown = watcher.state in ("on", "lost") or watcher.total > 0
        for part in (self._newest.box, self._card, self._table.box):
            part.set_visibility(shown)
        if not shown:
            return
        events = watcher.events(_ROWS)
        last = events[-1] if events else None
        fresh = last is not None and _ago_s(last) < _FRESH_S
        self._newest.show((last, fresh), lambda: self._build_newest(last, fresh))
        self._table.show((watcher.total, last), lambda: self._build_table(events))
        now = datetime.now(UTC).timestamp()
        if now - self._drawn >= 1:
            self._redraw()

    def _build_newest(self, last: SeenEvent | None, fresh: bool) -> None:
        self._newest.box.classes(remove="bk-old" if fresh else "",
                                 add="" if fresh else "bk-old")
        if last is None:
            with ui.element("div"):
                ui.label(tr("Waiting")).classes("bk-event")
                ui.label(tr("Make a gesture. It appears here when it arrives.")).classes("bk-quiet")
            return
        with ui.element("div").props('aria-live="assertive"'):
            ui.label(last.label).classes("bk-event")
            ui.label(tr("from {device}, {time}", device=last.device,
                        time=f"{last.received.astimezone():%H:%M:%S}")).classes(
                "bk-quiet bk-break")
        with ui.element("div").style("text-align: right"):
            ui.label(f"{_shown(last.confidence)} %").classes("bk-big")
            ui.label(tr("confidence")).classes("bk-quiet")
            if last.label_confidence is not None:
                ui.label(f"{last.label_confidence} %").classes("bk-big")
                ui.label(tr("label confidence")).classes("bk-quiet")
            ui.label(f"{_shown(last.latency_ms)} ms").classes("bk-big")
            ui.label(tr("until sent")).classes("bk-quiet")

    def _colours(self) -> dict[str, str]:
        """A lane for each label: the project's, those that devices know, those that came."""
        names = dict.fromkeys(self._project.gestures())
        for device in self._watcher.devices().values():
            labels = device.labels
            names |= dict.fromkeys(labels[1:] if labels else ())
        names |= dict.fromkeys(self._watcher.counts)
        shown = list(names)[:12]
        return {name: label_colour(shown, name) for name in shown}

    def _redraw(self) -> None:
        watcher, span = self._watcher, float(self._form["span"])
        self._drawn = datetime.now(UTC).timestamp()
        events = [(_ago_s(e), e.label) for e in watcher.events()]
        changes = [((datetime.now(UTC) - c.received).total_seconds(), c.online)
                   for c in watcher.changes()]
        self._lanes.set_content(lanes(events, changes, self._colours(), span, words=LaneWords(
            tr("events over time"), tr("online"), tr("offline"), tr("now"),
            tr("{n} s ago", n="{n}"),
            tr("{n} min ago", n="{n}"))))
        counts = ", ".join(f"{label} {n}" for label, n in watcher.counts.most_common(6))
        self._title.set_text(tr_n("{n} event", "{n} events", watcher.total)
                             + (f": {counts}" if counts else ""))

    def _build_table(self, events: list[SeenEvent]) -> None:
        with ui.element("div").classes("bk-between"):
            ui.label(tr("This run")).classes("bk-title")
            with ui.element("div").classes("bk-row").style("flex-wrap: nowrap"):
                self._table.button(tr("Save"), "save", self._save, "s", hint=tr("save the history"))
                self._table.button(tr("Clear"), "clear_all", self._watcher.forget, "Delete",
                                   hint=tr("clear the list"))
        if not events:
            ui.label(tr("Nothing yet.")).classes("bk-quiet")
            return
        with ui.element("div").classes("bk-scroll"), ui.element("table").classes("bk-table"):
            with ui.element("tr"):
                for name in (tr("gesture"), tr("device"), tr("time"), tr("confidence"),
                             tr("label confidence"), tr("delay"), tr("no."), tr("model")):
                    with ui.element("th"):
                        ui.label(name)
            for e in reversed(events):
                with ui.element("tr"):
                    for text in (e.label, e.device, f"{e.received.astimezone():%H:%M:%S}",
                                 f"{_shown(e.confidence)} %", f"{_shown(e.label_confidence)} %",
                                 f"{_shown(e.latency_ms)} ms", _shown(e.seq), e.model):
                        with ui.element("td"):
                            ui.label(text)

    def _save(self) -> None:
        try:
            folder = self._project.inside("runs")
            name = f"watch-{datetime.now(UTC):%Y%m%d-%H%M%S}"
            path = free_path(folder, name, ".csv")
            count = self._watcher.save(path)
        except BeckonError as error:
            warn(error)
            return
        ui.notify(tr_n("{n} event in {file}", "{n} events in {file}", count,
                       file=f"runs/{path.name}"), type="positive", position="top")


def _ago_s(event: SeenEvent) -> float:
    return (datetime.now(UTC) - event.received).total_seconds()


def _shown(value: int | None) -> str:
    return "?" if value is None else number(value)


def nothing_yet(watcher: WatchSession) -> bool:
    return watcher.state in ("off", "failed", "connecting") and watcher.total == 0
