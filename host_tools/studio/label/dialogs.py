"""Dialogs of the Label page: label, person, recording, reload; and the comparison."""
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from nicegui import context, ui

from host_tools.dataset.agreement import Agreement, Pair, agreement
from host_tools.dataset.labels import read_labels_file
from host_tools.errors import BeckonError
from host_tools.studio.frame.label_store import Item
from host_tools.studio.frame.language import said, tr, tr_n
from host_tools.studio.frame.layout import message
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.widgets import selected

_SHOWN = 200  # lines of a list


def _dialog(title: str) -> tuple[ui.dialog, ui.card]:
    # In the page itself: inside of another dialog, whose button opens it, it would go with that
    with context.client.content:
        dialog = ui.dialog()
    dialog.on("hide", dialog.delete)
    with dialog, ui.card() as card:
        ui.label(title).classes("bk-title")
    dialog.open()
    return dialog, card


def _plain(text: str, handler: Callable[[], Any], primary: bool = False) -> ui.button:
    button = ui.button(text, color=None, on_click=handler).props("unelevated no-caps")
    return button.classes("bk-button" + (" bk-primary" if primary else ""))


def ask_label(labels: list[str], use: Callable[[str], None],
              rename: Callable[[str, str], None]) -> None:
    """Ask for a label's name, then call use(name). Offers to rename labels everywhere."""
    dialog, card = _dialog(tr("Label"))

    def done() -> None:
        name = (field.value or "").strip()
        if name:
            dialog.close()
            use(name)

    def other(label: str) -> None:
        dialog.close()
        _ask_new_name(label, rename)

    with card:
        field = ui.input(tr("name of the gesture")).props("outlined autofocus maxlength=60")
        field.style("min-width: min(22rem, 76vw); font-size: 1.1rem").on("keydown.enter", done)
        with ui.element("div").classes("bk-row"):
            _plain(tr("Use it"), done, primary=True)
            _plain(tr("Cancel"), dialog.close)
        if labels:
            ui.label(tr("Rename one in all recordings:")).classes("bk-quiet")
            with ui.element("div").classes("bk-row"):
                for label in labels:
                    _plain(label, partial(other, label))


def _ask_new_name(old: str, rename: Callable[[str, str], None]) -> None:
    dialog, card = _dialog(tr("Rename {old} in all recordings", old=old))

    def done() -> None:
        name = (field.value or "").strip()
        if name:
            dialog.close()
            rename(old, name)

    with card:
        field = ui.input(tr("new name"), value=old).props("outlined autofocus maxlength=60")
        selected(field)
        field.style("min-width: min(22rem, 76vw)").on("keydown.enter", done)
        with ui.element("div").classes("bk-row"):
            _plain(tr("Rename"), done, primary=True)
            _plain(tr("Cancel"), dialog.close)


def ask_subject(current: str, known: list[str], spans: int, use: Callable[[str, bool], None],
                one: bool) -> None:
    """Ask who moved the board, then call use(name, for_all).

    spans: of the recording; for_all: the name is for all of them, else for the selected one,
    which is offered if `one`.
    """
    dialog, card = _dialog(tr("Who moved?"))

    def done(for_all: bool = True, name: str | None = None) -> None:
        subject = name if name is not None else field.value or ""
        dialog.close()
        use(subject.strip(), for_all)

    with card:
        field = selected(ui.input(tr("a name or a letter"), value=current))
        field.props("outlined autofocus maxlength=60").on("keydown.enter", lambda: done())
        field.style("min-width: min(22rem, 76vw)")
        if known:
            with ui.element("div").classes("bk-row"):
                for name in known:
                    _plain(name, partial(field.set_value, name))
        with ui.element("div").classes("bk-row"):
            text = (tr_n("For its {n} span", "For all {n} spans of the recording", spans)
                    if spans else tr("For new spans"))
            _plain(text, lambda: done(), primary=True)
            if one and spans > 1:
                _plain(tr("Only for the selected span"), lambda: done(False))
            _plain(tr("Cancel"), dialog.close)
        ui.label(tr("Needed to measure a model on people that it was not trained on.")).classes(
            "bk-quiet")


def ask_recording(counts: dict[str, int], current: str,
                  use: Callable[[str], Awaitable[None]]) -> None:
    """Choose a recording from counts (name -> number of spans)."""
    dialog, card = _dialog(tr("Recordings"))

    async def choose(name: str) -> None:
        dialog.close()
        await use(name)

    def fill() -> None:
        wanted = (field.value or "").lower()
        names = [n for n in counts if wanted in n.lower()]
        listed.clear()
        with listed:
            for name in names[:_SHOWN]:
                with ui.element("button").classes(
                    "bk-item" + (" bk-current" if name == current else "")
                ).on("click", lambda _, n=name: choose(n)):
                    ui.label(name).classes("bk-grow")
                    n = counts[name]
                    ui.label(tr_n("{n} span", "{n} spans", n) if n else tr("not labelled")).classes(
                        "bk-quiet")
            if len(names) > _SHOWN:
                ui.label(tr("and {n} more: type part of a name",
                            n=len(names) - _SHOWN)).classes("bk-quiet")

    with card:
        field = ui.input(tr("part of a name"), on_change=fill).props("outlined autofocus clearable")
        listed = ui.element("div").classes("bk-list")
        fill()


