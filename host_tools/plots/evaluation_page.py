"""The evaluation as one HTML file: figures, confusion, mistakes, and the streams.

The streams are drawn with their labels and what was detected.
"""
from __future__ import annotations

from html import escape

import numpy as np

from host_tools.evaluation.details import Details
from host_tools.evaluation.evaluate import Evaluation, Stream
from host_tools.evaluation.in_words import false_alarms, named_spans, waits
from host_tools.evaluation.matching import DUPLICATE, FALSE, GRACE_MS, HIT
from host_tools.evaluation.mistakes import MISSED, event_mistakes, span_mistakes
from host_tools.plots.alarm_curve import curve_section, robustness_section
from host_tools.plots.alarm_pictures import alarms_section, ward_section
from host_tools.plots.svg import COLOURS, Html, Plot, axes_legend, page, table

_MOST_STREAMS = 60  # drawn; those with mistakes come first
_MOST_MISTAKES = 50  # listed, of each kind


def html_report(result: Evaluation, details: Details | None = None) -> str:
    """details: if they are at hand already."""
    details = details or Details.of(result)
    figures = result.as_json()
    streams = sorted(result.streams, key=lambda s: (-s.wrong, s.recording.name))
    drawn = streams[:_MOST_STREAMS]
    rest = len(streams) - len(drawn)
    body = [
        _summary(figures),
        "".join(f'<p class="note">{escape(n)}</p>' for n in result.notices),
        *curve_section(result.curve, figures["recall_at_false_per_hour"]),
        *robustness_section(details.robustness),
        "<h2>By gesture</h2>",
        _by_class(figures),
        "<h2>By subject</h2>",
        _by_subject(figures),
        "<h2>Spans: truth against what was found</h2>",
        f'<p class="note">{escape(named_spans(figures))}.</p>' if waits(figures) else "",
        _confusion(figures["span"]["labels"], result.confusion),
        *ward_section(details.ward),
        *_mistakes(result),
        *alarms_section(result, details.alarms),
        "<h2>Streams</h2>",
        '<p class="note">Those with most mistakes first. Shaded: labelled spans; framed in '
        "red: missed. Lines: events with their confidence, dashed when wrong or repeated. Top: "
        "acceleration in m/s&sup2;; below: turning rate in deg/s and, under it, what each window "
        f"was taken for. Axes: {axes_legend()}. Labels: "
        f"{_legend(result.model.labels, result.model.idle)}</p>",
        *(_stream(s, result) for s in drawn),
    ]
    if rest > 0:
        body.append(f'<p class="note">{rest} recordings with fewer mistakes are not drawn.</p>')
    return page(f"{result.data.name}, model {figures['model']['id']}", "".join(body))


def _show(value, digits=3) -> str:
    if value is None:
        return "-"
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def _summary(figures: dict) -> str:
    e, m = figures["events"], figures["model"]
    rows = [
        ("events", f"{e['hits']} of {e['truth']} found, {e['false']} false, "
                   f"{e['duplicates']} repeated"),
        ("event F1", _show(e["f1"] if e["truth"] else None, 4)),
        ("false alarms", false_alarms(e)),
        ("latency p50, p95", f"{_show(e['latency_ms']['p50'], 0)}, "
                             f"{_show(e['latency_ms']['p95'], 0)} ms after the span's end"),
        *([("labelled spans", named_spans(figures))] if named_spans(figures) else []),
        ("model", f"{m['bytes']} bytes, {m['macs']} multiply-accumulates per window"),
        ("speed here", f"{_show(figures['speed']['realtime_factor'], 0)} times real time"),
    ]
    return f'<div class="facts">{table(("figure", "value"), rows)}</div>'


def _confusion(labels, matrix: np.ndarray) -> str:
    rows = []
    for k, label in enumerate(labels):
        total = max(1, matrix[k].sum())
        cells = []
        for j, n in enumerate(matrix[k]):
            colour = "30,132,73" if j == k else "192,57,43"
            shade = f"background:rgba({colour},{n / total * 0.7:.2f})"
            cells.append(Html(f'<span style="{shade};padding:0 .4em">{n or ""}</span>'))
        rows.append((label, *cells))
    return table(("truth \\ found", *labels), rows)


def _by_class(figures: dict) -> str:
    rows = []
    named = not waits(figures)
    for label, c in figures["per_class"].items():
        e = c.get("events")
        events = (f"{e['hits']}/{e['truth']}", e["false"], e["duplicates"],
                  _show(e["latency_ms"]["p50"], 0), _show(e["latency_ms"]["p95"], 0)
                  ) if e else ("",) * 5
        errors = figures["error_ratios"].get(label, {})
        spans = (_show(c["span_recall"]), _show(c["span_precision"])) if named else ()
        rows.append((label, *events, c["spans"], *spans,
                     _show(errors.get("windows")) if errors else ""))
    head = ("label", "events", "false", "repeated", "p50 ms", "p95 ms", "spans",
            *(("span recall", "span precision") if named else ()), "article's error ratio")
    return table(head, rows)


