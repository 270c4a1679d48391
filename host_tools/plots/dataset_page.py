"""One HTML page with what a person wants to see before training.

Counts, findings, every class' signals against their mean, how the axes go
together, the movement in three dimensions, lengths of the spans.
"""
from __future__ import annotations

import json
from collections import Counter
from html import escape

import numpy as np

from host_tools.dataset.checks import check
from host_tools.dataset.idle import is_idle
from host_tools.dataset.recording import AXES, Dataset
from host_tools.plots.svg import COLOURS, Html, Plot, page, table
from host_tools.wording import counted

_POINTS = 60  # a span is drawn with so many points
_EXAMPLES = 40  # spans drawn a class
_BAR_PX = 120
_SCATTER = 25  # spans in the 3-D scatter a class


def html_page(data: Dataset) -> str:
    classes = {label: spans_of(data, label) for label in data.labels}
    body = [
        _findings(data),
        "<h2>Counts</h2>", _counts(data),
        "<h2>Lengths of the spans</h2>", _lengths(data),
        "<h2>Signals by class</h2>",
        '<p class="note">Thin: single spans, stretched to the same length. Thick: their mean, '
        "between thin lines one standard deviation away. The scale is the same for all classes: "
        "m/s&sup2; above, deg/s below.</p>",
        *(_signals(data, label, spans, _ranges(classes)) for label, spans in classes.items()),
        "<h2>Correlation of the axes</h2>",
        '<p class="note">Pearson\'s r over all samples of a class.</p>',
        '<div class="row">',
        *(f"<div>{_correlation(label, spans)}</div>" for label, spans in classes.items()),
        "</div>",
        "<h2>Acceleration in three dimensions</h2>", _scatter(classes, 0, "m/s\u00b2"),
    ]
    if data.axes == 6:
        body += ["<h2>Turning rate in three dimensions</h2>", _scatter(classes, 3, "deg/s")]
    return page(f"Data set {data.name}", "".join(body))


def spans_of(data: Dataset, label: str) -> list[np.ndarray]:
    """The samples of each span with that label, float32 (n, axes)."""
    out = []
    for r in data.recordings:
        for s in r.spans:
            if s.label == label:
                a, b = max(0, round(r.index(s.start_ms))), round(r.index(s.end_ms)) + 1
                if len(r.samples[a:b]) > 1:
                    out.append(r.samples[a:b, : data.axes])
    return out


def _findings(data: Dataset) -> str:
    found = [*data.notices, *check(data)]
    if not found:
        return '<p class="good">Nothing looks wrong.</p>'
    return "<ul>" + "".join(f'<li class="bad">{escape(f)}</li>' for f in found) + "</ul>"


def _counts(data: Dataset) -> str:
    pairs = Counter((s.label, s.subject) for r in data.recordings for s in r.spans)
    subjects = data.subjects
    most = max(Counter(s.label for r in data.recordings for s in r.spans).values())
    rows = []
    for label in data.labels:
        numbers = [pairs[label, s] for s in subjects]
        name = label + (" (no gesture)" if is_idle(label) else "")
        bar = Html(f'<span class="bar" style="width:{_BAR_PX * sum(numbers) / most:.0f}px"></span>')
        rows.append((name, sum(numbers), bar, *numbers))
    minutes = data.seconds / 60
    rates = Counter(round(r.native_hz or r.rate_hz, 1) for r in data.recordings)
    about = (
        f"{counted(len(data.recordings), 'recording')}, {minutes:.1f} minutes, {data.axes} axes, "
        + ", ".join(f"{hz:g} Hz" for hz in sorted(rates))
    )
    head = ("label", "all", "", *(s or "(no name)" for s in subjects))
    return f"<p>{escape(about)}</p>" + table(head, rows)


def _lengths(data: Dataset) -> str:
    rows = []
    for label in data.labels:
        ms = [s.length_ms for r in data.recordings for s in r.spans if s.label == label]
        rows.append((label, *(f"{np.quantile(ms, q) / 1000:.2f}" for q in (0, 0.1, 0.5, 0.9, 1))))
    return table(("label", "least s", "10 %", "median", "90 %", "most"), rows)


def _stretched(spans: list[np.ndarray]) -> np.ndarray:
    """float (spans, _POINTS, axes)."""
    grid = np.linspace(0, 1, _POINTS)
    return np.array([
        np.stack([np.interp(grid, np.linspace(0, 1, len(x)), c) for c in x.T], axis=1)
        for x in spans
    ])


def _ranges(classes) -> list[tuple[float, float]]:
    """The y range of acceleration and of turning rate over all classes, without outliers."""
    found = [x for spans in classes.values() for x in spans]
    every = np.concatenate(found) if found else np.zeros((1, 6), np.float32)
    return [
        tuple(np.quantile(every[:, first : first + 3], (0.002, 0.998)))
        for first in range(0, every.shape[1], 3)
    ]


