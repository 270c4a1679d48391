"""Which movement the pretend board's hand makes for the name of a gesture."""

from collections.abc import Callable

import numpy as np

from host_tools.simulator.synthesis import trajectory
from host_tools.simulator.synthesis.person import Person

_NAMES = {
    "circle": "circle o round kreis",
    "right": "x right swipe rechts",
    "left": "left links",
    "push": "y push forward schieben",
    "pull": "pull back",
    "up": "z up lift hoch",
    "down": "down drop runter",
    "shake": "shake wave schütteln winken",
    "ring": "ring circle-back",
}
KNOWN = {name: shape for shape, names in _NAMES.items() for name in names.split()}
# In this order names that are not known get the shapes that are left.
_ORDER = ("circle", "right", "up", "shake", "push", "down", "ring", "left", "pull")


class Shapes:
    """Gives each name a shape of its own, as long as there are enough."""

    def __init__(self) -> None:
        self._chosen: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """The shape for a gesture's name, always the same one."""
        name = name.lower()
        if name not in self._chosen:
            taken = set(self._chosen.values())
            free = [shape for shape in _ORDER if shape not in taken] or list(_ORDER)
            self._chosen[name] = KNOWN.get(name) or free[0]
        return self._chosen[name]


def positions(shape: str, person: Person, rng: np.random.Generator) -> np.ndarray:
    """(n, 3) in metres, from the hand's place back to it, a sample every trajectory.STEP_S."""
    tempo = min(1.05, person.tempo) * rng.uniform(0.85, 1.1)
    size = person.size * rng.uniform(0.88, 1.12)
    heading = person.heading_rad + rng.normal(0, 0.08)
    swing = rng.normal(0, 0.004, 3) * size
    move = _MOVES[shape](tempo, size, heading, rng)
    return trajectory.join([move, trajectory.settle(0.35, swing, rng.uniform(3, 5))])


def _circle(tempo, size, heading, rng):
    return trajectory.circle(0.85 * tempo, 0.10 * size, heading - np.pi / 2)


def _stroke(turned: float):
    def made(tempo, size, heading, rng):
        turn = rng.uniform(0.45, 0.55)
        return trajectory.stroke(0.55 * tempo, 0.16 * size, heading + turned, turn)

    return made


def _upright(sign: float):
    def made(tempo, size, heading, rng):
        along = trajectory.stroke(0.55 * tempo, 0.16 * size, 0.0, rng.uniform(0.45, 0.55))[:, 0]
        return sign * np.stack([0.1 * along, 0 * along, along], axis=1)

    return made


def _shake(tempo, size, heading, rng):
    strokes = [trajectory.stroke(0.26 * tempo, 0.07 * size, heading, 0.5) for _ in range(3)]
    return trajectory.join(strokes)


def _ring(tempo, size, heading, rng):
    return _circle(tempo, size, heading, rng) * [-1, 1, 1]


_MOVES: dict[str, Callable] = {
    "circle": _circle,
    "right": _stroke(0.0),
    "left": _stroke(np.pi),
    "push": _stroke(np.pi / 2),
    "pull": _stroke(-np.pi / 2),
    "up": _upright(1.0),
    "down": _upright(-1.0),
    "shake": _shake,
    "ring": _ring,
}


def everyday(rng: np.random.Generator) -> np.ndarray:
    """(n, 3): a movement that is not a gesture: a nudge, or slowly to another place and back."""
    heading = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.4:
        return trajectory.push(rng.uniform(0.25, 0.5), rng.uniform(0.005, 0.02), heading)
    away = rng.normal(0, 0.06, 3)
    seconds = rng.uniform(0.9, 1.6)
    out = trajectory.shift(seconds, away)
    back = trajectory.shift(rng.uniform(0.8, 1.2) * seconds, -away)
    return trajectory.join([out, trajectory.rest(rng.uniform(0.1, 0.8)), back])
