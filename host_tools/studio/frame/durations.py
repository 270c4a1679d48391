"""Durations as people read them. Pure."""
from __future__ import annotations


def duration(seconds: float) -> str:
    """42 s, 3 min 20 s, 5 h 10 min or 2 d 4 h: the two largest units."""
    s = int(seconds)
    if s < 60:
        return f"{s} s"
    if s < 3600:
        return f"{s // 60} min {s % 60} s"
    if s < 86400:
        return f"{s // 3600} h {s % 3600 // 60} min"
    return f"{s // 86400} d {s % 86400 // 3600} h"
