"""Words that fit a number."""
from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 sample`, `2 samples`; plural is for nouns that need more than an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def time_span(seconds: float) -> str:
    """About how long: `45 s`, `2.1 min`, `45 min`, `1.5 h`, `30 h`."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            n = seconds / size
            return f"{n:.0f} {unit}" if n >= 10 else f"{n:.1f} {unit}".replace(".0 ", " ")
    return f"{seconds:.0f} s"
