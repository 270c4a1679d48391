"""The pages: gestures, devices, collecting. What is read from the store is read in a thread."""

from dataclasses import dataclass
from typing import Any

from nicegui import run, ui
from sqlalchemy import Engine

from host_tools.dashboard import charts
from host_tools.dashboard.filters import PERIODS, View
from host_tools.dashboard.frame import filters
from host_tools.dashboard.reading import fill, moment, now_ms, read
from host_tools.store import queries, verdicts
from host_tools.store.tables import LATENCY_CLASSES_MS
from host_tools.studio.frame.layout import empty_state
from host_tools.studio.frame.widgets import svg

_LATEST = 25
_LIVE_S = 1.0
_SLOW_S = 15.0  # charts and sums
_DEVICES = 100
_SILENT_MS = 3 * 60_000  # three missed diagnoses
_LATENCY_LABELS = ("5", "10", "20", "50", "100", "200", "500", "1 s", "5 s", "60 s", "more")
_CONFIDENCE_LABELS = [f"{10 * i}" for i in range(10)]
_EVENT_COLUMNS = (("time", "Time"), ("gesture", "Gesture"), ("device", "Device"),
                  ("confidence", "Confidence"), ("latency", "Latency"), ("model", "Model"),
                  ("verdict", ""))  # fmt: skip
# Vue writes the values as text; only the address of a device is made of one.
_DEVICE_CELL = ('<q-td :props="props"><a :href="\'/?device=\' + encodeURIComponent(props.value)">'
                "{{ props.value }}</a></q-td>")  # fmt: skip
_VERDICT_CELL = (
    '<q-td :props="props"><q-btn flat dense no-caps :icon="props.row.false_alarm ? '
    "'undo' : 'flag'\" :label=\"props.row.false_alarm ? 'not a false alarm' : 'false alarm'\" "
    ":aria-label=\"(props.row.false_alarm ? 'not a false alarm: ' : 'false alarm: ') + "
    "props.row.gesture + ' of ' + props.row.device\" "
    "@click=\"$parent.$emit('mark', props.row)\" /></q-td>"
)


@dataclass
class Figures:
    """Of the first page."""

    totals: queries.Totals
    series: dict[str, list[tuple[int, int]]]
    latencies: list[int]
    confidences: list[int]
    wanted: queries.Filter


def _figures(connection: Any, wanted: queries.Filter) -> Figures:
    latencies, confidences = queries.histograms(connection, wanted)
    return Figures(queries.totals(connection, wanted), queries.over_time(connection, wanted),
                   latencies, confidences, wanted)  # fmt: skip


async def gestures(engine: Engine, view: View, person: str) -> None:
    """What was recognised, when, how sure and how fast; the latest, as they come."""
    known, names = await read(
        engine, lambda c: (queries.gestures(c), queries.device_names(c, limit=500)))  # fmt: skip
    filters("", view, known, lambda: names)
    tiles = ui.element("div").classes("bd-tiles")
    with ui.element("section").classes("bk-card bk-stack"):
        with ui.element("div").classes("bk-between"):
            ui.label(f"Gestures, {PERIODS[view.period][0]}").classes("bk-title")
            with ui.element("div").classes("bk-row"):
                for kind in ("csv", "parquet"):
                    ui.link(f"Export {kind.upper() if kind == 'csv' else 'Parquet'}",
                            f"/export.{kind}{view.query()}")  # fmt: skip
                ui.link("Export false alarms", "/false-alarms.zip").tooltip(
                    "their samples, where the device kept them, as recordings for training")
        over_time = ui.element("div").classes("bk-stack bd-over-time")
    with ui.element("div").classes("bd-pair"):
        with ui.element("section").classes("bk-card bk-stack"):
            ui.label("Latency, up to ms").classes("bk-title")
            latency = ui.element("div")
        with ui.element("section").classes("bk-card bk-stack"):
            ui.label("Confidence, from %").classes("bk-title")
            confidence = ui.element("div")
    shown: list[Figures] = []

    async def figures() -> None:
        found = await read(engine, _figures, view.filter(now_ms()))
        if shown and _same(shown[0], found):
            return
        shown[:] = [found]
        fill(tiles, lambda: _tiles(found))
        fill(over_time, lambda: _over_time(found))
        fill(latency, lambda: svg(charts.bars(_LATENCY_LABELS, found.latencies,
                                               "events by latency")).classes("bk-wide"))
        fill(confidence, lambda: svg(charts.bars(_CONFIDENCE_LABELS, found.confidences,
                                                  "events by confidence")).classes("bk-wide"))

    await figures()
    await _latest(engine, view, person)
    ui.timer(_SLOW_S, figures, immediate=False)


