"""Where one take ends and the next begins, in a file that holds several."""
from __future__ import annotations

import numpy as np

_RUNS = 0.3  # changes per row: an id has fewer, a counter more
_PAUSE = 50  # steps, and
_PAUSE_MS = 2000.0  # without a sample: another take


def by_id(values: list[str]) -> list[int]:
    """Row indices at which a take begins, for a column of ids or of a counter.

    An id stays for many rows; a counter starts again at a smaller number.
    """
    changes = [i for i in range(1, len(values)) if values[i] != values[i - 1]]
    if len(changes) < _RUNS * len(values):
        return changes
    try:
        numbers = np.array([float(v) for v in values])
    except ValueError:
        return []
    return [int(i) + 1 for i in np.flatnonzero(np.diff(numbers) < 0)]


def by_time(t_ms: np.ndarray) -> list[int]:
    """Row indices at which time starts again or has paused."""
    steps = np.diff(t_ms)
    ahead = steps[steps > 0]
    usual = float(np.median(ahead)) if len(ahead) else 0.0
    back = steps < -max(3 * usual, 1e-9)
    pause = steps > max(_PAUSE * usual, _PAUSE_MS)
    return [int(i) + 1 for i in np.flatnonzero(back | pause)]


def cut(length: int, starts) -> list[tuple[int, int]]:
    """(first, last + 1) of each take."""
    edges = sorted({0, length, *starts})
    return list(zip(edges, edges[1:], strict=False))
