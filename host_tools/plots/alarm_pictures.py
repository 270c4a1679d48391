"""What the false alarms were, as pictures: each window beside the take that it is most like."""
from __future__ import annotations

from html import escape

import numpy as np

from host_tools.evaluation.alarms import FalseAlarm, in_numbers, samples_before, window_ms
from host_tools.evaluation.evaluate import Evaluation
from host_tools.evaluation.ward import Ward
from host_tools.plots.svg import COLOURS, Plot, axes_legend, table

_MOST_DRAWN = 24
_WIDTH, _HEIGHT = 440, 84


def alarms_section(result: Evaluation, alarms: list[FalseAlarm]) -> list[str]:
    """Counts, then the surest ones as pictures; nothing without false alarms."""
    if not alarms:
        return []
    counts = in_numbers(alarms)
    if counts["unlike"]:
        counts["nearest"]["none of them"] = counts["unlike"]
    heads = (("reported", "reported as"), ("nearest", "like a take of"),
             ("activity", "while this was labelled"))
    tables = [table((head, "times"), list(counts[key].items())) for key, head in heads
              if counts[key]]
    out = [
        "<h2>What the false alarms were</h2>",
        '<p class="note">The window behind each, the surest first, beside the take that it is '
        "most like. r is Pearson's correlation of the two as the network gets them; below 0.5 "
        "they are not alike. Above: acceleration in m/s&sup2; less its mean, below: turning rate "
        "in deg/s. The network scales windows, so each picture has its own scale. "
        f"{axes_legend()}</p>",
        f'<div class="row">{"".join(f"<div>{t}</div>" for t in tables)}</div>',
    ]
    out += [_pair(a, window_ms(result)) for a in alarms[:_MOST_DRAWN]]
    if len(alarms) > _MOST_DRAWN:
        out.append(f'<p class="note">{_MOST_DRAWN} of {len(alarms)} are drawn.</p>')
    return out


def _pair(a: FalseAlarm, length_ms: float) -> str:
    where = f"{a.recording.name}, {(a.t_ms - a.recording.start_ms) / 1000:.1f} s"
    if a.activity:
        where += f", {a.activity}"
    if not a.outside:
        where += ", within a gesture"
    left = samples_before(a.recording, a.t_ms, length_ms)
    text = f"<b>{escape(a.label)} {a.confidence} %</b> {escape(where)}"
    columns = [(text, left, a.recording.rate_hz)]
    if a.nearest:
        n = a.nearest
        right = samples_before(n.recording, n.t_ms, length_ms)
        name = f"{n.recording.name}{', ' + n.subject if n.subject else ''}"
        like = "" if n.alike else ", not alike"
        columns.append((f"nearest: <b>{escape(n.label)}</b>, r = {n.likeness:.2f}{like} "
                        f"({escape(name)})", right, n.recording.rate_hz))
    cells = "".join(
        f'<div><div class="cap">{text}</div>{_picture(x, rate_hz, length_ms)}</div>'
        for text, x, rate_hz in columns
    )
    return f'<div class="pair">{cells}</div>'


def _picture(x: np.ndarray, rate_hz: float, length_ms: float) -> str:
    t = (np.arange(len(x)) - len(x)) / rate_hz
    out = []
    for first in range(0, x.shape[1], 3):
        part = x[:, first : first + 3]
        if first == 0:
            part = part - part.mean(axis=0)
        top = float(np.abs(part).max())
        plot = Plot((-length_ms / 1000, 0), (-top, top), _WIDTH, _HEIGHT, left=34)
        for axis in range(3):
            plot.line(t, part[:, axis], COLOURS[axis], 1.3)
        out.append(plot.text("s", numbers=first + 3 >= x.shape[1]))
    return "".join(out)


def ward_section(ward: Ward) -> list[str]:
    """Ward's categories as two tables; nothing without gestures."""
    found = ward.as_json()
    if not any(found["truth"].values()):
        return []
    gestures, events = (list(found[k].items()) for k in ("truth", "reported"))
    seconds = [(k, f"{s:.1f}") for k, s in found["seconds"].items()]
    return [
        "<h2>Ward's categories</h2>",
        '<p class="note">An event stands for the movement that it ended. Merged: one event for '
        "several gestures; fragmented: several events for one. Overfill: movement around the "
        "label; underfill: labelled time without it. A wrong name is a gesture deleted and an "
        "event inserted.</p>",
        f'<div class="row"><div>{table(("gestures", ""), gestures)}</div>'
        f"<div>{table(('events', ''), events)}</div>"
        f"<div>{table(('time', 's'), seconds)}</div></div>",
    ]
