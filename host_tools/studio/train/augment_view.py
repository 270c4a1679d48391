"""Augmentation before and after, for a gesture of the project: a dialog over the Train page."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nicegui import run, ui

from host_tools.augment import examples
from host_tools.augment.kinds import KINDS, Kind
from host_tools.dataset import Dataset, is_idle
from host_tools.errors import BeckonError
from host_tools.plots.dataset_page import spans_of
from host_tools.studio.frame.language import number, said, tr
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.shortcuts import key_mark, shortcuts
from host_tools.studio.frame.widgets import svg
from host_tools.studio.signal.charts import lines

_COLOURS = ("var(--axis-x)", "var(--axis-y)", "var(--axis-z)")


def example(project: Project, label: str, number: int) -> tuple[np.ndarray, float]:
    """(window float32 (axes, length), rate_hz) of a span with that label.

    number: which one; it wraps around. Raises BeckonError if there is none.
    """
    labels = project.labels
    found = [(item.recording, item.id) for name in labels.recordings()
             for item in labels.spans(name) if item.label == label]
    if not found:
        raise BeckonError("no span is labelled {label!r}: label one first", label=label)
    name, id = found[number % len(found)]
    recording = project.recording(name)
    item = labels.item(id)
    span = next(s for s in labels.as_spans(name) if s.start_ms == item.start_ms)
    windows = spans_of(Dataset(name, [recording.with_spans([span])]), label)
    if not windows:
        raise BeckonError("the span at {start_ms:.2f} s is too short to show",
                          start_ms=item.start_ms / 1000)
    return windows[0].T, recording.rate_hz


def pictures(window: np.ndarray, rate_hz: float, kind: Kind, seed: int) -> tuple[str, str]:
    """Before and after as SVG, in the same scale: acceleration of three axes."""
    rng = np.random.default_rng(seed)
    after = examples.example(kind, window, rate_hz, rng)
    low = float(min(window[:3].min(), after[:3].min()))
    high = float(max(window[:3].max(), after[:3].max()))
    made = []
    for x, title in ((window, tr("as recorded")), (after, kind.name)):
        seconds = x.shape[1] / rate_hz
        curves = [(colour, x[axis]) for axis, colour in enumerate(_COLOURS)]
        made.append(lines(curves, low, high, seconds, title=title, number=number))
    return made[0], made[1]


def _draw(project: Project, label: str, number: int, seed: int) -> list[tuple[str, str]]:
    window, rate_hz = example(project, label, number)
    return [pictures(window, rate_hz, kind, seed) for kind in KINDS]


@dataclass
class _Choice:
    label: str
    number: int = 0
    seed: int = 1


def show(project: Project) -> None:
    """Open the dialog. Raises BeckonError when there is no labelled gesture."""
    labels = [label for label in project.labels.counts() if not is_idle(label)]
    if not labels:
        raise BeckonError(tr("there is no labelled gesture yet: record or label one first"))
    state = _Choice(labels[0])
    with ui.dialog().props("maximized") as dialog, ui.card().classes("bk-augment"):
        with ui.element("div").classes("bk-between bk-wide"):
            ui.label(tr("Augmentation, before and after")).classes("bk-title")
            with ui.element("div").classes("bk-row"):
                pick = ui.select(labels, value=labels[0], label=tr("Gesture")).props("outlined")
                pick.style("min-width: 11rem")
                _button(tr("Another example"), "skip_next", lambda: step("number"), "E")
                _button(tr("Another draw"), "casino", lambda: step("seed"), "D")
                _button(tr("Close"), "close", dialog.close, "Esc")
        ui.label(
            tr("First as recorded, then one random draw, stronger than training uses it so that "
               "you can see it. Acceleration of x, y, z in m/s² over the time of the gesture.")
        ).classes("bk-quiet")
        fault = ui.label().classes("bk-bad")
        grid = ui.element("div").classes("bk-kinds")

    async def draw() -> None:
        try:
            made = await run.io_bound(_draw, project, state.label, state.number, state.seed)
        except BeckonError as error:
            fault.set_text(said(error))
            return
        if made is None:
            return  # the server is stopping
        fault.set_text("")
        grid.clear()
        with grid:
            for kind, (before, after) in zip(KINDS, made, strict=True):
                with ui.element("div").classes("bk-card bk-stack-small"):
                    ui.label(kind.name).style("font-weight: 700")
                    ui.label(kind.meaning).classes("bk-quiet bk-small")
                    with ui.element("div").classes("bk-pair"):
                        svg(before)
                        svg(after)

    async def step(what: str) -> None:
        setattr(state, what, getattr(state, what) + 1)
        await draw()

    async def picked(event) -> None:
        state.label, state.number = event.value, 0
        await draw()

    def close() -> None:
        for combo in ("e", "d"):
            keys.drop(combo)
        dialog.delete()

    pick.on_value_change(picked)
    keys = shortcuts()
    keys.add("e", "", lambda: step("number"), typing=True)
    keys.add("d", "", lambda: step("seed"), typing=True)
    dialog.on("hide", close)
    dialog.open()
    ui.timer(0, draw, once=True)


def _button(text: str, icon: str, handler, combo: str) -> None:
    button = ui.button(text, icon=icon, color=None, on_click=lambda: handler())
    button.props("unelevated no-caps").classes("bk-button")
    with button:
        key_mark(combo)