def offer_reload(text: str, reload: Callable[[], None]) -> None:
    """Ask whether to reload labels that another program has changed."""
    dialog, card = _dialog(tr("Changed by another program"))

    def again() -> None:
        dialog.close()
        reload()

    with card:
        ui.label(text)
        ui.label(tr("Your last action was not saved. Everything before it was.")).classes(
            "bk-quiet")
        with ui.element("div").classes("bk-row"):
            _plain(tr("Reload"), again, primary=True)
            _plain(tr("Not now"), dialog.close)


def show_comparison(project: Project, go: Callable[[str, float, float], Awaitable[None]]) -> None:
    """Compare with another person's labels; go(recording, start_ms, end_ms) looks at a place."""
    files = project.other_labels()
    dialog, card = _dialog(tr("Compare with another person"))
    card.style("width: min(92vw, 46rem)")
    with card:
        if not files:
            ui.label(tr("Copy the other person's labels.csv into the project's folder, with a name "
                     "like labels-anna.csv. To label a second time yourself, start Studio with "
                     "--labels labels-again.csv.")).classes("bk-quiet")
            _plain(tr("Close"), dialog.close)
            return
        result = ui.element("div").classes("bk-disputes")

    async def compare(path: Path) -> None:
        result.clear()
        labels = project.labels
        mine = {name: labels.spans(name) for name in labels.recordings()}
        try:
            theirs = (await asyncio.to_thread(read_labels_file, path)).rows
        except BeckonError as error:
            with result:
                message(str(error))
            return
        found = await asyncio.to_thread(agreement, mine, theirs)
        with result:
            _figures(found, path)
            for pair in found.disputes[:_SHOWN]:
                _dispute(project, pair, partial(look, pair), partial(compare, path))
            if not found.pairs:
                ui.label(tr("You both have labelled no common recording.")).classes("bk-quiet")
            elif not found.disputes:
                ui.label(tr("You agree on every span.")).classes("bk-good")

    async def look(pair: Pair) -> None:
        dialog.close()
        await go(pair.recording, pair.start_ms, pair.end_ms)

    with card:
        choice = ui.element("div").classes("bk-row")
        choice.move(target_index=1)
        with choice:
            for path in files:
                _plain(path.name, partial(compare, path))
    if len(files) == 1:
        ui.timer(0, lambda: compare(files[0]), once=True)


def _figures(found: Agreement, path: Path) -> None:
    kappa = "" if found.kappa is None else tr("kappa {kappa:.2f}", kappa=float(found.kappa))
    edges = "" if found.edges_ms is None else tr("ends {ms:.0f} ms apart",
                                                         ms=float(found.edges_ms))
    with ui.element("div").classes("bk-row").style("gap: 1.6rem"):
        for value, text in (
            (found.same, tr("the same")), (found.differing, tr("other label")),
            (found.only_first, tr("only here")),
            (found.only_second, tr("only in {file}", file=path.name)),
        ):
            with ui.element("div"):
                ui.label(str(value)).classes("bk-big")
                ui.label(text).classes("bk-quiet")
    ui.label(", ".join(x for x in (kappa, edges) if x)).classes("bk-quiet")


def _dispute(project: Project, pair: Pair, look: Callable[[], Awaitable[None]],
             again: Callable[[], Awaitable[None]]) -> None:
    here = pair.first.label if pair.first else tr("nothing")
    there = pair.second.label if pair.second else tr("nothing")

    async def take_theirs() -> None:
        try:
            _take_theirs(project, pair)
        except BeckonError as error:
            ui.notify(said(error), type="warning", position="top")
        await again()

    with ui.element("div").classes("bk-item"):
        with ui.element("div").classes("bk-grow"):
            ui.label(tr("{here}, there {there}", here=here, there=there))
            ui.label(tr("{recording}, {seconds:.1f} s", recording=pair.recording,
                        seconds=pair.start_ms / 1000)).classes("bk-quiet")
        _plain(tr("Look"), look)
        _plain(tr("Take theirs"), take_theirs)


def _take_theirs(project: Project, pair: Pair) -> None:
    """Replace our label with the other person's. Raises BeckonError."""
    labels = project.labels
    mine = pair.first if isinstance(pair.first, Item) else None
    if pair.second is None and mine is not None:
        labels.delete(mine.id)
    elif pair.second is None:
        return
    elif mine is None:
        labels.add(pair.recording, pair.second.start_ms, pair.second.end_ms, pair.second.label,
                    getattr(pair.second, "subject", ""))
    else:
        labels.rename(mine.id, pair.second.label)
