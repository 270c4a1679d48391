"""Small drawings as SVG text in the page's own colours, dark or light. Pure.

Numbers become coordinates. Text goes through html.escape, as it may come from strangers.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

_POINTS = 400  # of a line; a screen shows no more


def spark(values: Sequence[float], good: bool = True, width: int = 120, height: int = 34) -> str:
    """A filled curve of values from 0 to 1: the activity during a take."""
    if len(values) < 2:
        return ""
    xs = np.linspace(0, width, len(values))
    ys = height - 2 - np.clip(values, 0, 1) * (height - 5)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    colour = "var(--good)" if good else "var(--bad)"
    return (
        f'<svg class="bk-chart" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'aria-hidden="true"><polygon points="0,{height} {points} {width},{height}" '
        f'fill="{colour}" fill-opacity=".22"/><polyline points="{points}" fill="none" '
        f'stroke="{colour}" stroke-width="2"/></svg>'
    )


def loss_curve(losses: Sequence[tuple[int, float, float]], steps: int, width: int = 1000,
               height: int = 260, title: str = "loss over the steps of training",
               number: Callable[[float, str], str] = format) -> str:
    """Loss of each draw as dots and its running mean as a line, over all steps.

    losses: (step, loss, mean). The scale of the loss is logarithmic. number: a number and how to
    format it -> how the page writes it.
    """
    left, bottom, top, right = 52, 30, 12, 12
    some = np.array(losses, float) if losses else np.zeros((0, 3))
    values = np.clip(some[:, 1:], 1e-6, None)
    high = float(values.max()) * 1.15 if len(some) else 2.0
    low = min(float(values.min()) * 0.85, high / 2) if len(some) else 0.1

    def x(step):
        return left + np.asarray(step, float) / max(1, steps) * (width - left - right)

    def y(loss):
        share = (np.log(loss) - np.log(low)) / (np.log(high) - np.log(low))
        return height - bottom - np.clip(share, 0, 1) * (height - bottom - top)

    parts = [_open(width, height, title)]
    for value in _ticks(low, high):
        at = float(y(value))
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{at:.1f}" y2="{at:.1f}" '
                     f'stroke="var(--line)"/><text x="{left - 8}" y="{at + 5:.1f}" '
                     f'text-anchor="end" class="bk-tick">{number(value, "g")}</text>')
    for share in (0, 0.25, 0.5, 0.75, 1):
        step = round(steps * share)
        parts.append(f'<text x="{float(x(step)):.1f}" y="{height - 8}" text-anchor="middle" '
                     f'class="bk-tick">{number(step, ",")}</text>')
    if len(some):
        every = max(1, len(some) // _POINTS)
        dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2"/>'
                       for a, b in zip(x(some[::every, 0]), y(values[::every, 0]), strict=True))
        line = " ".join(f"{a:.1f},{b:.1f}"
                        for a, b in zip(x(some[::every, 0]), y(values[::every, 1]), strict=True))
        parts.append(f'<g fill="var(--accent)" fill-opacity=".35">{dots}</g><polyline '
                     f'points="{line}" fill="none" stroke="var(--accent)" stroke-width="3"/>')
        end_x, end_y = float(x(some[-1, 0])), float(y(values[-1, 1]))
        parts.append(f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="5" fill="var(--accent)"/>')
    return "".join(parts) + "</svg>"


def lines(curves: Sequence[tuple[str, np.ndarray]], low: float, high: float, seconds: float,
          width: int = 360, height: int = 130, title: str = "",
          number: Callable[[float, str], str] = format) -> str:
    """Curves (colour, values (n,)) over the same time. number: see loss_curve()."""
    left, bottom, top = 34, 20, 6
    parts = [_open(width, height, title)]
    for value in (low, high):
        at = height - bottom if value == low else top + 4
        parts.append(f'<text x="{left - 6}" y="{at + 4}" text-anchor="end" class="bk-tick">'
                     f"{value:.0f}</text>")
    parts.append(f'<line x1="{left}" x2="{width - 4}" y1="{height - bottom}" '
                 f'y2="{height - bottom}" stroke="var(--line)"/>'
                 f'<text x="{width - 4}" y="{height - 5}" text-anchor="end" class="bk-tick">'
                 f"{number(seconds, '.1f')} s</text>")
    for colour, values in curves:
        xs = np.linspace(left, width - 4, len(values))
        share = np.clip((values - low) / max(1e-9, high - low), 0, 1)
        ys = height - bottom - share * (height - bottom - top)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(xs, ys, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" '
                     'stroke-width="1.8"/>')
    return "".join(parts) + "</svg>"


@dataclass(frozen=True)
class LaneWords:
    """The words of lanes(), for a page in another language."""

    title: str = "events over time"
    online: str = "online"
    offline: str = "offline"
    now: str = "now"
    seconds: str = "{n} s ago"
    minutes: str = "{n} min ago"

    def ago(self, seconds: float) -> str:
        if seconds < 1:
            return self.now
        text, n = (self.seconds, seconds) if seconds < 120 else (self.minutes, seconds / 60)
        return text.format(n=f"{n:.0f}")


def lanes(events: Sequence[tuple[float, str]], changes: Sequence[tuple[float, bool]],
          colours: dict[str, str], seconds: float, width: int = 720,
          words: LaneWords | None = None) -> str:
    """Events (seconds ago, label) on a lane for each label, newest at the right.

    changes: (seconds ago, online) of devices, drawn as lines across.
    """
    words = words or LaneWords()
    row, left, right, bottom = 34, 130, 16, 26
    labels = list(colours)
    height = row * max(1, len(labels)) + bottom + 6

    def x(ago: float) -> float:
        return width - right - ago / seconds * (width - left - right)

    parts = [_open(width, height, words.title)]
    for i, label in enumerate(labels):
        middle = row * i + row / 2 + 3
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{middle}" y2="{middle}" '
                     f'stroke="var(--line)"/><text x="{left - 12}" y="{middle + 6}" '
                     f'text-anchor="end" class="bk-lane">{escape(_short(label))}</text>')
    base = height - bottom
    for ago, online in changes:
        if ago <= seconds:
            dash = "" if online else ' stroke-dasharray="4,4"'
            word = words.online if online else words.offline
            parts.append(f'<line x1="{x(ago):.1f}" x2="{x(ago):.1f}" y1="0" y2="{base}" '
                         f'stroke="var(--quiet)" stroke-width="2"{dash}><title>{word}</title>'
                         "</line>")
    for ago, label in events:
        if ago <= seconds and label in colours:
            middle = row * labels.index(label) + row / 2 + 3
            parts.append(f'<circle cx="{x(ago):.1f}" cy="{middle}" r="8" '
                         f'fill="{colours[label]}" stroke="var(--surface)" stroke-width="2"/>')
    for share in (1.0, 0.5, 0.0):
        anchor = {1.0: "start", 0.5: "middle", 0.0: "end"}[share]
        parts.append(f'<text x="{x(share * seconds):.1f}" y="{height - 6}" '
                     f'text-anchor="{anchor}" class="bk-tick">{words.ago(share * seconds)}</text>')
    return "".join(parts) + "</svg>"


def _open(width: int, height: int, title: str) -> str:
    return (f'<svg class="bk-chart" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-label="{escape(title, quote=True)}">')


def _ticks(low: float, high: float) -> list[float]:
    """Round values from low to high, at most five, at least two if they fit."""
    found = [m * 10.0**e for e in range(-6, 4) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    if len(found) < 2:  # a narrow range: even steps
        step = 10.0 ** np.floor(np.log10((high - low) / 2))
        while (high - low) / step > 5:
            step *= 2
        first = np.ceil(low / step)
        found = [round(float(k * step), 6) for k in np.arange(first, high / step)]
    return found[-5:]


def _short(text: str) -> str:
    return text if len(text) <= 13 else text[:12] + "…"
