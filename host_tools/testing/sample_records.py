"""Frames as a board handed them on, held against what its sensor really measured."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from host_tools.simulator.sensor.ground_truth import GroundTruth

RECORD = np.dtype(
    [
        ("index", "<i4"),
        ("lost", "<i4"),  # as the ring counts it: samples lost directly before
        ("taken_us", "<i8"),  # when the board believes that the sample was taken
        ("t_ms", "<i4"),  # the same in ms, from sample 0
        ("handed_ms", "<i4"),  # board time at which the frame was read from the ring
        ("values", "<i2", 6),
    ]
)


def read_records(path: Path) -> NDArray:
    """The records in a frames.bin, a torn last one left out."""
    data = path.read_bytes()
    return np.frombuffer(data[: len(data) // RECORD.itemsize * RECORD.itemsize], RECORD)


@dataclass
class Comparison:
    """frames: handed on. wrong: of them, those that are not the sample of their time.
    lost: samples between the first and the last frame that were not handed on.
    uncounted: how far the marked gaps are from what is really missing, summed.
    Errors in ms of every frame's time against the true one: error_ms of the time at which
    the board says it was taken, t_error_ms of its t_ms, which counts from sample 0."""

    frames: int
    wrong: int
    lost: int
    uncounted: int
    error_ms_max: float
    error_ms_mean: float
    t_error_ms_max: float
    t_error_ms_mean: float
    latency_ms_mean: float
    latency_ms_max: float


def compare(records: NDArray, truth: GroundTruth, period_us: float) -> Comparison:
    """Hold the frames against the truth.

    period_us: the sensor's true period. Across a restart of the sensor's clock no
    whole number of periods lies; a gap there may be one off.
    """
    times = np.array(truth.times_us)
    counts = truth.counts
    taken = records["taken_us"].astype(float)
    # The tick next to the time that the board gives; half a period off is a wrong one.
    after = np.clip(np.searchsorted(times, taken), 1, len(times) - 1)
    tick = np.where(taken - times[after - 1] < times[after] - taken, after - 1, after)
    error_ms = (taken - times[tick]) / 1000
    same = (counts[tick] == records["values"]).all(axis=1)
    wrong = ~same | (np.abs(error_ms) * 1000 > period_us / 2)
    missing = np.diff(tick) - 1
    run = np.searchsorted(np.array(truth.restarts), tick, side="right")
    restarted = np.diff(run) > 0
    by_time = np.diff(times[tick]) / period_us - 1
    marked = records["lost"][1:]
    off = np.where(
        restarted, np.maximum(np.abs(marked - by_time) - 1, 0), np.abs(marked - missing)
    )
    t_error_ms = np.abs(records["t_ms"] - (times[tick] - times[0]) / 1000)
    late_ms = records["handed_ms"] - times[tick] / 1000
    return Comparison(
        frames=len(records),
        wrong=int(wrong.sum()),
        lost=int(marked.sum()),
        uncounted=int(np.ceil(off).sum()),
        error_ms_max=float(np.abs(error_ms).max()),
        error_ms_mean=float(np.abs(error_ms).mean()),
        t_error_ms_max=float(t_error_ms.max()),
        t_error_ms_mean=float(t_error_ms.mean()),
        latency_ms_mean=float(late_ms.mean()),
        latency_ms_max=float(late_ms.max()),
    )
