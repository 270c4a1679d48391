"""Whole data-set folders of synthetic recordings, the same from the same seed."""

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from host_tools.files import write_atomically
from host_tools.simulator.synthesis import trajectory
from host_tools.simulator.synthesis.kinematics import attitude, sensed
from host_tools.simulator.synthesis.person import Person, draw_person
from host_tools.simulator.synthesis.sensor import RATE_HZ, record
from host_tools.simulator.synthesis.trajectory import STEP_S

GESTURES = ("circle", "x", "y")
_HEADER = ("t_ms", "ax", "ay", "az", "gx", "gy", "gz")


@dataclass(frozen=True)
class Take:
    """One recording. values: (n, 6) at RATE_HZ; spans: (start_ms, end_ms, label)."""

    name: str
    subject: str
    values: np.ndarray
    spans: list[tuple[int, int, str]]


def generate(seed: int, people: int, gestures_each: int, pause_s: float = 1.6) -> list[Take]:
    """One recording per person, with so many of each gesture in mixed order.

    pause_s: the mean pause between a gesture's end and what comes next.
    """
    return [
        _take(f"p{seed}-{i + 1}", np.random.default_rng([seed, i]), gestures_each, pause_s)
        for i in range(people)
    ]


def write_folder(takes: list[Take], folder: Path) -> None:
    """Write recordings/NAME.csv.gz and labels.csv; each file whole or not at all."""
    (folder / "recordings").mkdir(parents=True, exist_ok=True)
    labels = io.StringIO()
    rows = csv.writer(labels, lineterminator="\n")
    rows.writerow(("recording", "start_ms", "end_ms", "label", "subject"))
    for take in takes:
        write_atomically(folder / "recordings" / f"{take.name}.csv.gz", _gzipped(take.values))
        rows.writerows((take.name, *span, take.subject) for span in take.spans)
    write_atomically(folder / "labels.csv", labels.getvalue().encode())


def _take(name: str, rng: np.random.Generator, gestures_each: int, pause_s: float) -> Take:
    person = draw_person(name, rng)
    order = rng.permutation(np.repeat(np.arange(len(GESTURES)), gestures_each))
    parts = [trajectory.rest(1.5)]
    spans = []
    for which in order:
        parts += _distraction(person, rng)
        label = GESTURES[which]
        start = _length(parts)
        parts.append(_gesture(label, person, rng))
        spans.append((_ms(start), _ms(start + len(parts[-1]) - 1), label))
        swing = rng.normal(0, 0.006, 3) * person.size
        parts.append(trajectory.settle(0.5, swing, rng.uniform(3, 5)))
        parts.append(trajectory.rest(rng.uniform(0.5, 1.5) * pause_s))
    parts.append(trajectory.rest(1.0))
    position = trajectory.join(parts)
    moved = len(position)
    position += person.tremor_m * _waves(moved, 8, 12, rng)
    position += person.sway_m * _waves(moved, 0.5, 2.5, rng)
    drift = 0.03 * _waves(moved, 0.03, 0.12, rng) + person.sway_rad * _waves(moved, 0.5, 2.5, rng)
    angles = attitude(position, person, drift)
    return Take(name, name, record(sensed(position, angles), rng), spans)


def _gesture(label: str, person: Person, rng: np.random.Generator) -> np.ndarray:
    tempo = person.tempo * rng.uniform(0.85, 1.15)
    size = person.size * rng.uniform(0.85, 1.15)
    heading = person.heading_rad + rng.normal(0, 0.08)
    if label == "circle":
        return trajectory.circle(0.9 * tempo, 0.10 * size, heading - np.pi / 2)
    heading += 0.0 if label == "x" else np.pi / 2
    return trajectory.stroke(0.55 * tempo, 0.16 * size, heading, rng.uniform(0.45, 0.55))


def _distraction(person: Person, rng: np.random.Generator) -> list[np.ndarray]:
    """Movement without a gesture: a nudge, a slow return to another place, or nothing."""
    kind = rng.integers(4)
    heading = rng.uniform(0, 2 * np.pi)
    if kind == 0:
        nudge = trajectory.push(rng.uniform(0.25, 0.4), 0.006 * person.size, heading)
        return [nudge, trajectory.rest(rng.uniform(0.5, 0.9))]
    if kind == 1:
        away = np.array([np.cos(heading), np.sin(heading), 0.0]) * rng.uniform(0.05, 0.15)
        return [trajectory.shift(rng.uniform(1.0, 1.6), away), trajectory.rest(0.6)]
    return []


def _waves(count: int, low_hz: float, high_hz: float, rng: np.random.Generator) -> np.ndarray:
    """(count, 3): unrest within a band, about 1 in size, its strength wandering."""
    t = np.arange(count) * STEP_S
    unrest = np.zeros((count, 3))
    for axis in range(3):
        for hertz in rng.uniform(low_hz, high_hz, 4):
            unrest[:, axis] += np.sin(2 * np.pi * (hertz * t + rng.uniform()))
    strength = 1 + 0.5 * np.sin(2 * np.pi * (0.2 * t + rng.uniform()))
    return unrest / 2 * strength[:, None]


def _length(parts: list[np.ndarray]) -> int:
    return sum(len(part) for part in parts)


def _ms(step: int) -> int:
    return round(step * STEP_S * 1000)


def _gzipped(values: np.ndarray) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_HEADER)
    for i, row in enumerate(values):
        numbers = (f"{value:.{3 if axis < 3 else 2}f}" for axis, value in enumerate(row))
        rows.writerow((i * 1000 // RATE_HZ, *numbers))
    return gzip.compress(text.getvalue().encode(), mtime=0)
