"""The pages of gestures and devices. What they show comes from the feed."""

from dataclasses import dataclass, field
from typing import Any

from nicegui import run, ui
from sqlalchemy import Engine

from host_tools.dashboard import charts, health
from host_tools.dashboard.filters import PERIODS, View
from host_tools.dashboard.frame import filters
from host_tools.dashboard.reading import CELL, fill, moment, now_ms, read, storing
from host_tools.dashboard.tab import Tab
from host_tools.store import queries, verdicts
from host_tools.store.tables import LATENCY_CLASSES_MS
from host_tools.studio.frame.language import later, number, tr
from host_tools.studio.frame.layout import empty_state
from host_tools.studio.frame.widgets import svg

_LATEST = 25
_SLOW_S = 15.0  # charts and sums
_DEVICES = 100
_SILENT_MS = 3 * 60_000  # three missed diagnoses
_LATENCY_LABELS = ("5", "10", "20", "50", "100", "200", "500", "1 s", "5 s", "60 s",
                   later("more"))  # fmt: skip
_CONFIDENCE_LABELS = [f"{10 * i}" for i in range(10)]
_EVENT_COLUMNS = (("time", later("Time")), ("gesture", later("Gesture")),
                  ("device", later("Device")), ("confidence", later("Confidence")),
                  ("latency", later("Latency")), ("model", later("Model")),
                  ("verdict", ""))  # fmt: skip
_DEVICE_COLUMNS = (("device", later("Device")), ("status", later("Status")),
                   ("seen", later("Last message")), ("events", later("Gestures")),
                   ("false_alarms", later("False alarms")), ("lost", later("Events lost")),
                   ("samples", later("Samples lost")), ("model", later("Model")),
                   ("firmware", later("Firmware")), ("sensor", later("Sensor")))  # fmt: skip
# Vue writes the values as text; only the address of a device is made of one.
_DEVICE_CELL = ('<q-td :props="props" :data-label="props.col.label">'
                '<a :href="\'/?device=\' + encodeURIComponent(props.value)">'
                "{{ props.value }}</a></q-td>")  # fmt: skip
_VERDICT_CELL = (
    '<q-td :props="props" data-label=""><q-btn flat dense no-caps :icon="props.row.false_alarm ? '
    "'undo' : 'flag'\" :label=\"props.row.mark\" :aria-label=\"props.row.said\" "
    "@click=\"$parent.$emit('mark', props.row)\" /></q-td>"
)


@dataclass
class Figures:
    """Of the first page."""

    totals: queries.Totals
    series: dict[str, list[tuple[int, int]]]
    latencies: list[int]
    confidences: list[int]
    wanted: queries.Filter = field(compare=False)  # its time goes on


def _figures(connection: Any, wanted: queries.Filter) -> Figures:
    latencies, confidences = queries.histograms(connection, wanted)
    return Figures(queries.totals(connection, wanted), queries.over_time(connection, wanted),
                   latencies, confidences, wanted)  # fmt: skip


async def gestures(engine: Engine, tab: Tab, view: View, person: str) -> None:
    """What was recognised, when, how sure and how fast; the latest, as they come."""
    known, names = await read(
        engine, lambda c: (queries.gestures(c), queries.device_names(c, limit=500)))  # fmt: skip
    await health.notice(tab)
    if not known:
        await health.waiting(tab, "gestures")
        return
    filters("", view, known, lambda: names)
    tiles = ui.element("div").classes("bd-tiles")
    with ui.element("section").classes("bk-card bk-stack"):
        with ui.element("div").classes("bk-between"):
            ui.label(tr("Gestures, {period}", period=tr(PERIODS[view.period][0]))).classes(
                "bk-title")
            with ui.element("div").classes("bk-row"):
                for kind, name in (("csv", "CSV"), ("parquet", "Parquet")):
                    ui.link(tr("Export {kind}", kind=name), f"/export.{kind}{view.query()}")
                ui.link(tr("Export false alarms"), "/false-alarms.zip").tooltip(tr(
                    "their samples, where the device kept them, as recordings for training"))
        over_time = ui.element("div").classes("bk-stack bd-over-time")
    with ui.element("div").classes("bd-pair"):
        with ui.element("section").classes("bk-card bk-stack"):
            ui.label(tr("Latency, up to ms")).classes("bk-title")
            latency = ui.element("div")
        with ui.element("section").classes("bk-card bk-stack"):
            ui.label(tr("Confidence, from %")).classes("bk-title")
            confidence = ui.element("div")

    def show(found: Figures) -> None:
        fill(tiles, lambda: _tiles(found))
        fill(over_time, lambda: _over_time(found))
        fill(latency, lambda: svg(charts.bars([tr(x) for x in _LATENCY_LABELS], found.latencies,
                                              tr("gestures by latency"))).classes("bk-wide"))
        fill(confidence, lambda: svg(charts.bars(_CONFIDENCE_LABELS, found.confidences,
                                                 tr("gestures by confidence"))).classes("bk-wide"))

    await tab.follow(tab.feed.question("figures", view, every_s=_SLOW_S, ask=lambda c: _figures(
        c, view.filter(now_ms()))), show)  # fmt: skip
    await _latest(engine, tab, view, person)


