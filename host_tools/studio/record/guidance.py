"""The Record page's middle: what to do now, in large letters, and each take's verdict."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from host_tools.errors import Sentence
from host_tools.recording.guide import Phase
from host_tools.studio.frame.language import said, tr
from host_tools.studio.frame.widgets import Area, mark, svg
from host_tools.studio.record.session import RecordView
from host_tools.studio.record.sitting import TakeRow
from host_tools.studio.signal.charts import spark

_BEEP = """
(() => { try {
  const c = window.beckonAudio ||= new AudioContext(); c.resume();
  const o = c.createOscillator(), g = c.createGain();
  o.frequency.value = %d; g.gain.setValueAtTime(0.15, c.currentTime);
  g.gain.exponentialRampToValueAtTime(0.001, c.currentTime + %s);
  o.connect(g).connect(c.destination); o.start(); o.stop(c.currentTime + %s);
} catch { /* no sound on this computer */ } })()
"""


class Guidance:
    """What to do now, in letters for reading from two metres."""

    def __init__(self, form: dict[str, Any]):
        self._form = form
        self._box = ui.element("div").classes("bk-stage").props('aria-live="polite"')
        with self._box:
            with ui.element("div"):
                self._word = ui.label().classes("bk-word-now")
                self._label = ui.label().classes("bk-label-now")
            self._count = ui.label().classes("bk-count-now")
            with ui.element("div").classes("bk-bar"):
                self._bar = ui.element("div")
        self._verdict = Area("bk-verdict")
        self._phase: Phase | None = None

    def show(self, view: RecordView) -> None:
        guided = view.state == "recording" and (view.guided or view.row)
        self._box.set_visibility(guided)
        last = view.takes[-1] if guided and view.takes else None
        self._verdict.box.set_visibility(last is not None)
        if not guided:
            self._phase = None
            return
        word, count = _words(view)
        self._word.set_text(word)
        self._label.set_text(view.label or tr("all done"))
        self._count.set_text(count)
        part = 100 * (1 - view.left_s / view.of_s) if view.of_s else 0
        self._bar.style(f"width: {min(100, max(0, part)):.0f}%")
        phase = Phase.GO if view.row else view.phase
        if phase is not self._phase:
            self._box.classes(add="bk-go" if phase is Phase.GO else "",
                              remove="" if phase is Phase.GO else "bk-go")
            paused = phase is Phase.PAUSED
            self._box.classes(add="bk-paused" if paused else "",
                              remove="" if paused else "bk-paused")
            if phase is Phase.GO:
                self._beep(880, 0.18)
            self._phase = phase
        if last is not None and self._verdict.show((len(view.takes), last), lambda: _verdict(last)):
            if not last.good:
                self._beep(220, 0.35)

    def _beep(self, hz: int, seconds: float) -> None:
        if self._form.get("sound"):
            ui.run_javascript(_BEEP % (hz, seconds, seconds))


def _words(view: RecordView) -> tuple[str, str]:
    left = f"{max(1, -(-view.left_s // 1)):.0f}"
    if view.row:
        return tr("Make it again and again"), left
    if view.button and view.phase is not Phase.DONE:
        if view.phase is Phase.GO:
            return tr("Make it once, rest, and press again"), "GO"
        return tr("Press the board's button, or Space"), ""
    return {
        Phase.REST: (tr("Hold the board still"), ""),
        Phase.COUNTDOWN: (tr("Get ready, hold still"), left),
        Phase.GO: (tr("Make it once, then rest"), "GO"),
        Phase.PAUSED: (tr("Paused: move as you like"), "‖"),
        Phase.DONE: (tr("Done"), ""),
    }[view.phase]


def _verdict(last: TakeRow) -> None:
    mark("good" if last.good else "bad")
    ui.label(said(last.message)).classes("bk-good" if last.good else "bk-bad")


def _reason(message: str) -> str:
    """Why a take was refused, without the word that the colour says already."""
    inner = message.values.get("reason") if isinstance(message, Sentence) else None
    return said(message if inner is None else inner)


def counts_of(view: RecordView) -> None:
    """How many good takes there are of each gesture."""
    for label, good, of in view.counts:
        row = ui.element("div").classes("bk-count" + (" bk-now" if label == view.label else ""))
        with row:
            ui.label(label).classes("bk-break")
            with ui.element("div").classes("bk-bar"):
                ui.element("div").style(f"width: {100 * good / max(1, of):.0f}%")
            ui.label(tr("{good} of {all}", good=good, all=of))


def review_list(view: RecordView, keep: Callable[[int, bool], None]) -> None:
    """The takes of a row, by time, each to be kept or dropped."""
    with ui.element("div").classes("bk-row-takes"):
        for number, take in enumerate(view.takes):
            with ui.element("label").classes("bk-card bk-row-take"):
                ui.checkbox(value=take.good, on_change=lambda e, n=number: keep(n, e.value)).props(
                    f'aria-label="{tr("keep take {n}", n=number + 1)}"')
                ui.label(str(number + 1))
                svg(spark(take.curve, take.good))


def takes_list(view: RecordView) -> None:
    """The takes of this sitting, newest first, each with its movement."""
    if not view.takes:
        return
    with ui.element("div").classes("bk-card bk-stack-small"):
        good = sum(take.good for take in view.takes)
        ui.label(tr("Takes: {good} good, {refused} refused", good=good,
                    refused=len(view.takes) - good)).classes("bk-title")
        with ui.element("div").classes("bk-takes"):
            for take in reversed(view.takes[-60:]):
                with ui.element("div").classes("bk-take"):
                    mark("good" if take.good else "bad")
                    with ui.element("div").classes("bk-stack-small").style("gap: 0"):
                        ui.label(take.label).classes("bk-break")
                        if not take.good:
                            ui.label(_reason(take.message)).classes(
                                "bk-quiet bk-small")
                    svg(spark(take.curve, take.good))
