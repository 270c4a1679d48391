"""Figures as sentences, the same in the terminal and on the pages. Input is what as_json gives."""
from __future__ import annotations

from host_tools.evaluation.curve import hours_to_prove
from host_tools.wording import listed

LEAST_TAKES = 5  # of a gesture: fewer say too little to judge how well it is found
LEAST_IDLE_S = 600.0  # no rate is given for less: even 0 events would allow 22 per hour


def number(x: float | None, digits: int = 3) -> str:
    """With so many digits after the point; "-" for a figure that does not exist."""
    return "-" if x is None else f"{x:.{digits}f}"


def false_alarms(events: dict) -> str:
    """How many, and per hour if there was time enough to say so."""
    alarms = events.get("alarms", events["false"])
    idle_s = 3600 * (events["idle_hours"] or 0.0)
    if idle_s < LEAST_IDLE_S:
        return f"{alarms} in {idle_s:.0f} s without gestures: too little time for a rate per hour"
    low, high = events["false_per_hour_95"]
    return (f"{number(events['false_per_hour'], 2)} per hour (95 %: {number(low, 2)} to "
            f"{number(high, 2)}) in {idle_s / 3600:.3g} hours without gestures")


def recall_at(figures: dict) -> str:
    """The recall at each limit, or how many hours it would take to know; "" without gestures."""
    known = figures.get("recall_at_false_per_hour") or {}
    if not known or not figures["events"]["truth"]:
        return ""
    parts = [f"{number(recall)} at {limit} false per hour" for limit, recall in known.items()
             if recall is not None]
    unknown = [limit for limit, recall in known.items() if recall is None]
    if unknown:
        hours = [f"{hours_to_prove(float(limit)):.2g}" for limit in unknown]
        parts.append(f"{listed(unknown)} per hour cannot be proven: that takes {listed(hours)} "
                     "hours without gestures")
    return "; ".join(parts)


def named_spans(figures: dict) -> str:
    """How many labelled spans the network names right, and the macro F1; "" without spans.

    Where many are still none at that moment, the network waits for the rest after a gesture:
    then the events say how good it is, and a share of named spans would only mislead.
    """
    e, s = figures["events"], figures["span"]
    if not s["count"]:
        return ""
    if waits(figures):
        return (f"{s['not_yet']} of {s['count']} get their name only after the label's end, "
                f"so the events above are what counts ({e['hits']} of {e['truth']} found)")
    right = sum(row[i] for i, row in enumerate(s["confusion"]))
    return f"{right} of {s['count']} named right, macro F1 {number(s['macro_f1'])}"


def waits(figures: dict) -> bool:
    """Whether the model names many gestures only after their labels' end, and finds them."""
    e, s = figures["events"], figures["span"]
    return e["hits"] > e["missed"] and 5 * s["not_yet"] > s["count"]
