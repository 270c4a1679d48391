"""Recall against false alarms per hour as a picture, and what is lost when worn otherwise."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from host_tools.evaluation.curve import LIMITS_PER_HOUR, Point
from host_tools.evaluation.in_words import LEAST_IDLE_S, number
from host_tools.evaluation.robustness import Robustness
from host_tools.plots.svg import COLOURS, Html, Plot, table, ticks

_BAR_PX = 150
_WIDTH, _HEIGHT = 560, 260
_RATES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)


def curve_section(points: Sequence[Point], recall_at: dict[str, float | None]) -> list[str]:
    """Picture and table; nothing without gestures, a sentence without time."""
    idle_s = max((p.tally.idle_s for p in points), default=0.0)
    if not any(p.tally.truth for p in points):
        return []
    out = ["<h2>Recall against false alarms</h2>"]
    if idle_s < LEAST_IDLE_S:
        return [*out, f'<p class="note">{idle_s:.0f} s without gestures are too little for a rate '
                "per hour; add recordings of everyday movement.</p>"]
    rows = [(f"{limit} per hour", "too few hours to prove it" if x is None else number(x))
            for limit, x in recall_at.items()]
    return [
        *out,
        '<p class="note">Each point is another threshold (percent), all else as in the model. '
        "Solid: alarms as counted. Dashed: the upper bound of the 95 % interval, which the table "
        "goes by. The ring is the model's own threshold. No alarm at all is drawn as half a one."
        f'</p><div class="row">{_picture(points, idle_s / 3600)}'
        f"<div>{table(('false alarms', 'best recall'), rows)}</div></div>",
    ]


def _picture(points: Sequence[Point], hours: float) -> str:
    counted = np.log10([max(p.tally.alarms, 0.5) / hours for p in points])
    upper = np.log10([p.tally.false_per_hour_95[1] for p in points])
    recall = np.array([p.tally.recall for p in points])
    low = np.log10(min(0.5 / hours, min(LIMITS_PER_HOUR))) - 0.1
    high = max(upper.max(), np.log10(max(LIMITS_PER_HOUR))) + 0.1
    bottom = np.floor(10 * min(0.9, recall.min())) / 10
    plot = Plot((low, high), (bottom, 1.0), _WIDTH, _HEIGHT,
                title="recall against false alarms per hour")
    for share in ticks(bottom, 1.0, 5)[:-1]:
        plot.line((low, high), (share, share), "#ddd", 0.6)
        if share > bottom:
            plot.note(low, share, f"{share:g}")
    for limit in LIMITS_PER_HOUR:
        plot.line((np.log10(limit),) * 2, (bottom, 1.0), "#b7950b", 0.8, dash="2,3")
    plot.line(upper, recall, COLOURS[2], 1.2, 0.8, dash="5,3")
    plot.line(counted, recall, COLOURS[2], 2)
    plot.dots(counted, recall, COLOURS[2], 2)
    for k in _spread(np.stack([plot.x(counted), plot.y(recall)], axis=1)):
        plot.note(counted[k], recall[k], f"{points[k].threshold}")
    for p, x, y in zip(points, counted, recall, strict=True):
        if p.own:
            plot.ring(x, y, COLOURS[0])
    marks = {float(np.log10(r)): f"{r:g}" for r in (*_RATES, *LIMITS_PER_HOUR)
             if low <= np.log10(r) <= high}
    return plot.text(marks=dict(sorted(marks.items())))


def _spread(places: np.ndarray, least_px: float = 26.0) -> list[int]:
    """Indices of points far enough from each other to carry a number."""
    out: list[int] = []
    for k, at in enumerate(places):
        if all(np.hypot(*(at - places[j])) >= least_px for j in out):
            out.append(k)
    return out


def robustness_section(found: Robustness | None) -> list[str]:
    """A row for each change."""
    if found is None:
        return []
    rows = []
    for change, tally in found.changed:
        lost = found.lost(tally)
        width = max(0.0, min(100.0, lost)) / 100 * _BAR_PX
        bar = Html(f'<span class="bar" style="width:{width:.0f}px;background:#c0392b"></span>')
        rows.append((change.name, f"{tally.hits}/{tally.truth}", number(tally.recall),
                     f"{lost:.1f}", bar, tally.false))
    return [
        "<h2>Worn otherwise</h2>",
        f'<p class="note">As recorded, {found.plain.hits} of {found.plain.truth} gestures are '
        f"found: recall {number(found.plain.recall)}. The same recordings, changed as a whole:</p>",
        table(("change", "found", "recall", "points lost", "", "false"), rows),
    ]