def _tiles(found: Figures) -> None:
    totals = found.totals
    p95 = queries.percentile_ms(found.latencies, 0.95)
    for text, value, note in (
        (tr("gestures"), number(totals.events),
         tr("{percent:.0f} % sure on average", percent=totals.confidence_percent)
         if totals.events else ""),
        (tr("marked as false alarms"), number(totals.false_alarms),
         tr("{percent:.1f} %", percent=100 * totals.false_alarms / totals.events)
         if totals.events else ""),
        (tr("latency of 95 %"), "–" if p95 is None else
         (f"≤ {number(p95)} ms" if p95 < LATENCY_CLASSES_MS[-1] else "> 60 s").replace(
             " ", "\N{NO-BREAK SPACE}"), tr("until sent")),
        (tr("devices offline"), number(totals.offline), tr("of {n:,}", n=totals.devices)),
    ):  # fmt: skip
        with ui.element("div").classes("bk-card"):
            ui.label(value).classes("bk-big")
            ui.label(text)
            ui.label(note).classes("bk-quiet bk-small")


def _over_time(found: Figures) -> None:
    if not found.series:
        empty_state("sensors_off", tr("No gestures in this time"),
                    tr("Choose a longer period, another device or another gesture."))  # fmt: skip
        return
    wanted = found.wanted
    step_ms = queries.step_ms(wanted)
    svg(charts.stacked(found.series, wanted.since_ms, min(wanted.until_ms, now_ms()),
                       step_ms)).classes("bk-wide")  # fmt: skip
    with ui.element("div").classes("bd-legend"):
        for name, colour in charts.colours(found.series).items():
            with ui.element("span"):
                ui.element("span").classes("bk-swatch").style(f"background: {colour}")
                ui.label(f" {name}  {number(sum(n for _, n in found.series[name]))}").style(
                    "display: inline")  # fmt: skip


async def _latest(engine: Engine, tab: Tab, view: View, person: str) -> None:
    columns = [{"name": name, "label": tr(label) if label else "", "field": name,
                "align": "right" if name in ("confidence", "latency") else "left"}
               for name, label in _EVENT_COLUMNS]  # fmt: skip
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label(tr("Latest")).classes("bk-title")
        with ui.element("div").classes("bk-scroll"):
            table = ui.table(columns=columns, rows=[], row_key="id").classes("bd-table")
            table.props("flat hide-pagination dense").props(f":rows-per-page-options=[{_LATEST}]")
            table.add_slot("body-cell", CELL)
            table.add_slot("body-cell-device", _DEVICE_CELL)
            table.add_slot("body-cell-verdict", _VERDICT_CELL)

    def show(found: list[queries.Row]) -> None:
        rows = [_event_row(row) for row in found]
        if rows != table.rows:
            table.rows = rows

    question = tab.feed.question("latest", view, ask=lambda c: queries.latest(
        c, view.filter(now_ms()), _LATEST))  # fmt: skip

    async def mark(event: Any) -> None:
        row = event.args
        known = next((r for r in table.rows if r["id"] == row.get("id")), None)
        if known is None:  # it has scrolled away meanwhile
            return
        with storing():
            done = await run.io_bound(verdicts.mark, engine, known["device"], known["boot"],
                                      known["seq"], not known["false_alarm"], person or "local",
                                      now_ms())  # fmt: skip
            if not done:
                ui.notify(tr("This gesture is not in the store any more."), type="warning")
        await tab.feed.ask(question)

    table.on("mark", mark)
    await tab.follow(question, show)


