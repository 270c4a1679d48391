"""How much a hand moves: the measures that recording, proposals, checks and training share.

activity        against the median of a short piece: 1 is as much as a resting hand may
motion_energy   against the last second: for long recordings that nobody has labelled yet
stillest        the quietest tenth of all short blocks
"""
from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_ACCEL = 1.2  # m/s^2 and
_GYRO = 25.0  # deg/s: levels that a resting hand stays below
_SMOOTH_S = 0.1
ACTIVE = 1.0  # of activity(): a resting hand stays below
_SHARE = 0.12  # of the strongest moment; a gentle end still counts

_SLOW_ACCEL = 2.5  # m/s^2 and
_SLOW_TURN = 80.0  # deg/s: motion_energy 1, a slow deliberate gesture
_SLOW_S = 1.0  # gravity and the sensor's offset change more slowly than this
_ENERGY_SMOOTH_S = 0.12

_BLOCK_S = 0.25
_STILLEST = 0.1  # part of the blocks


def activity(samples: np.ndarray, rate_hz: float) -> np.ndarray:
    """How much each sample moves, float32 (n,): 1 is as much as a resting hand may.

    samples: (n, 3 or 6), m/s^2 and deg/s. Acceleration is counted against its median, so
    neither gravity nor its calibration matters; turning too.
    """
    away = samples - np.median(samples, axis=0)
    level = np.linalg.norm(away[:, :3], axis=1) / _ACCEL
    if samples.shape[1] == 6:
        level = np.hypot(level, np.linalg.norm(away[:, 3:], axis=1) / _GYRO)
    return moving_mean(level[:, None], max(1, round(_SMOOTH_S * rate_hz)))[:, 0].astype(np.float32)


def moving(level: np.ndarray) -> np.ndarray:
    """Indices of the samples that move, for levels from activity() of one gesture."""
    if not len(level):
        return np.zeros(0, int)
    return np.flatnonzero(level > max(ACTIVE, _SHARE * float(level.max())))


def find_movement(samples: np.ndarray, rate_hz: float, start: int, end: int) -> tuple[int, int]:
    """First and last + 1 moving sample inside [start, end); the whole span if nothing moves.

    People label generously, or whole recordings.
    """
    found = moving(activity(samples[start:end], rate_hz)) if end > start else np.zeros(0, int)
    if len(found) < 2:
        return start, end
    return start + int(found[0]), start + int(found[-1]) + 1


def motion_energy(
    samples: np.ndarray, rate_hz: float, gaps: Iterable[tuple[int, int]] = ()
) -> np.ndarray:
    """float32 (n,): 0 at rest, about 1 in a slow deliberate gesture.

    samples: (n, 3 or 6), m/s^2 and deg/s. What changes more slowly than a second does not
    count. gaps: sample ranges that were filled in; nothing moves there.
    """
    x = samples.astype(np.float64)
    slow = moving_mean(x, max(3, int(_SLOW_S * rate_hz)))
    slow[:, 3:] = np.median(x[:, 3:], axis=0) if x.shape[1] > 3 else 0
    scale = np.repeat([_SLOW_ACCEL, _SLOW_TURN], 3)[: x.shape[1]]
    power = (((x - slow) / scale) ** 2).sum(axis=1)
    for first, last in gaps:
        power[first:last] = 0
    width = max(1, int(_ENERGY_SMOOTH_S * rate_hz))
    return np.sqrt(moving_mean(power[:, None], width)[:, 0]).astype(np.float32)


def stillest(pieces: Iterable[tuple[np.ndarray, float]]) -> np.ndarray:
    """Mean acceleration over each of the stillest blocks, (k, 3) in the unit of the samples."""
    return stillest_blocks(pieces)[0]


def stillest_blocks(
    pieces: Iterable[tuple[np.ndarray, float]],
) -> tuple[np.ndarray, np.ndarray]:
    """Mean acceleration (k, 3) and spread (k,) of the stillest blocks.

    pieces: (samples (n, 3 or 6), rate_hz). A block is a quarter of a second, its spread the
    largest standard deviation of its axes; a tenth of all blocks are the stillest.
    """
    spreads, means = [np.zeros(0)], [np.zeros((0, 3))]
    for samples, rate_hz in pieces:
        n = max(2, int(_BLOCK_S * rate_hz))
        blocks = samples[: len(samples) // n * n, :3].reshape(-1, n, 3)
        spreads.append(blocks.std(axis=1).max(axis=1, initial=0))
        means.append(blocks.mean(axis=1))
    spread = np.concatenate(spreads)
    if not len(spread):
        return means[0], spread
    chosen = spread <= np.quantile(spread, _STILLEST)
    return np.concatenate(means)[chosen], spread[chosen]


def moving_mean(x: np.ndarray, width: int) -> np.ndarray:
    """Centred moving mean of the columns of x (n, k); the ends hold the edge."""
    half = width // 2
    padded = np.pad(x, ((half, width - 1 - half), (0, 0)), mode="edge")
    total = np.cumsum(np.vstack([np.zeros(x.shape[1]), padded]), axis=0)
    return (total[width:] - total[:-width]) / width
