"""The phone in Studio's choice of sources: the code to scan, and what comes of it."""

from __future__ import annotations

from nicegui import ui

from host_tools.recording.phone.page_source import PhoneView
from host_tools.recording.phone.stamp_clock import LEAST_HZ
from host_tools.studio.frame.language import tr
from host_tools.studio.frame.widgets import Area, mark, qr_code, svg
from host_tools.studio.phone.server import PhoneServer

_REFRESH_S = 0.5


def phone_card(server: PhoneServer | None) -> None:
    """server: None if Studio was started without it."""
    if server is None:
        ui.label(tr("Studio opens nothing to your network unless you say so. To use a phone, end "
                    "Studio and start it with --phone:"))
        ui.label("beckon studio --phone").classes("bk-mono bk-break")
        return
    area = Area("bk-stack")

    def refresh() -> None:
        view = server.link.view()
        area.show((server.access.generation, view.state, view.axes, round(view.rate_hz)),
                  lambda: _build(server, view))

    refresh()
    ui.timer(_REFRESH_S, refresh)


def _build(server: PhoneServer, view: PhoneView) -> None:
    if view.state == "waiting":
        ui.label(tr("1. Scan this with the phone's camera. Phone and computer need the same "
                    "Wi-Fi.")).classes("bk-small")
        svg(qr_code(server.address)).style("max-width: 11rem; align-self: center; width: 100%")
        ui.label(server.address).classes("bk-quiet bk-small bk-break")
        ui.label(tr("2. The browser warns, because this computer made the certificate itself a "
                    "moment ago: continue to the page (Advanced, or Show details)."))\
            .classes("bk-small")  # fmt: skip
        ui.label(tr("3. Press Start on the phone, then Connect here.")).classes("bk-small")
    else:
        with ui.element("div").classes("bk-row").style("flex-wrap: nowrap"):
            mark({"sending": "good", "slow": "bad", "quiet": "warn"}[view.state])
            ui.label(_state(view))
    if view.state == "sending" and view.axes == 3:
        ui.label(tr("This phone reports no turn rates.")).classes("bk-warn")
    if server.access.spent:
        ui.button(tr("New code for another phone"), icon="qr_code_2", color=None,
                  on_click=server.new_code).props("unelevated no-caps").classes("bk-button bk-wide")


def _state(view: PhoneView) -> str:
    if view.state == "quiet":
        return tr("The phone sends nothing: open its page again and keep it in front.")
    if view.state == "slow":
        return tr("The phone sends {rate:.0f} samples per second. Beckon needs {least:.0f}: turn "
                  "off its low-power mode.", rate=view.rate_hz, least=LEAST_HZ)
    if not view.rate_hz:
        return tr("The phone sends.")
    return tr("The phone sends {rate:.0f} samples per second.", rate=view.rate_hz)
