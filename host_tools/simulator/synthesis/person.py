"""How one imaginary person moves: habits drawn once, varied with each gesture."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Person:
    """Habits of one person.

    tempo: how long a gesture takes against the average, 1 = average.
    size: how far it goes, likewise. heading_rad: by how much "along x" is turned
    about the vertical. hold_rad: roll and pitch at which the board is held at rest.
    coupling_rad_per_m: (3, 3), how roll, pitch and yaw follow the displacement,
    since a hand turns about wrist and elbow. tremor_m: size of the shaking at
    8 to 12 Hz. sway_m, sway_rad: size of the slower unrest of a hand that is held up.
    """

    name: str
    tempo: float
    size: float
    heading_rad: float
    hold_rad: tuple[float, float]
    coupling_rad_per_m: np.ndarray
    tremor_m: float
    sway_m: float
    sway_rad: float


def draw_person(name: str, rng: np.random.Generator) -> Person:
    coupling = np.array([[0.3, -1.2, 0.0], [1.2, 0.3, 0.0], [-1.6, 0.6, 0.0]])
    return Person(
        name=name,
        tempo=float(rng.uniform(0.85, 1.2)),
        size=float(rng.uniform(0.8, 1.25)),
        heading_rad=float(rng.normal(0, 0.12)),
        hold_rad=(float(rng.normal(0, 0.06)), float(rng.normal(0, 0.06))),
        coupling_rad_per_m=coupling * rng.uniform(0.5, 1.4, (3, 3)),
        tremor_m=float(rng.uniform(0.5, 1.5)) * 2e-5,
        sway_m=float(rng.uniform(0.5, 1.5)) * 1e-3,
        sway_rad=float(rng.uniform(0.5, 1.5)) * 0.008,
    )