def _signals(data: Dataset, label: str, spans: list[np.ndarray], ranges) -> str:
    if not spans:
        return ""
    x = _stretched(spans)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    t = np.linspace(0, 100, _POINTS)
    ms = np.median([s.length_ms for r in data.recordings for s in r.spans if s.label == label])
    out = [f"<h3>{escape(label)} ({len(spans)}, median {ms / 1000:.2f} s)</h3>"]
    picked = x[np.linspace(0, len(x) - 1, min(_EXAMPLES, len(x))).astype(int)]
    for (low, high), first in zip(ranges, range(0, x.shape[2], 3), strict=True):
        row = []
        for axis in range(first, first + 3):
            colour = COLOURS[axis % 3]
            plot = Plot((0, 100), (low, high), width=300, title=AXES[axis])
            for one in picked:
                plot.line(t, np.clip(one[:, axis], low, high), "#888", 0.5, 0.35)
            for sign in (-1, 1):
                edge = np.clip(mean[:, axis] + sign * spread[:, axis], low, high)
                plot.line(t, edge, colour, 0.8, 0.7)
            plot.line(t, np.clip(mean[:, axis], low, high), colour, 2.2)
            row.append(plot.text("%"))
        out.append(f'<div style="display:flex">{"".join(row)}</div>')
    return "".join(out)


def _correlation(label: str, spans: list[np.ndarray]) -> str:
    """Pearson's r between the axes, over all samples of the class."""
    x = np.concatenate(spans) if spans else np.zeros((0, 3))
    if len(x) < 3:
        return ""
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.nan_to_num(np.corrcoef(x.T))
    names = AXES[: x.shape[1]]
    rows = []
    for i, name in enumerate(names):
        cells = []
        for v in r[i]:
            tint = "30,132,73" if v > 0 else "192,57,43"
            shade = f"background:rgba({tint},{abs(v) * 0.7:.2f});padding:0 .4em"
            cells.append(Html(f'<span style="{shade}">{v:+.2f}</span>'))
        rows.append((name, *cells))
    return f"<h3>{escape(label)}</h3>" + table(("", *names), rows)


def _scatter(classes: dict[str, list[np.ndarray]], first: int, unit: str) -> str:
    """A canvas that can be turned with the mouse; points of some spans of every class."""
    series = []
    for k, (label, spans) in enumerate(classes.items()):
        picked = spans[:: max(1, len(spans) // _SCATTER)][:_SCATTER]
        if picked:
            points = _stretched(picked)[:, ::2, first : first + 3].reshape(-1, 3)
            series.append({"label": label, "colour": COLOURS[k % len(COLOURS)],
                           "points": np.round(points, 1).tolist()})
    name = f"scatter{first}"
    legend = " ".join(
        f'<label style="color:{s["colour"]}"><input type="checkbox" checked data-of="{name}"> '
        f'{escape(s["label"])}</label>' for s in series
    )
    content = json.dumps(series).replace("<", "\\u003c")
    return (
        f'<p class="note">Drag to turn, tick what to see. {escape(unit)}. {legend}</p>'
        f'<canvas id="{name}" width="640" height="480"></canvas>'
        f"<script>(function(){{const S={content};{_TURN}turn('{name}',S)}})()</script>"
    )


_TURN = """
function turn(id, S) {
  const c = document.getElementById(id), g = c.getContext('2d');
  const ticked = document.querySelectorAll('[data-of=' + id + ']');
  let a = .6, b = .5, d = null;
  // One of 200 values can lie outside: a few blows must not make everything else small
  const sizes = S.flatMap(s => s.points.flat().map(Math.abs)).sort((x, y) => x - y);
  const m = Math.max(1, sizes[Math.floor(sizes.length * .995)] || 1);
  function put(p) {
    const x = p[0] * Math.cos(a) - p[1] * Math.sin(a), y = p[0] * Math.sin(a) + p[1] * Math.cos(a);
    return [320 + x * 210 / m, 230 - (p[2] * Math.cos(b) - y * Math.sin(b)) * 210 / m];
  }
  function axis(name, end) {
    const o = put([0, 0, 0]), q = put(end);
    g.beginPath(); g.moveTo(o[0], o[1]); g.lineTo(q[0], q[1]); g.stroke();
    g.fillText(name + ' ' + m.toFixed(0), q[0], q[1]);
  }
  function draw() {
    g.clearRect(0, 0, 640, 480); g.strokeStyle = '#999'; g.fillStyle = '#666';
    axis('x', [m, 0, 0]); axis('y', [0, m, 0]); axis('z', [0, 0, m]);
    S.forEach(function (s, i) {
      if (!ticked[i].checked) return;
      g.fillStyle = s.colour;
      for (const p of s.points) { const q = put(p); g.fillRect(q[0], q[1], 2, 2); }
    });
  }
  c.onpointerdown = function (e) { d = [e.clientX, e.clientY]; c.setPointerCapture(e.pointerId); };
  c.onpointermove = function (e) {
    if (!d) return;
    a += (e.clientX - d[0]) / 150; b += (e.clientY - d[1]) / 150;
    d = [e.clientX, e.clientY]; draw();
  };
  ticked.forEach(function (t) { t.onchange = draw; });
  c.onpointerup = function () { d = null; };
  draw();
}
"""
