"""Small drawings as SVG text: signals over time with spans and marks, and bar-like tables."""
from __future__ import annotations

import math
from html import escape

import numpy as np

# The first three are the axes; all of them as far from each other as thin lines need
COLOURS = ("#c0392b", "#1e8449", "#1f618d", "#e08e00", "#8e44ad", "#795548", "#e84393", "#607d8b",
           "#00a8c6", "#8bab1f", "#2d3436", "#5c6bff")


class Plot:
    """One plotting area of width x height pixels over x and y ranges; add things, then text()."""

    def __init__(self, x_range, y_range, width=900, height=130, left=46, bottom=18, title=""):
        self.width, self.height, self.left, self.bottom = width, height, left, bottom
        (self.x0, self.x1), (self.y0, self.y1) = x_range, y_range
        if self.y1 <= self.y0:
            self.y1 = self.y0 + 1
        if self.x1 <= self.x0:
            self.x1 = self.x0 + 1
        self._parts: list[str] = []
        self._marks = -1
        if title:
            self._parts.append(f'<text x="{left}" y="10" class="t">{escape(title)}</text>')

    def x(self, value):
        share = (np.asarray(value, float) - self.x0) / (self.x1 - self.x0)
        return self.left + share * (self.width - self.left - 4)

    def y(self, value):
        share = (np.asarray(value, float) - self.y0) / (self.y1 - self.y0)
        return (self.height - self.bottom) - share * (self.height - self.bottom - 14)

    def line(self, xs, ys, colour: str, width: float = 1.0, opacity: float = 1.0,
             dash: str = "") -> None:
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(self.x(xs), self.y(ys), strict=True))
        self._parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}" stroke-opacity="{opacity}"'
            + (f' stroke-dasharray="{dash}"/>' if dash else "/>")
        )

    def signal(self, xs, ys, colour: str, most: int = 1200) -> None:
        """A line of at most about `most` points that keeps the peaks: extremes of each piece."""
        xs, ys = np.asarray(xs), np.asarray(ys)
        if len(xs) > most:
            size = -(-2 * len(xs) // most)
            whole = len(xs) // size * size
            pieces = ys[:whole].reshape(-1, size)
            low, high = pieces.argmin(axis=1), pieces.argmax(axis=1)
            pick = np.sort(np.stack([low, high], axis=1), axis=1)
            pick = (pick + np.arange(len(pieces))[:, None] * size).ravel()
            xs, ys = xs[pick], ys[pick]
        self.line(xs, ys, colour)

    def band(self, start, end, colour: str, label: str = "", missed: bool = False,
             opacity: float = 0.15) -> None:
        """A stretch of the x axis. missed: framed in dashed red as well."""
        a, b = float(self.x(start)), float(self.x(end))
        frame = ' stroke="#c0392b" stroke-width="1.5" stroke-dasharray="4,2"' if missed else ""
        self._parts.append(
            f'<rect x="{a:.1f}" y="14" width="{max(b - a, 0.5):.1f}" '
            f'height="{self.height - self.bottom - 14}" fill="{colour}" '
            f'fill-opacity="{opacity}"{frame}><title>{escape(label)}</title></rect>'
        )

    def mark(self, at, colour: str, label: str, dashed: bool = False) -> None:
        a = float(self.x(at))
        dash = ' stroke-dasharray="3,3"' if dashed else ""
        before = a + 8 * len(label) > self.width  # it would be cut off
        anchor = ' text-anchor="end"' if before else ""
        self._parts.append(
            f'<line x1="{a:.1f}" x2="{a:.1f}" y1="14" y2="{self.height - self.bottom}" '
            f'stroke="{colour}" stroke-width="2"{dash}><title>{escape(label)}</title></line>'
            f'<text x="{a - 3 if before else a + 3:.1f}" y="{self._mark_line()}"{anchor} '
            f'fill="{colour}" class="m">'
            f"{escape(label)}</text>"
        )

    def dots(self, xs, ys, colour: str, size: float = 1.5) -> None:
        self._parts.extend(
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{size}" fill="{colour}" fill-opacity="0.6"/>'
            for a, b in zip(self.x(xs), self.y(ys), strict=True)
        )

    def ring(self, x: float, y: float, colour: str, size: float = 6.0) -> None:
        self._parts.append(
            f'<circle cx="{float(self.x(x)):.1f}" cy="{float(self.y(y)):.1f}" r="{size}" '
            f'fill="none" stroke="{colour}" stroke-width="2"/>'
        )

    def note(self, x: float, y: float, text: str) -> None:
        """Small text to the lower right of a point."""
        self._parts.append(
            f'<text x="{float(self.x(x)) + 4:.1f}" y="{float(self.y(y)) + 11:.1f}" class="n">'
            f"{escape(text)}</text>"
        )

    def _mark_line(self) -> int:
        """Neighbouring marks' labels stand on different lines."""
        self._marks += 1
        return 23 + 10 * (self._marks % 3)

    def text(self, unit: str = "", values: bool = True, numbers: bool = True,
             marks: dict[float, str] | None = None) -> str:
        """The finished <svg> element with both axes.

        values: write the range at the y axis; numbers: write ticks at the x axis. marks: text
        at places of the x axis, in place of round numbers.
        """
        base = self.height - self.bottom
        axis = [
            f'<line x1="{self.left}" x2="{self.width - 4}" y1="{base}" y2="{base}" class="a"/>',
        ]
        if values:
            axis += [
                f'<line x1="{self.left}" x2="{self.left}" y1="14" y2="{base}" class="a"/>',
                f'<text x="{self.left - 4}" y="{base}" class="n" text-anchor="end">'
                f"{self.y0:.3g}</text>",
                f'<text x="{self.left - 4}" y="22" class="n" text-anchor="end">'
                f"{self.y1:.3g}</text>",
            ]
            if self.y0 < 0 < self.y1:
                zero = float(self.y(0))
                axis.append(f'<line x1="{self.left}" x2="{self.width - 4}" y1="{zero:.1f}" '
                            f'y2="{zero:.1f}" class="z"/>')
        if marks is None:
            at_numbers = ticks(self.x0, self.x1, max(2, self.width // 110)) if numbers else []
            marks = {at: f"{at:g}" for at in at_numbers}
        for i, (at, name) in enumerate(marks.items()):
            x = float(self.x(at))
            last = i == len(marks) - 1
            anchor = "end" if x > self.width - 30 else "middle" if x > self.left + 6 else "start"
            axis.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 3}" class="a"/>'
                        f'<text x="{x:.1f}" y="{base + 13}" class="n" text-anchor="{anchor}">'
                        f"{escape(name)}{' ' + escape(unit) if unit and last else ''}</text>")
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}">{"".join(axis)}{"".join(self._parts)}</svg>'
        )


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` + 1 round numbers within low..high, evenly spaced."""
    span = high - low
    step = 10.0 ** math.floor(math.log10(span / most))
    for times in (1, 2, 5, 10, 20, 50):
        if span / (step * times) <= most:
            step *= times
            break
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:980px;padding:0 1em;color:#222}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}
table{border-collapse:collapse;margin:.6em 0}
th,td{padding:.15em .6em;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}svg{display:block;max-width:100%;height:auto}
.t{font:600 11px sans-serif}.n{font:9px sans-serif;fill:#666}
.m{font:600 10px sans-serif;paint-order:stroke;stroke:#fff;stroke-width:3px}
.pair{display:flex;flex-wrap:wrap;gap:.5em 1.5em;border-top:1px solid #ddd;padding:.4em 0}
.pair>div{flex:0 1 440px;min-width:0}.cap{font-size:12px;overflow-wrap:anywhere}
.stream{margin-bottom:1.4em}
.facts td,.facts th{text-align:left}
.row{display:flex;flex-wrap:wrap;gap:0 2em}
.bar{float:left;height:.7em;margin-top:.4em;background:#9bb}
.a{stroke:#999}.z{stroke:#ddd}.bad{color:#c0392b}.good{color:#1e8449}.note{color:#666}
"""


def axes_legend() -> str:
    """Which colour is which axis of a signal, as HTML."""
    return " ".join(f'<span style="color:{COLOURS[k]}">&mdash; {name}</span>'
                    for k, name in enumerate("xyz"))


class Html(str):
    """Text that is HTML already; everything else gets escaped in a table."""


def page(title: str, body: str) -> str:
    """A whole HTML page that needs nothing else."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{body}</html>\n"
    )


def table(head, rows) -> str:
    """Cells are text, unless they are Html."""

    def cell(tag, value):
        return f"<{tag}>{value if isinstance(value, Html) else escape(str(value))}</{tag}>"

    lines = ["<tr>" + "".join(cell("th", h) for h in head) + "</tr>"]
    lines += ["<tr>" + "".join(cell("td", v) for v in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"
