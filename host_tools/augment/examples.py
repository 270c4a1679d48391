"""One gesture, changed by one kind of augmentation, for pictures: by the code of training.

    for kind in KINDS:
        after = example(kind, window, rate_hz, rng)

Nothing here changes a value itself: what is shown is what augment.simulate and
augment.movements do while a model is trained, with one amount turned up.
"""
from __future__ import annotations

from dataclasses import fields

import numpy as np

from host_tools.augment import signal
from host_tools.augment.energy import moving_part
from host_tools.augment.kinds import BETWEEN, MOVEMENT, Augment, Kind
from host_tools.augment.movements import Movements, Stroke
from host_tools.augment.pieces import Material, Piece, gravity_courses
from host_tools.augment.simulate import Simulator

_CLIP = (1.5, 125.0)  # g, deg/s: low enough that most gestures show it
_TURN_DEG = 90.0
_SLOWER = 2.0  # times, of a way back


def example(kind: Kind, window: np.ndarray, rate_hz: float, rng) -> np.ndarray:
    """One draw of the kind for a gesture, float32 (axes, n) in m/s^2 and deg/s.

    The result is float32 (axes, m); a faster, slower or made-up movement has another length.
    """
    window = np.asarray(window, np.float32)
    material = _material(window, rate_hz)
    if kind.name == "clipping":
        return signal.clip(window, *_CLIP)
    simulator = Simulator(material, _only(kind), rng)
    if kind.stage == MOVEMENT:
        return simulator.varied(material.pieces[0]).samples
    if kind.stage == BETWEEN:
        return _between(kind.name, simulator.make, material, window.shape[1])
    return simulator.worn(window)


def _only(kind: Kind) -> Augment:
    """All amounts 0 but those of the kind, as they are shown."""
    none = {f.name: 0.0 for f in fields(Augment)}
    return Augment(**{**none, **{a.field: a.shown for a in kind.amounts}})


def _material(window: np.ndarray, rate_hz: float) -> Material:
    (course,), size = gravity_courses([window], rate_hz)
    first, end = moving_part(window, rate_hz)
    level = np.zeros((len(window), 1), np.float32)
    level[:3, 0] = course[:, 0]
    piece = Piece(window, course, first, end - 1, 1)
    return Material(rate_hz, len(window), [piece], levels=level, size=size)


def _between(name: str, make: Movements, material: Material, n: int) -> np.ndarray:
    piece = material.pieces[0]
    level = material.levels[:, 0]
    elsewhere = make.elsewhere(level, _TURN_DEG)
    return {
        "rest": lambda: make.rest(level, n),
        "turn": lambda: make.turn(level, elsewhere, n, _TURN_DEG),
        "carry": lambda: make.carry(level, elsewhere),
        "push": lambda: make.push(level, n),
        "knock": lambda: make.knock(level, max(4, n)),
        "walk": lambda: make.walk(level, max(2.0, n / make.rate_hz)),
        "fidget": lambda: make.fidget(level)[0],
        "way back": lambda: Stroke(
            piece.samples, piece.gravity, piece.first, piece.last
        ).undone(_SLOWER),
    }[name]().astype(np.float32)