def _same(one: Figures, other: Figures) -> bool:
    return (one.totals, one.series, one.latencies) == (other.totals, other.series, other.latencies)


def _tiles(found: Figures) -> None:
    totals = found.totals
    p95 = queries.percentile_ms(found.latencies, 0.95)
    share = f"{100 * totals.false_alarms / totals.events:.1f} %" if totals.events else ""
    for text, value, note in (
        ("gestures", f"{totals.events:,}", f"{totals.confidence_percent:.0f} % sure on average"
         if totals.events else ""),
        ("marked as false alarms", f"{totals.false_alarms:,}", share),
        ("latency of 95 %", "–" if p95 is None else
         (f"≤ {p95} ms" if p95 < LATENCY_CLASSES_MS[-1] else "> 60 s"), "until sent"),
        ("devices offline", f"{totals.offline:,}", f"of {totals.devices:,}"),
    ):  # fmt: skip
        with ui.element("div").classes("bk-card"):
            ui.label(value).classes("bk-big")
            ui.label(text)
            ui.label(note).classes("bk-quiet bk-small")


def _over_time(found: Figures) -> None:
    if not found.series:
        empty_state("sensors_off", "No gestures in this time",
                    "Choose a longer period, or start `beckon collect`.")  # fmt: skip
        return
    wanted = found.wanted
    step_ms = queries.step_ms(wanted)
    svg(charts.stacked(found.series, wanted.since_ms, min(wanted.until_ms, now_ms()),
                       step_ms)).classes("bk-wide")  # fmt: skip
    with ui.element("div").classes("bd-legend"):
        for name, colour in charts.colours(found.series).items():
            with ui.element("span"):
                ui.element("span").classes("bk-swatch").style(f"background: {colour}")
                ui.label(f" {name}  {sum(n for _, n in found.series[name]):,}").style(
                    "display: inline")  # fmt: skip


async def _latest(engine: Engine, view: View, person: str) -> None:
    columns = [{"name": name, "label": label, "field": name,
                "align": "right" if name in ("confidence", "latency") else "left"}
               for name, label in _EVENT_COLUMNS]  # fmt: skip
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label("Latest").classes("bk-title")
        with ui.element("div").classes("bk-scroll"):
            table = ui.table(columns=columns, rows=[], row_key="id").classes("bd-table")
            table.props("flat hide-pagination dense").props(f":rows-per-page-options=[{_LATEST}]")
            table.add_slot("body-cell-device", _DEVICE_CELL)
            table.add_slot("body-cell-verdict", _VERDICT_CELL)

    async def refresh() -> None:
        rows = [_event_row(row) for row in await read(
            engine, queries.latest, view.filter(now_ms()), _LATEST)]  # fmt: skip
        if rows != table.rows:
            table.rows = rows

    async def mark(event: Any) -> None:
        row = event.args
        known = next((r for r in table.rows if r["id"] == row.get("id")), None)
        if known is None:  # it has scrolled away meanwhile
            return
        done = await run.io_bound(verdicts.mark, engine, known["device"], known["boot"],
                                  known["seq"], not known["false_alarm"], person or "local",
                                  now_ms())  # fmt: skip
        if not done:
            ui.notify("This event is not in the store any more.", type="warning")
        await refresh()

    table.on("mark", mark)
    await refresh()
    ui.timer(_LIVE_S, refresh, immediate=False)


def _event_row(row: queries.Row) -> dict[str, Any]:
    return {
        "id": f"{row.device}/{row.boot}/{row.seq}", "boot": row.boot, "seq": row.seq,
        "time": moment(row.at_ms), "device": row.device, "gesture": row.gesture,
        "confidence": f"{row.confidence} %",
        "latency": "–" if row.latency_ms is None else f"{row.latency_ms} ms",
        "model": row.model, "false_alarm": bool(row.verdict), "verdict": "",
    }  # fmt: skip


