"""The bars of a model's labels with their thresholds, as one element of the page."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from nicegui.element import Element


@dataclass(frozen=True)
class BarRow:
    """label: for the events. name: as it is shown. index: in update's lists.

    threshold: percent, 0 for none. slider: whether it can be moved. bar: whether there is a
    bar, not only a slider. hint: what the slider does, for those who hear it.
    """

    label: str
    name: str
    colour: str
    index: int
    threshold: int = 0
    slider: bool = True
    bar: bool = True
    hint: str = ""


class Bars(Element, component="bars_element.js"):
    """update() moves them; on_threshold() hears a slider."""

    def __init__(self, rows: Sequence[BarRow]):
        super().__init__()
        self._props["rows"] = [asdict(row) for row in rows]

    def update_bars(self, percent: Sequence[float], peaks: Sequence[float]) -> None:
        """percent, peaks: of every label of the model."""
        self.run_method("update", [round(p, 1) for p in percent], [round(p, 1) for p in peaks])

    def on_threshold(self, handler: Callable[[str, int], None]) -> None:
        """handler(label, percent), while the slider moves."""
        self.on("threshold", lambda e: handler(str(e.args["label"]), int(e.args["percent"])))
