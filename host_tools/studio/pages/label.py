"""Label recordings: say where each gesture begins and ends."""
from __future__ import annotations

from nicegui import context, ui

from ..label_page import LabelPage
from ..layout import empty_state
from ..project import Project


def page(project: Project) -> None:
    """Build the page; the address may name ?recording=NAME and t_ms=MILLISECONDS."""
    if not project.recordings():
        empty_state(
            "show_chart", "Nothing to label yet",
            "Record some gestures first, or copy recordings (.csv) into the folder "
            f"{project.name}/recordings.", action="Go to Record", target="/record",
        )
        return
    query = context.client.request.query_params
    built = LabelPage(project)
    built.build()
    ui.timer(0, lambda: built.start(query.get("recording"), query.get("t_ms")), once=True)