async def devices(engine: Engine, view: View) -> None:
    """Each device: is it there, what did it lose, what runs on it."""
    known, names, models = await read(engine, lambda c: (
        queries.gestures(c), queries.device_names(c, limit=500), queries.models(c)))
    filters("devices", view, known, lambda: names)
    if not names:
        empty_state("developer_board_off", "No device has reported yet",
                    "Start `beckon collect`; each device appears with its first message.")
        return
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label("Models on the devices").classes("bk-title")
        with ui.element("div").classes("bd-legend"):
            for model, count in models[:20]:
                ui.label(f"{model or 'none'}: {count:,}")
    columns = [{"name": name, "label": label, "field": name,
                "align": "left" if name in ("device", "status", "model", "sensor") else "right"}
               for name, label in (("device", "Device"), ("status", "Status"),
                                   ("seen", "Last message"), ("events", "Gestures"),
                                   ("false_alarms", "False alarms"), ("lost", "Events lost"),
                                   ("samples", "Samples lost"), ("model", "Model"),
                                   ("firmware", "Firmware"), ("sensor", "Sensor"))]  # fmt: skip
    page = {"offset": 0}
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label(f"Devices, {PERIODS[view.period][0]}; offline ones first").classes("bk-title")
        with ui.element("div").classes("bk-scroll"):
            table = ui.table(columns=columns, rows=[], row_key="device").classes("bd-table")
            table.props("flat hide-pagination dense").props(
                f":rows-per-page-options=[{_DEVICES}]")  # fmt: skip
            table.add_slot("body-cell-device", _DEVICE_CELL)
        more = ui.element("div").classes("bk-row")

    async def refresh() -> None:
        found = await read(engine, queries.devices, view.filter(now_ms()), _DEVICES,
                            page["offset"])  # fmt: skip
        rows = [_device_row(row) for row in found]
        if rows != table.rows:
            table.rows = rows

    async def turn(by: int) -> None:
        page["offset"] = max(0, page["offset"] + by)
        await refresh()

    with more:
        for text, by in (("Previous", -_DEVICES), ("Next", _DEVICES)):
            ui.button(text, color=None, on_click=lambda by=by: turn(by)).props(
                "flat no-caps").classes("bk-button bk-plain")  # fmt: skip
    await refresh()
    ui.timer(_SLOW_S, refresh, immediate=False)


def _device_row(row: queries.DeviceRow) -> dict[str, Any]:
    silent = row.overdue if row.asleep else row.last_ms < now_ms() - _SILENT_MS
    well = "asleep" if row.asleep else "online"
    status = {True: "silent" if silent else well, False: "offline", None: "unknown"}
    lost = 100 * row.samples_lost / (row.samples + row.samples_lost or 1)
    return {
        "device": row.name, "status": status[row.online],
        "seen": moment(row.last_ms),
        "events": f"{row.events:,}", "false_alarms": f"{row.false_alarms:,}",
        "lost": f"{row.lost:,}", "samples": f"{row.samples_lost:,} ({lost:.2f} %)",
        "model": row.model or "–", "firmware": row.firmware or "–", "sensor": row.sensor or "–",
    }  # fmt: skip


async def health(engine: Engine, view: View) -> None:
    """Are the collectors alive, how far behind are they, what was kept aside."""
    box = ui.element("div").classes("bk-stack")

    async def refresh() -> None:
        every, reasons, kept = await read(engine, lambda c: (
            queries.collectors(c), queries.quarantine_counts(c), queries.quarantined(c, 20)))
        fill(box, lambda: _health(every, reasons, kept))

    await refresh()
    ui.timer(_SLOW_S, refresh, immediate=False)


def _health(every: list[Any], reasons: list[tuple[str, int, int]], kept: list[Any]) -> None:
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label("Collectors").classes("bk-title")
        if not every:
            ui.label("None has ever written here. Start `beckon collect`.").classes("bk-quiet")
        for row in every:
            age_s = (now_ms() - row.at_ms) // 1000
            with ui.element("div").classes("bk-row"):
                alive = age_s < 30
                ui.icon("check_circle" if alive else "cancel").classes(
                    f"bk-{'good' if alive else 'bad'} bk-mark")  # fmt: skip
                ui.label(f"{row.name}: {'alive' if alive else f'silent for {age_s} s'}; "
                         f"{row.stored:,} stored, {row.repeated:,} repeats dropped, "
                         f"{row.quarantined:,} kept aside; 95 % stored within "
                         f"{row.stored_ms_p95} ms; {row.waiting:,} wait")  # fmt: skip
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label("Messages kept aside").classes("bk-title")
        if not reasons:
            ui.label("None: every message was right.").classes("bk-quiet")
        for reason, messages, last_ms in reasons:
            ui.label(f"{reason}: {messages:,}, the last one {moment(last_ms)}")
        for row in kept:
            content = bytes(row.payload[:200]).decode("utf-8", "replace")
            ui.label(f"{row.reason} · {row.topic} · {row.detail} · {row.size} bytes: {content}"
                     ).classes("bk-quiet bk-small bk-break")  # fmt: skip
