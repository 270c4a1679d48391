"""Where the hand is, in metres, along gestures, pauses and things that are not gestures.

A stroke is a minimum-jerk movement (Flash and Hogan 1985): the position goes
as 10 s^3 - 15 s^4 + 6 s^5 of the elapsed part s of its duration.
"""

import numpy as np

STEP_S = 0.002  # the time step of all arrays here


def minimum_jerk(count: int) -> np.ndarray:
    """(count,) from 0 to 1, at rest at both ends."""
    s = np.linspace(0.0, 1.0, count)
    return s**3 * (10 - 15 * s + 6 * s**2)


def _steps(duration_s: float) -> int:
    return max(2, round(duration_s / STEP_S))


def circle(duration_s: float, radius_m: float, start_rad: float) -> np.ndarray:
    """(n, 3): once around in the upright x-z plane, back to the start."""
    angle = start_rad + 2 * np.pi * minimum_jerk(_steps(duration_s))
    x = np.cos(angle) - np.cos(start_rad)
    z = np.sin(angle) - np.sin(start_rad)
    return radius_m * np.stack([x, np.zeros_like(x), z], axis=1)


def stroke(duration_s: float, length_m: float, heading_rad: float, turn: float) -> np.ndarray:
    """(n, 3): out along heading_rad and back. turn: the part of the time that is the way out."""
    out = minimum_jerk(_steps(duration_s * turn))
    back = 1 - minimum_jerk(_steps(duration_s * (1 - turn)))
    along = length_m * np.concatenate([out, back[1:]])
    return _along(along, heading_rad)


def shift(duration_s: float, vector_m: np.ndarray) -> np.ndarray:
    """(n, 3): one slow move to another place, as when the hand returns."""
    return minimum_jerk(_steps(duration_s))[:, None] * vector_m


def push(duration_s: float, length_m: float, heading_rad: float) -> np.ndarray:
    """(n, 3): a short nudge and back, as before lifting off or when setting down."""
    return _along(length_m * np.sin(np.pi * minimum_jerk(_steps(duration_s))) ** 2, heading_rad)


def settle(duration_s: float, vector_m: np.ndarray, hertz: float) -> np.ndarray:
    """(n, 3): the hand swings out after a stop, a damped wave that starts at rest."""
    t = np.arange(_steps(duration_s)) * STEP_S
    fade = np.exp(-4 * t / duration_s) * (1 - minimum_jerk(len(t)))
    wave = fade * (1 - np.cos(2 * np.pi * hertz * t)) / 2
    return wave[:, None] * vector_m


def rest(duration_s: float) -> np.ndarray:
    return np.zeros((_steps(duration_s), 3))


def _along(distance_m: np.ndarray, heading_rad: float) -> np.ndarray:
    zero = np.zeros_like(distance_m)
    return np.stack(
        [distance_m * np.cos(heading_rad), distance_m * np.sin(heading_rad), zero], axis=1
    )


def join(parts: list[np.ndarray]) -> np.ndarray:
    """(n, 3): the parts one after another, each from where the one before ended."""
    at = np.zeros(3)
    placed = []
    for part in parts:
        placed.append(part + at)
        at = placed[-1][-1]
    return np.concatenate(placed)
