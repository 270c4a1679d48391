"""What a window of a stream is, by the frame at which it ends.

A window is a gesture only once the hand has come to rest after it: from `ended_after`
frames after the gesture's last moving frame. Every window that ends inside a gesture is none,
since the beginning of one gesture looks like another one as a whole. Close to the
moment of change nothing is taught.
"""
from __future__ import annotations

import numpy as np

from host_tools.augment.energy import energy
from host_tools.evaluation.share_events import run_lengths

UNLABELLED = -1
LATEST = 12  # frames after the last moving one up to which a window is the gesture
_FORGOTTEN = 24  # from here on it is none again
_BEGUN = 2  # frames of the next gesture that are too few to matter

_PEAK_FRAMES = 50  # 2 s
_REST_SHARES = (0.1, 0.15, 0.2)
_QUIET_FRAMES = (0, 2, 4)


def window_labels(
    first: np.ndarray, last: np.ndarray, label: np.ndarray, frames: int, ended_after: int, idle: int
) -> tuple[np.ndarray, np.ndarray]:
    """(labels int (frames,), inside bool (frames,)) of the windows that end at each frame.

    first, last: moving frames of each gesture, ascending, int (k,). label: -1 for a gesture
    that is none of the classes. inside: the window ends inside a gesture.
    """
    out = np.full(frames, idle)
    inside = np.zeros(frames, bool)
    following = np.append(first[1:], frames)[: len(first)]
    for a, b, k, after in zip(first, last, label, following, strict=True):
        until = min(frames, after + _BEGUN)
        inside[max(0, a) : b + 1] = True
        if k < 0:
            continue
        out[max(0, b - 1) : min(b + _FORGOTTEN + 1, until)] = UNLABELLED
        out[b + ended_after : min(b + LATEST + 1, until)] = k
    return out, inside


def seeming_ends(frames: np.ndarray, rate_hz: float) -> np.ndarray:
    """bool (n,): where somebody who only looks at the energy would think that a movement ended.

    frames: (axes, n), m/s^2 and deg/s.
    """
    level = energy(frames, rate_hz)
    padded = np.concatenate([np.zeros(_PEAK_FRAMES - 1, np.float32), level])
    peak = np.lib.stride_tricks.sliding_window_view(padded, _PEAK_FRAMES).max(axis=1)
    out = np.zeros(len(level), bool)
    for share in _REST_SHARES:
        calm = (level < np.maximum(1.0, share * peak)) & (peak > 1.5)
        run = run_lengths(calm)
        for quiet in _QUIET_FRAMES:
            out |= run == quiet + 1
    return out
