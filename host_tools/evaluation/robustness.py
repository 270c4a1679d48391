"""How much recall a model loses when it is worn otherwise: turned, on the other hand, walking.

    for change, tally in robustness(model, data): print(change.name, tally.recall)

Each change is made to the recordings themselves, whole streams at once, and the board's
integers run over the result. Only recordings with gestures are judged.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from host_tools.augment.movements import Movements, rotation_between
from host_tools.augment.pieces import LEAST_GRAVITY, Material
from host_tools.dataset import Dataset, Recording
from host_tools.dataset.resample import resample_recording
from host_tools.errors import BeckonError
from host_tools.evaluation.emulator import resting
from host_tools.evaluation.evaluate import evaluate
from host_tools.evaluation.metrics import Tally, json_number
from host_tools.model.format import Model
from host_tools.units import GRAVITY

TURNED, OTHER_HAND, WALKING = "turned", "other hand", "walking"
_AXES = "xyz"
_LEAST_WALK_S, _MOST_WALK_S = 4.0, 300.0
_AROUND_S = 1.5  # of walking before and after a recording: longer than an event may take


@dataclass(frozen=True)
class Change:
    """kind: TURNED, OTHER_HAND or WALKING. apply: makes a changed recording of one."""

    kind: str
    name: str
    apply: Callable[[Recording], Recording]


@dataclass(frozen=True)
class Robustness:
    """plain: the recordings as they are. changed: each change and what was found with it."""

    plain: Tally
    changed: tuple[tuple[Change, Tally], ...]

    def lost(self, tally: Tally) -> float:
        """Points of recall, 0 to 100."""
        return 100 * (self.plain.recall - tally.recall)

    def as_json(self) -> dict:
        return {
            "truth": self.plain.truth,
            "recall": json_number(self.plain.recall),
            "changes": [
                {"kind": c.kind, "name": c.name, "recall": json_number(t.recall),
                 "lost_points": json_number(self.lost(t)), "hits": t.hits, "false": t.false,
                 "f1": json_number(t.f1)}
                for c, t in self.changed
            ],
        }


def robustness(
    model: Model, data: Dataset, walking: Sequence[Recording] = (), seed: int = 1, progress=None
) -> Robustness:
    """Judge the recordings with gestures as they are, and with every change.

    walking: recordings of a walk to put on top; without any a walk is made up.
    progress(): called after each recording, as often as there are changes and once more.
    Raises BeckonError when no recording has a gesture of the model.
    """
    kept = with_gestures(model, data)
    if not kept:
        raise BeckonError(f"{data.name}: no gesture of the model is in it, so nothing can be lost")
    plain = evaluate(model, Dataset(data.name, kept), progress).tally()
    found = []
    for change in changes(kept, walking, seed):
        changed = Dataset(change.name, [change.apply(r) for r in kept])
        found.append((change, evaluate(model, changed, progress).tally()))
    return Robustness(plain, tuple(found))


def with_gestures(model: Model, data: Dataset) -> list[Recording]:
    """The recordings that are judged."""
    known = {x for k, x in enumerate(model.labels) if k != model.idle}
    return [r for r in data.recordings if any(s.label in known for s in r.spans)]


def changes(
    recordings: Sequence[Recording], walking: Sequence[Recording] = (), seed: int = 1
) -> Iterator[Change]:
    """Turned by 90 and 180 degrees about each axis of the sensor, mirrored, over a walk.

    A hand's mirror image is that along a level axis: the axis along which gravity points is
    left out, since a mirror does not turn anybody upside down.
    """
    for degrees in (90, 180):
        for axis in range(3):
            turn = turned_about(axis, degrees)
            yield Change(TURNED, f"turned {degrees} deg about {_AXES[axis]}",
                         partial(_moved, accel=turn, gyro=turn))
    upright = _upright_axis(recordings)
    for axis in range(3):
        if axis != upright:
            mirror = np.eye(3, dtype=np.float32)
            mirror[axis, axis] = -1
            # A turning rate is an axial vector: what lies along the mirrored axis keeps its sign
            yield Change(OTHER_HAND, f"other hand, mirrored along {_AXES[axis]}",
                         partial(_moved, accel=mirror, gyro=-mirror))
    walk = _Walk(walking, np.random.default_rng(seed))
    yield Change(WALKING, "while walking", walk.under)


def turned_about(axis: int, degrees: float) -> np.ndarray:
    """float32 (3, 3): a right-handed turn about an axis of the sensor (0, 1, 2)."""
    a = np.radians(degrees)
    out = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out[i, i] = out[j, j] = np.cos(a)
    out[j, i], out[i, j] = np.sin(a), -np.sin(a)
    return out.astype(np.float32)


def _moved(r: Recording, accel: np.ndarray, gyro: np.ndarray) -> Recording:
    """Every sample through these matrices (3, 3)."""
    parts = [r.samples[:, :3] @ accel.T]
    if r.axes == 6:
        parts.append(r.samples[:, 3:] @ gyro.T)
    return replace(r, samples=np.concatenate(parts, axis=1).astype(np.float32))


def _upright_axis(recordings: Sequence[Recording]) -> int:
    """The axis along which gravity mostly points, or -1 if it is not in the data."""
    means = np.array([r.samples[:, :3].mean(axis=0) for r in recordings])
    if not len(means) or np.median(np.linalg.norm(means, axis=1)) < LEAST_GRAVITY:
        return -1
    return int(np.abs(means).mean(axis=0).argmax())


class _Walk:
    """Walks to put under recordings, recorded ones or such that are made up."""

    def __init__(self, recorded: Sequence[Recording], rng: np.random.Generator):
        self._recorded = [w for w in recorded if w.seconds >= _LEAST_WALK_S]
        self._rng = rng
        self._made: dict[tuple[float, int], Movements] = {}
        if recorded and not self._recorded:
            raise BeckonError(f"a walk must take {_LEAST_WALK_S:g} s at least, and none does")

    def under(self, r: Recording) -> Recording:
        """The recording with a walk's own movement on top, begun before it and ended after."""
        r = _with_rest(r, _AROUND_S)
        level = np.zeros(r.axes, np.float32)
        level[:3] = r.samples[:, :3].mean(axis=0)
        if np.linalg.norm(level[:3]) < LEAST_GRAVITY:
            level[:3] = (0, 0, GRAVITY)  # which way is up is not in the data
        n, parts, length = len(r.samples), [], 0
        while length < n:
            x = self._recorded_part(r, level) if self._recorded else self._made_part(r, level)
            parts.append(x)
            length += x.shape[1]
        walk = np.concatenate(parts, axis=1)[:, :n].T
        return replace(r, samples=(r.samples + walk).astype(np.float32))

    def _made_part(self, r: Recording, level: np.ndarray) -> np.ndarray:
        """(axes, n) without gravity: as long as the recording if it is not very long."""
        key = r.rate_hz, r.axes
        if key not in self._made:
            self._made[key] = Movements(Material(*key), self._rng)
        seconds = min(len(r.samples) / r.rate_hz + 1, _MOST_WALK_S)
        return self._made[key].walk(level, seconds) - level[:, None]

    def _recorded_part(self, r: Recording, level: np.ndarray) -> np.ndarray:
        """(axes, n) of a recorded walk at the rate of r, turned so that its down is r's."""
        walk = self._recorded[self._rng.integers(len(self._recorded))]
        x = resample_recording(walk, r.rate_hz).samples[:, : r.axes].T
        turn = rotation_between(x[:3].mean(axis=1), level[:3])
        x = np.concatenate([turn @ x[k : k + 3] for k in range(0, len(x), 3)])
        x = np.pad(x, ((0, r.axes - len(x)), (0, 0)))
        return x - x.mean(axis=1, keepdims=True)


def _with_rest(r: Recording, seconds: float) -> Recording:
    """The recording with the sensor at rest before and after it; times stay what they are."""
    n = round(seconds * r.rate_hz)
    parts = [resting(r.samples[:1], n), r.samples, resting(r.samples[-1:], n)]
    return replace(r, samples=np.concatenate(parts), start_ms=r.start_ms - n * 1000 / r.rate_hz,
                   gaps=tuple((a + n, b + n) for a, b in r.gaps))
