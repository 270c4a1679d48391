"""What our page sends: one JSON text per message, checked as anything from a network is. Pure.

    {"page": "k3f9", "system": "android", "restarted": false, "attitude": [12.5, -3.1],
     "events": [[t_ms, ax, ay, az, alpha, beta, gamma], ...], "dropped": 0}

page: a word that changes when the page is loaded again. events: DeviceMotionEvent's fields as the
browser reports them; t_ms is the event's own time stamp, ms since the page was opened; null for
the turn rates if the phone has none. restarted: the page's clock may have stood still before
these events, as in a phone that slept. attitude: beta and gamma of the last
DeviceOrientationEvent, or null. dropped: events that waited too long for a connection.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

LONGEST_BYTES = 16384
MOST_EVENTS = 200
_LARGEST = np.array([1e13, 400, 400, 400, 10000, 10000, 10000])  # ms; m/s^2; deg/s
_SYSTEMS = ("android", "ios", "other")


@dataclass(frozen=True)
class PageMessage:
    """stamps_s: (n,); rows: (n, 3 or 6), as the browser reports them."""

    page: str
    system: str
    stamps_s: np.ndarray
    rows: np.ndarray
    restarted: bool = False
    attitude: tuple[float, float] | None = None
    dropped: int = 0


def parse(text: str) -> PageMessage:
    """Raises ValueError for what our page does not send."""
    if len(text) > LONGEST_BYTES:
        raise ValueError("a message is too long")
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    page, system = found.get("page"), found.get("system")
    if not (isinstance(page, str) and page.isalnum() and len(page) <= 32):
        raise ValueError("page: letters and digits")
    if system not in _SYSTEMS:
        raise ValueError(f"system: one of {', '.join(_SYSTEMS)}")
    stamps_s, rows = _events(found.get("events"))
    dropped = found.get("dropped", 0)
    if not isinstance(dropped, int) or not 0 <= dropped < 1 << 31:
        raise ValueError("dropped: a count")
    return PageMessage(page, system, stamps_s, rows, found.get("restarted") is True,
                       _attitude(found.get("attitude")), dropped)


def _events(events: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise ValueError(f"events: a list of {MOST_EVENTS} at most")
    if not all(isinstance(e, list) and len(e) == 7 for e in events):
        raise ValueError("an event has seven fields")
    if not events:
        return np.zeros(0), np.zeros((0, 6))
    axes = 3 if any(field is None for e in events for field in e[4:]) else 6
    picked = [e[: 1 + axes] for e in events]
    if not all(type(field) in (int, float) for e in picked for field in e):
        raise ValueError("an event's fields are numbers")
    table = np.array(picked, float)
    if not (np.abs(table) <= _LARGEST[: 1 + axes]).all():  # false for NaN, too
        raise ValueError("an event's field is out of range")
    return table[:, 0] / 1000, table[:, 1:]


def _attitude(found: Any) -> tuple[float, float] | None:
    if found is None:
        return None
    if (isinstance(found, list) and len(found) == 2
            and all(type(x) in (int, float) and math.isfinite(x) and abs(x) <= 360
                    for x in found)):  # fmt: skip
        return float(found[0]), float(found[1])
    raise ValueError("attitude: two angles, or null")
