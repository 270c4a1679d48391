"""Whether a take can be used, and where in it the movement is. Pure."""

import numpy as np

from host_tools.dataset.movement import activity, moving
from host_tools.errors import BeckonError
from host_tools.recording.blocks import Block

_PAUSE_S = 0.3  # a shorter pause inside a gesture does not end it
_LEAST_S = 0.15  # what is shorter is a knock, no gesture
_STRONG = 2.5  # the strongest moment of anything that is meant


class BadTake(BeckonError):
    """A take that cannot be used: why, and what to do."""


def joined(blocks: list[Block], first: int, end: int) -> tuple[np.ndarray, np.ndarray, int]:
    """values (n, axes), clipped (n,) of the samples in [first, end), and how many were lost."""
    values, clipped = [], []
    for block in blocks:
        a, b = max(first, block.index), min(end, block.end)
        if a < b:
            values.append(block.values[a - block.index : b - block.index])
            clipped.append(block.clipped[a - block.index : b - block.index])
    if not values:
        return np.zeros((0, 6)), np.zeros(0, bool), end - first
    all_values = np.concatenate(values)
    return all_values, np.concatenate(clipped), end - first - len(all_values)


def judge(blocks: list[Block], first: int, end: int, rate_hz: float) -> tuple[int, int]:
    """The samples [start, stop) of the movement in the take [first, end). Raises BadTake.

    The take has to begin and end at rest.
    """
    values, clipped, lost = joined(blocks, first, end)
    if lost:
        if lost == 1:
            raise BadTake("1 sample got lost on the way; once more")
        raise BadTake("{lost} samples got lost on the way; once more", lost=lost)
    if clipped.any():
        raise BadTake("the movement went beyond the sensor's range; once more, more gently (or "
                      "record with a larger --accel-g or --gyro-dps)")
    level = activity(values.astype(np.float32), rate_hz)
    if level.max() < _STRONG:
        raise BadTake("there was no movement; once more, right after GO")
    found = moving(level)
    if len(found) < _LEAST_S * rate_hz:
        raise BadTake("that was a knock rather than a gesture; once more")
    start, stop = int(found[0]), int(found[-1]) + 1
    if start == 0:
        raise BadTake("the board was not at rest at GO; keep it still until then")
    if stop == len(level):
        raise BadTake("the movement did not end in time; once more, quicker (or with more "
                      "--seconds)")
    pauses = np.diff(found)
    if pauses.max(initial=0) > _PAUSE_S * rate_hz and _rest_after(level, found, pauses):
        raise BadTake("there were two movements; make the gesture once, then rest")
    return first + start, first + stop


def _rest_after(level: np.ndarray, found: np.ndarray, pauses: np.ndarray) -> bool:
    """Whether both sides of the longest pause are strong: a small settling is not a gesture."""
    at = int(found[int(np.argmax(pauses))]) + 1
    strongest = float(level.max())
    return min(float(level[:at].max()), float(level[at:].max())) > 0.4 * strongest