def _by_subject(figures: dict) -> str:
    rows, others = [], 0
    named = not waits(figures)
    for name, s in figures["per_subject"].items():
        e = s["events"]
        if not e["truth"] and not e["false"]:
            others += 1
            continue
        rows.append((name or "(none)", f"{e['hits']}/{e['truth']}", e["false"], e["duplicates"],
                     _show(e["f1"]) if e["truth"] else "-",
                     *([_show(s["span_accuracy"])] if named else [])))
    head = ("subject", "events", "false", "repeated", "event F1",
            *(["span accuracy"] if named else []))
    note = (f'<p class="note">{others} more made no gesture and caused no false event.</p>'
            if others else "")
    return table(head, rows) + note


def _legend(labels, idle: int) -> str:
    return " ".join(
        f'<span style="color:{COLOURS[k % len(COLOURS)]}">&#9632; {escape(label)}</span>'
        for k, label in enumerate(labels) if k != idle
    )


def _mistakes(result: Evaluation) -> list[str]:
    """Tables of wrong events and spans, the hardest first."""
    out: list[str] = []
    rows: list[tuple]
    head: tuple[str, ...]
    events, spans = event_mistakes(result), span_mistakes(result)
    words = {FALSE: "false", DUPLICATE: "repeated", MISSED: "missed"}
    if events:
        rows = [
            (m.recording, f"{m.t_ms / 1000:.2f}", words[m.kind], m.truth or "no gesture",
             m.label or "-", "-" if m.confidence is None else m.confidence, m.subject)
            for m in events[:_MOST_MISTAKES]
        ]
        head = ("recording", "s", "event", "truth", "reported", "confidence", "subject")
        out += ["<h2>Wrong events, the surest first</h2>", _cut(len(events)), table(head, rows)]
    if spans:
        rows = []
        for m in spans[:_MOST_MISTAKES]:
            rows.append((m.recording, f"{m.t_ms / 1000:.2f}", m.truth, m.label, m.confidence,
                         m.subject))
        head = ("recording", "s", "truth", "taken for", "confidence", "subject")
        out += ["<h2>Wrong spans, the surest first</h2>", _cut(len(spans)), table(head, rows)]
    return out


def _cut(count: int) -> str:
    if count <= _MOST_MISTAKES:
        return ""
    return f'<p class="note">{_MOST_MISTAKES} of {count}.</p>'


def _stream(s: Stream, result: Evaluation) -> str:
    r = s.recording
    t = (r.start_ms + np.arange(len(r.samples)) * 1000 / r.rate_hz) / 1000
    labels = result.model.labels
    colour = {label: COLOURS[k % len(COLOURS)] for k, label in enumerate(labels)}
    out = []
    for first, unit in ((0, "m/s^2"), (3, "deg/s")):
        x = r.samples[:, first : first + 3]
        if not x.shape[1]:
            continue
        plot = Plot((t[0], t[-1] + GRACE_MS / 1000), (float(x.min()), float(x.max())), bottom=6,
                    title=f"{r.name}, {unit}" if first == 0 else unit)
        for k, span in enumerate(s.gestures):
            plot.band(span.start_ms / 1000, span.end_ms / 1000, colour[span.label], span.label,
                      k in s.missed)
        for axis in range(3):
            plot.signal(t, x[:, axis], COLOURS[axis])
        if first == 0:
            for event, verdict in zip(s.events, s.verdicts, strict=True):
                plot.mark(event.t_ms / 1000, colour[event.label],
                          f"{event.label} {event.confidence}", verdict.kind != HIT)
        out.append(plot.text(numbers=False))
    out.append(_ribbon(s, t, labels, result.model.idle))
    return f'<div class="stream">{"".join(out)}</div>'


def _ribbon(s: Stream, t, labels, idle: int) -> str:
    """What each window was taken for, as runs of colour."""
    plot = Plot((t[0], t[-1] + GRACE_MS / 1000), (0, 1), height=46)
    for piece in s.windows.pieces:
        t_ms, label = piece.t_ms, piece.label
        if len(label):
            edges = np.flatnonzero(np.diff(label)) + 1
            starts = np.concatenate([[0], edges])
            ends = np.concatenate([edges, [len(label)]]) - 1
            for a, b in zip(starts, ends, strict=True):
                if label[a] != idle:
                    colour = COLOURS[label[a] % len(COLOURS)]
                    plot.band(t_ms[a] / 1000, t_ms[b] / 1000, colour, labels[label[a]],
                              opacity=0.8)
    return plot.text("s", values=False)
