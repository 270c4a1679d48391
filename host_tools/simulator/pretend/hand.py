"""The hand that holds the pretend board: still, until it is asked for a gesture."""

import threading

import numpy as np
from numpy.typing import NDArray

from host_tools.simulator.pretend import shapes
from host_tools.simulator.synthesis.kinematics import attitude, sensed
from host_tools.simulator.synthesis.person import draw_person
from host_tools.simulator.synthesis.trajectory import STEP_S
from host_tools.units import GRAVITY

_REACTION_S = 0.3
_EDGE = 8  # steps around what is asked for, for the differences
_TOO_STRONG = 9.0
_KEPT_S = 5.0


class Hand:
    """A movement, see simulator/sensor/movement.py, that takes orders meanwhile.

    lying: it has laid the board on a table. turned: the sensor is mounted a quarter turn round,
    so that x and y are mixed up. in_g: it gives g where it should give m/s^2. All can be set
    at any time.
    """

    filtered = False
    duration_s = None

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._person = draw_person("practice", self._rng)
        self._waves = [
            (self._rng.uniform(low, high, (4, 3)), self._rng.uniform(0, 2 * np.pi, (4, 3)))
            for low, high in ((8, 12), (0.5, 2.5), (0.05, 0.12))
        ]
        self._moves: list[tuple[float, np.ndarray]] = []
        self._lock = threading.Lock()
        self._shape_of = shapes.Shapes()
        self.now_s = 0.0
        """How far the sensor has looked."""
        self.lying = False
        self.turned = False
        self.in_g = False

    @property
    def idle_s(self) -> float:
        """For how long it has been still; negative while it moves."""
        with self._lock:
            ends = [start + len(move) * STEP_S for start, move in self._moves]
        return self.now_s - max(ends, default=0.0)

    def perform(self, name: str, too_strong: bool = False, at_s: float = 0.0) -> None:
        """Make the gesture of that name once, now or at at_s, and after a person's reaction."""
        move = shapes.positions(self._shape_of(name), self._person, self._rng)
        self._add(move * (_TOO_STRONG if too_strong else 1.0), at_s)

    def fidget(self) -> None:
        """Make an everyday movement, which is not a gesture."""
        self._add(shapes.everyday(self._rng))

    def _add(self, move: np.ndarray, at_s: float = 0.0) -> None:
        with self._lock:
            reaction_s = _REACTION_S * float(self._rng.uniform(0.5, 1.2))
            self._moves.append((max(self.now_s, at_s + reaction_s), move))

    def sample(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """m/s^2 and deg/s at t_s (n,): (n, 6)."""
        first = int(np.floor(t_s.min() / STEP_S)) - _EDGE
        last = int(np.ceil(t_s.max() / STEP_S)) + _EDGE
        grid = np.arange(first, last + 1) * STEP_S
        held = 0.0 if self.lying else 1.0
        tremor, sway, drift = (held * self._wave(grid, which) for which in range(3))
        person = self._person
        place = person.tremor_m * tremor + person.sway_m * sway
        with self._lock:
            self.now_s = max(self.now_s, float(t_s.max()))
            self._moves = [(start, move) for start, move in self._moves
                           if start + len(move) * STEP_S > self.now_s - _KEPT_S]  # fmt: skip
            for start, move in self._moves:
                steps = start + np.arange(len(move)) * STEP_S
                for axis in range(3):
                    place[:, axis] += np.interp(grid, steps, move[:, axis], 0.0, move[-1, axis])
        angles = attitude(place, person, 0.03 * drift + person.sway_rad * sway)
        felt = sensed(place, angles)
        if self.turned:
            felt = felt[:, [1, 0, 2, 4, 3, 5]] * [1, -1, 1, 1, -1, 1]
        if self.in_g:
            felt = felt / ([GRAVITY] * 3 + [1.0] * 3)
        at = np.clip(np.searchsorted(grid, t_s) - 1, 0, len(grid) - 2)
        part = ((t_s - grid[at]) / STEP_S)[:, None]
        return felt[at] * (1 - part) + felt[at + 1] * part

    def _wave(self, t: np.ndarray, which: int) -> np.ndarray:
        """(n, 3): unrest within a band, about 1 in size."""
        hertz, phase = self._waves[which]
        return np.sin(2 * np.pi * t[:, None, None] * hertz + phase).sum(axis=1) / 2
