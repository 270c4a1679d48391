"""The label of a board after its deployment: what a phone needs to join the board's own Wi-Fi."""
from __future__ import annotations

from nicegui import ui

from host_tools.device.label import Label
from host_tools.studio.frame.language import tr
from host_tools.studio.frame.widgets import Area, qr_code, svg


def board_label(label: Label, area: Area) -> None:
    """A new one is shown; one that the board had before only when it is asked for.

    area: what it is in, for its key.
    """
    title = tr("Label of the board")
    if label.is_new:
        ui.label(title).style("font-weight: 700")
        _build(label)
        return

    def turn() -> None:
        box.set_visibility(not box.visible)
        button.props(f"aria-expanded={str(box.visible).lower()}")

    with ui.element("div"):
        button = area.button(title, "qr_code_2", turn, "b", kind="plain")
    button.props("aria-expanded=false")
    with ui.element("div").classes("bk-stack-small") as box:
        _build(label)
    box.set_visibility(False)


def _build(label: Label) -> None:
    with ui.element("div").classes("bk-label-of-board"):
        svg(qr_code(label.uri)).props(
            f'role=img aria-label="{tr("QR code of the Wi-Fi and its password")}"')
        with ui.element("dl").classes("bk-label-words"):
            for name, value in ((tr("Wi-Fi of the board"), label.ssid), (tr("Password"),
                                                                         label.key)):
                with ui.element("dt").classes("bk-quiet bk-small"):
                    ui.label(name)
                with ui.element("dd"):
                    ui.label(value).classes("bk-mono bk-break")
    ui.label(tr("Write both on the board. Without a Wi-Fi that it knows, the board opens its own: "
                "a phone that scans the code joins it, and sets the board up.")).classes(
        "bk-quiet bk-small")
