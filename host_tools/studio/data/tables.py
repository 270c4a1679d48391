"""The tables of the Data page: one row per recording, or one per take."""
from __future__ import annotations

from collections import Counter
from typing import Any

from nicegui import ui

from host_tools.studio.frame.language import number, tr
from host_tools.studio.frame.project import Project

_ROWS = 20
_FORMAT = "value => String(value).replace('.', '%s')"
# A name for each box that assistive technology can read out
_BOXES = {
    "header-selection": '<q-checkbox v-model="props.selected" aria-label="{all}" />',
    "body-selection": '<q-checkbox v-model="props.selected" :aria-label="props.row.about" />',
}
_LINK = ('<q-td :props="props"><a :href="props.row.link" class="bk-row-link">'
         '{{ props.row.name }}</a></q-td>')


def recordings_table(project: Project) -> ui.table:
    rows = []
    for file in project.recordings():
        spans = project.labels.spans(file.name)
        counts = Counter(item.label for item in spans)
        rows.append({
            "name": file.name, "about": file.name, "link": _link(file.name),
            "takes": len(spans),
            "labels": ", ".join(f"{label} {n}" for label, n in counts.items()) or "–",
            "people": ", ".join(sorted({i.subject for i in spans if i.subject})) or "–",
            "size": round(file.bytes / 1000),
        })
    return _table("name", rows, [
        ("name", tr("Recording"), True), ("takes", tr("Takes"), False),
        ("labels", tr("Labels"), True), ("people", tr("People"), True),
        ("size", tr("Size in kB"), False),
    ], tr("no recordings yet: record some, or drop files below"))


def takes_table(project: Project) -> ui.table:
    rows = []
    for file in project.recordings():
        for i in project.labels.spans(file.name):
            start = round(i.start_ms / 1000, 2)
            rows.append({
                "id": i.id, "name": file.name, "label": i.label, "people": i.subject or "–",
                "start": start, "length": round((i.end_ms - i.start_ms) / 1000, 2),
                "about": f"{file.name}, {number(start, '.2f')} s, {i.label}",
                "link": _link(file.name, f"&t_ms={i.start_ms:.0f}"),
            })
    return _table("id", rows, [
        ("name", tr("Recording"), True), ("label", tr("Label"), True),
        ("people", tr("Person"), True), ("start", tr("Start in s"), False),
        ("length", tr("Length in s"), False),
    ], tr("no takes yet: label a recording, or record guided takes"))


def _link(name: str, more: str = "") -> str:
    from urllib.parse import quote

    return f"/label?recording={quote(name, safe='')}{more}"


def _table(row_key: str, rows: list[dict[str, Any]], columns: list[tuple[str, str, bool]],
           nothing: str) -> ui.table:
    table = ui.table(
        rows=rows, row_key=row_key, selection="multiple",
        columns=[{"name": name, "label": label, "field": name, "sortable": True,
                  "align": "left" if text else "right",
                  # sorted by the number, shown in the page's form
                  **({} if text else {":format": _FORMAT % number(0.1, ".1f")[1]})}
                 for name, label, text in columns],
        pagination={"rowsPerPage": _ROWS, "sortBy": "name"},
    ).classes("bk-card bk-rows").props(f'flat no-data-label="{nothing}"')
    for slot, template in _BOXES.items():
        table.add_slot(slot, template.replace("{all}", tr("all rows")))
    table.add_slot("body-cell-name", _LINK)
    return table
