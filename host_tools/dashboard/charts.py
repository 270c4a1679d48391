"""Bars as SVG text. Everything from a store is escaped."""

import time
from collections.abc import Sequence
from html import escape

from host_tools.store.rollup import DAY_MS
from host_tools.studio.frame.language import number, tr
from host_tools.studio.frame.theme import IDLE_COLOUR, LABEL_COLOURS

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 900, 240, 62, 30, 10
_HALF = 560  # of two side by side
_MOST = 7  # gestures with a colour; the others are one


def stacked(series: dict[str, list[tuple[int, int]]], since_ms: int, until_ms: int,
            step_ms: int) -> str:  # fmt: skip
    """gesture -> (begin of the column, events)."""
    first_ms = since_ms // step_ms * step_ms
    columns = max(1, -(-(until_ms - first_ms) // step_ms))
    names = colours(series)
    totals = [0] * columns
    parts: list[str] = []
    for values in series.values():
        for at_ms, events in values:
            i = (at_ms - first_ms) // step_ms
            if 0 <= i < columns:
                totals[i] += events
    top = _nice(max(totals, default=0))
    below = [0.0] * columns
    width = (_WIDTH - _LEFT) / columns
    room = _HEIGHT - _BOTTOM - _TOP
    for name, values in series.items():
        for at_ms, events in values:
            i = (at_ms - first_ms) // step_ms
            if not 0 <= i < columns:
                continue
            height = room * events / top
            y = _HEIGHT - _BOTTOM - below[i] - height
            below[i] += height
            said = f"{escape(name)}: {number(events)}, {_moment(at_ms, step_ms)}"
            parts.append(
                f'<rect x="{_LEFT + i * width + 0.5:.1f}" y="{y:.1f}" '
                f'width="{max(1.0, width - 1):.1f}" height="{height:.1f}" '
                f'fill="{names[name]}"><title>{said}</title></rect>')
    for i in _ticks(columns):
        parts.append(f'<text class="bk-tick" x="{_LEFT + (i + 0.5) * width:.0f}" '
                     f'y="{_HEIGHT - 8}" text-anchor="middle">'
                     f"{_moment(first_ms + i * step_ms, step_ms)}</text>")  # fmt: skip
    return _svg(parts, top, tr("gestures over time"))


def bars(labels: Sequence[str], counts: Sequence[int], said: str) -> str:
    """One bar for each class."""
    top = _nice(max(counts, default=0))
    width = (_HALF - _LEFT) / len(counts)
    room = _HEIGHT - _BOTTOM - _TOP
    parts = []
    for i, (label, count) in enumerate(zip(labels, counts, strict=True)):
        height = room * count / top
        parts.append(f'<rect x="{_LEFT + i * width + 2:.1f}" '
                     f'y="{_HEIGHT - _BOTTOM - height:.1f}" width="{width - 4:.1f}" '
                     f'height="{height:.1f}" fill="var(--accent)">'
                     f"<title>{escape(label)}: {number(count)}</title></rect>")  # fmt: skip
        parts.append(f'<text class="bk-tick" x="{_LEFT + (i + 0.5) * width:.0f}" '
                     f'y="{_HEIGHT - 8}" text-anchor="middle">{escape(label)}</text>')  # fmt: skip
    return _svg(parts, top, said, _HALF)


def colours(series: dict[str, list[tuple[int, int]]]) -> dict[str, str]:
    """The most frequent gestures have a colour of their own."""
    order = sorted(series, key=lambda name: -sum(events for _, events in series[name]))
    return {name: LABEL_COLOURS[i] if i < min(_MOST, len(LABEL_COLOURS)) else IDLE_COLOUR
            for i, name in enumerate(order)}  # fmt: skip


def _svg(parts: list[str], top: int, said: str, width: int = _WIDTH) -> str:
    room = _HEIGHT - _BOTTOM - _TOP
    axis = []
    for share in (0, 0.5, 1):
        y = _HEIGHT - _BOTTOM - room * share
        axis.append(f'<line x1="{_LEFT}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}" '
                    'stroke="var(--line)"/>'
                    f'<text class="bk-tick" x="{_LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">'
                    f"{_short(top * share)}</text>")  # fmt: skip
    return (f'<svg viewBox="0 0 {width} {_HEIGHT}" class="bk-chart" role="img" '
            f'aria-label="{escape(said)}">{"".join(axis)}{"".join(parts)}</svg>')  # fmt: skip


def _nice(value: int) -> int:
    """An upper end for the axis: 2, 4, 10, 20, 40, 100, ..."""
    top = 2
    for factor in (2, 2.5, 2) * 8:
        if top >= value:
            break
        top = int(top * factor)
    return top


def _short(value: float) -> str:
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{number(value / size, 'g')}{unit}"
    return number(value, "g")


def _ticks(columns: int) -> range:
    return range(0, columns, max(1, -(-columns // 8)))


def _moment(at_ms: int, step_ms: int) -> str:
    form = tr("%d %b", about="of strftime") if step_ms >= DAY_MS else "%H:%M"
    return time.strftime(form, (time.gmtime if step_ms >= DAY_MS else time.localtime)(
        at_ms / 1000))  # fmt: skip