def _event_row(row: queries.Row) -> dict[str, Any]:
    mark = tr("not a false alarm") if row.verdict else tr("false alarm")
    return {
        "id": f"{row.device}/{row.boot}/{row.seq}", "boot": row.boot, "seq": row.seq,
        "time": moment(row.at_ms), "device": row.device, "gesture": row.gesture,
        "confidence": f"{row.confidence} %",
        "latency": "–" if row.latency_ms is None else f"{number(row.latency_ms)} ms",
        "model": row.model, "false_alarm": bool(row.verdict), "verdict": "", "mark": mark,
        "said": tr("{mark}: {gesture} of {device}", mark=mark, gesture=row.gesture,
                   device=row.device),
    }  # fmt: skip


async def devices(engine: Engine, tab: Tab, view: View) -> None:
    """Each device: is it there, what did it lose, what runs on it."""
    known, names = await read(engine, lambda c: (
        queries.gestures(c), queries.device_names(c, limit=500)))  # fmt: skip
    await health.notice(tab)
    if not names:
        await health.waiting(tab, "devices")
        return
    filters("devices", view, known, lambda: names)
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label(tr("Models on the devices")).classes("bk-title")
        models = ui.element("div").classes("bd-legend")
    columns = [{"name": name, "label": tr(label), "field": name,
                "align": "left" if name in ("device", "status", "model", "sensor") else "right"}
               for name, label in _DEVICE_COLUMNS]  # fmt: skip
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label(tr("Devices, {period}; offline ones first",
                    period=tr(PERIODS[view.period][0]))).classes("bk-title")  # fmt: skip
        with ui.element("div").classes("bk-scroll"):
            table = ui.table(columns=columns, rows=[], row_key="device").classes("bd-table")
            table.props("flat hide-pagination dense").props(
                f":rows-per-page-options=[{_DEVICES}]")  # fmt: skip
            table.add_slot("body-cell", CELL)
            table.add_slot("body-cell-device", _DEVICE_CELL)
        turns = ui.element("div").classes("bk-row")

    def show_models(found: list[tuple[str, int]]) -> None:
        fill(models, lambda: [ui.label(f"{model or tr('none', about='no model')}: {number(count)}")
                              for model, count in found[:20]])  # fmt: skip

    def show(found: list[queries.DeviceRow]) -> None:
        rows = [_device_row(row) for row in found[:_DEVICES]]
        if rows != table.rows:
            table.rows = rows
        before.set_visibility(place["offset"] > 0)
        after.set_visibility(len(found) > _DEVICES)

    async def turn(by: int) -> None:
        """To another page of the table."""
        place["offset"] = offset = max(0, place["offset"] + by)
        place["end"]()
        place["end"] = await tab.follow(tab.feed.question(
            "devices", view, offset, every_s=5.0, ask=lambda c: queries.devices(
                c, view.filter(now_ms()), _DEVICES + 1, offset)), show)  # fmt: skip

    place: dict[str, Any] = {"offset": 0, "end": lambda: None}
    with turns:
        before, after = (
            ui.button(text, color=None, on_click=lambda by=by: turn(by)).props(
                "flat no-caps").classes("bk-button bk-plain")
            for text, by in ((tr("Previous"), -_DEVICES), (tr("Next"), _DEVICES)))  # fmt: skip
    await tab.follow(tab.feed.question("models", ask=queries.models, every_s=_SLOW_S), show_models)
    await turn(0)


def _device_row(row: queries.DeviceRow) -> dict[str, Any]:
    silent = row.overdue if row.asleep else row.last_ms < now_ms() - _SILENT_MS
    well = tr("asleep") if row.asleep else tr("online")
    status = {True: tr("silent") if silent else well, False: tr("offline"), None: tr("unknown")}
    lost = 100 * row.samples_lost / (row.samples + row.samples_lost or 1)
    return {
        "device": row.name, "status": status[row.online],
        "seen": moment(row.last_ms),
        "events": number(row.events), "false_alarms": number(row.false_alarms),
        "lost": number(row.lost),
        "samples": tr("{n:,} ({percent:.2f} %)", n=row.samples_lost, percent=lost),
        "model": row.model or "–", "firmware": row.firmware or "–", "sensor": row.sensor or "–",
    }  # fmt: skip
