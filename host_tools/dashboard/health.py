"""Does anything collect: the page of collectors, and what the other pages say of it."""

from typing import Any

from nicegui import ui

from host_tools.dashboard.reading import fill, moment, now_ms
from host_tools.dashboard.tab import Tab
from host_tools.store import queries
from host_tools.studio.frame.durations import duration
from host_tools.studio.frame.language import later, tr
from host_tools.studio.frame.layout import empty_state, message

_ALIVE_MS = 30_000  # six signs of life missed
_SHOWN = 20  # messages kept aside
_REASONS = {
    "malformed": later("not JSON, or not text"),
    "oversized": later("too long"),
    "schema": later("JSON that does not fit the schema: often a firmware of another version"),
    "future": later("more than ten minutes ahead: a device's clock is wrong"),
    "stale": later("older than what is kept: a device's clock is wrong, or it was offline long"),
    "replayed": later("retained by the broker; devices never retain a gesture"),
    "forged": later("another gesture has the same device, start and number"),
    "topic": later("not a topic of a device"),
    "unstorable": later("the database refuses the value"),
}


def _question(tab: Tab) -> Any:
    return tab.feed.question("collectors", ask=queries.collectors, every_s=5.0)


async def notice(tab: Tab) -> None:
    """A line on a page, if collectors have been here and not one is alive."""
    box = ui.element("div")

    def show(every: list[Any]) -> None:
        newest_ms = max((row.at_ms for row in every), default=None)
        silent_ms = now_ms() - newest_ms if newest_ms is not None else 0
        fill(box, lambda: message(
            tr("Nothing is collected now: no collector has given a sign of life for {time}. Start "
               "beckon collect in a terminal. What comes meanwhile waits at the broker.",
               time=duration(silent_ms / 1000))) if silent_ms > _ALIVE_MS else None)  # fmt: skip
        box.set_visibility(silent_ms > _ALIVE_MS)

    await tab.follow(_question(tab), show)


async def waiting(tab: Tab, for_what: str) -> None:
    """Instead of a page without content: what to do, by what is there. for_what: gestures or
    devices; the page is loaded again when the first one is there."""
    box = ui.element("div")
    started = False

    def build(alive: bool) -> None:
        if alive:
            empty_state("hourglass_empty", tr("No gesture yet"),
                        tr("The collector is running. The first gesture of a device shows here. To "
                           "try without a device: beckon fleet simulate --devices 3"))  # fmt: skip
        else:
            empty_state("sensors_off", tr("Nothing has been collected yet"),
                        tr("Start beckon collect in another terminal, in the folder in which the "
                           "dashboard was started. Each gesture of your devices shows here "
                           "then."))  # fmt: skip

    def show(found: tuple[list[Any], list[str], list[str]]) -> None:
        nonlocal started
        every, known, names = found
        if {"gestures": known, "devices": names}[for_what] and not started:
            started = True
            ui.navigate.reload()
        fill(box, lambda: build(any(_is_alive(row) for row in every)))

    await tab.follow(tab.feed.question("waiting", ask=lambda c: (
        queries.collectors(c), queries.gestures(c), queries.device_names(c, limit=1))),
        show)  # fmt: skip


def _is_alive(row: Any) -> bool:
    return row.at_ms > now_ms() - _ALIVE_MS


async def page(tab: Tab) -> None:
    """Are the collectors alive, how far behind are they, what was kept aside."""
    box = ui.element("div").classes("bk-stack")

    def show(found: tuple[list[Any], list[tuple[str, int, int]], list[Any], int]) -> None:
        fill(box, lambda: _page(*found))

    await tab.follow(tab.feed.question("health", every_s=5.0, ask=lambda c: (
        queries.collectors(c), queries.quarantine_counts(c), queries.quarantined(c, _SHOWN),
        queries.quarantine_size(c))),
        show)  # fmt: skip


def _page(every: list[Any], reasons: list[tuple[str, int, int]], kept: list[Any],
          size: int) -> None:  # fmt: skip
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label(tr("Collectors")).classes("bk-title")
        if not every:
            ui.label(tr("None has ever written here. Start beckon collect in a terminal.")).classes(
                "bk-quiet")
        for row in every:
            _collector(row)
    with ui.element("section").classes("bk-card bk-stack"):
        ui.label(tr("Messages kept aside")).classes("bk-title")
        if not reasons:
            ui.label(tr("None: every message was right.")).classes("bk-quiet")
        for reason, messages, last_ms in reasons:
            ui.label(tr("{reason} ({words}): {n:,}, the last one {time}", reason=reason,
                        words=tr(_REASONS[reason]) if reason in _REASONS else "?", n=messages,
                        time=moment(last_ms)))  # fmt: skip
        if kept:
            fewer = size < sum(messages for _, messages, _ in reasons)
            ui.label(tr("The newest {n:,} of them are in the store; older ones gave way. The last "
                        "{shown}:", n=size, shown=len(kept)) if fewer else
                     tr("All {n:,} of them are in the store. The last {shown}:", n=size,
                        shown=len(kept)))  # fmt: skip
        for row in kept:
            content = bytes(row.payload[:200]).decode("utf-8", "replace")
            ui.label(tr("{time} · {reason} · {topic} · {detail} · {n:,} bytes: {content}",
                        time=moment(row.at_ms), reason=row.reason, topic=row.topic,
                        detail=row.detail, n=row.size, content=content)
                     ).classes("bk-quiet bk-small bk-break")  # fmt: skip


def _collector(row: Any) -> None:
    alive = _is_alive(row)
    with ui.element("div").classes("bk-row"):
        ui.icon("check_circle" if alive else "cancel").classes(
            f"bk-{'good' if alive else 'bad'} bk-mark")
        ui.label(f"{row.name}: " + (tr("alive") if alive else tr(
            "silent for {time}; start it again with beckon collect --name {name}", name=row.name,
            time=duration((now_ms() - row.at_ms) / 1000))))  # fmt: skip
    ui.label(tr("{stored:,} stored, {repeated:,} repeats dropped, {aside:,} kept aside; 95 % "
                "stored within {ms:,} ms; {waiting:,} waiting", stored=row.stored,
                repeated=row.repeated, aside=row.quarantined, ms=row.stored_ms_p95,
                waiting=row.waiting)).classes("bk-quiet")  # fmt: skip
