"""The viewer for signals: a recording or live data, with spans, flags and scores.

    view = SignalView(editable=True)
    view.show_recording("take-01")                  # or view.show_live(feed)
    view.set_spans([SpanMark(1, 1200, 2100, "circle", colour)])
    view.set_flags([Flag(2080, "circle 93 %", "hit")])
    view.set_curves([Curve("circle", colour, t_ms, percent)])
    view.on_span(lambda change: ...)                # SpanChange: drawn, moved, selected

signal_view.js draws in the browser; the top of that file describes its API. All times are ms
of the recording's clock, or of the feed's (sample 0 is at 0 ms).
"""
from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
from nicegui.element import Element

from host_tools.studio.signal.live_feed import Feed


@dataclass(frozen=True)
class SpanMark:
    """A span as it is drawn. kind: "label", or "proposal" (dashed, not saved yet)."""

    id: int
    start_ms: float
    end_ms: float
    label: str
    colour: str
    kind: str = "label"
    note: str = ""  # small, behind the label: the subject, a confidence


@dataclass(frozen=True)
class Flag:
    """A moment: kind "hit", "false", "duplicate", "missed" or "event" has its own shape."""

    t_ms: float
    text: str
    kind: str = "event"


@dataclass(frozen=True)
class Curve:
    """A class's scores in percent over time, in a lane of their own. t_ms, percent: (n,)."""

    name: str
    colour: str
    t_ms: np.ndarray
    percent: np.ndarray


@dataclass(frozen=True)
class SpanChange:
    """What the user did with the mouse or a finger.

    action: "create" (drawn on empty ground), "move" (an edge or the whole dragged),
    "select" (clicked). id: of the span concerned, None for a new one.
    """

    action: str
    id: int | None
    start_ms: float
    end_ms: float


class SignalView(Element, component="signal_view_element.js"):
    """The element. You can call its methods before it is in a browser.

    height: CSS. editable: spans can be drawn and dragged. overview: the whole recording
    as a strip beneath. threshold: percent at which curves get a line.
    """

    def __init__(self, *, height: str = "60vh", editable: bool = False, overview: bool = True,
                 threshold: float | None = None):
        super().__init__()
        self.style(f"height: {height}; width: 100%; display: block; position: relative")
        self._props["editable"] = editable
        self._props["overview"] = overview
        self._props["threshold"] = threshold
        self._state: dict[str, list[Any]] = {}  # the last arguments of each method
        self._mounted = False
        self.on("ready", self._ready, [])

    # what it shows

    def show_recording(self, name: str) -> None:
        """Show a recording of the project; the browser fetches its samples."""
        self._call("open", f"/studio/recording/{quote(name)}")

    def show_live(self, feed: Feed, seconds: float = 10) -> None:
        """Show the last `seconds` of a feed, moving; the browser keeps ten times as much."""
        self._call("live", f"/studio/feed/{feed.name}", seconds)

    def show_nothing(self) -> None:
        """Show nothing."""
        self._state.clear()
        self._call("clear")

    def set_spans(self, spans: Sequence[SpanMark], selected: int | None = None) -> None:
        self._call("setSpans", [asdict(s) for s in spans], selected)

    def set_flags(self, flags: Sequence[Flag]) -> None:
        self._call("setFlags", [asdict(f) for f in flags])

    def set_curves(self, curves: Sequence[Curve]) -> None:
        self._call("setCurves", [
            {"name": c.name, "colour": c.colour, "t_ms": _base64(c.t_ms, "<f8"),
             "percent": _base64(c.percent, "<f4")}
            for c in curves
        ])

    def set_threshold(self, percent: float | None) -> None:
        """A horizontal line in the lane of the curves."""
        self._call("setThreshold", percent)

    def set_brush(self, colour: str) -> None:
        """The colour in which a new span is drawn."""
        self._call("setBrush", colour)

    def set_cursor(self, t_ms: float | None) -> None:
        self._call("setCursor", t_ms)

    def look_at(self, start_ms: float, end_ms: float) -> None:
        """Show this stretch; the rest is one pan away."""
        self._call("lookAt", start_ms, end_ms)

    def reveal(self, start_ms: float, end_ms: float) -> None:
        """Pan, keeping the zoom, if the stretch is not in sight."""
        self._call("reveal", start_ms, end_ms)

    def zoom(self, factor: float) -> None:
        """About the cursor or the middle; above 1 shows less time in more detail."""
        self._once("zoom", factor)

    def pan(self, screens: float) -> None:
        self._once("pan", screens)

    # what the user does

    def on_span(self, handler: Callable[[SpanChange], Any]) -> None:
        self.on("span", lambda e: handler(SpanChange(
            str(e.args["action"]), e.args.get("id"), float(e.args["start_ms"]),
            float(e.args["end_ms"]),
        )))

    def on_flag(self, handler: Callable[[int], Any]) -> None:
        """handler(index): a flag was clicked."""
        self.on("flag", lambda e: handler(int(e.args)))

    def on_cursor(self, handler: Callable[[float], Any]) -> None:
        """handler(t_ms): the ground was clicked."""
        self.on("cursor", lambda e: handler(float(e.args)))

    def on_loaded(self, handler: Callable[[dict[str, Any]], Any]) -> None:
        """handler({samples, rate_hz, start_ms, axes, error}): a recording is there, or not."""
        self.on("loaded", lambda e: handler(e.args))

    def _call(self, method: str, *args: Any) -> None:
        """Call the method now, and again whenever the element is mounted again."""
        if method in ("open", "live"):
            for other in ("open", "live", "lookAt", "reveal", "setCursor"):
                self._state.pop(other, None)
        self._state[method] = list(args)
        if self._mounted:
            self.run_method(method, *args)

    def _once(self, method: str, *args: Any) -> None:
        if self._mounted:
            self.run_method(method, *args)

    def _ready(self) -> None:
        self._mounted = True
        for method, args in self._state.items():
            self.run_method(method, *args)


def _base64(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()
