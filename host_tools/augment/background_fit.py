"""Learn the prototypes of augment.background from hours of everyday movement.

    background = fit(recordings, activities, "name of the set, licence", rng)

Pieces of PIECE_S are drawn from each activity in equal parts. A vector autoregressive model
is fitted to each by least squares (Lütkepohl 2005, section 3.2), and k-means over levels and
spectra (Lloyd 1982) chooses those that stand for the others.
"""
from __future__ import annotations

import numpy as np

from host_tools.augment.background import RATE_HZ, STEADY_S, UNIT, Background
from host_tools.augment.pieces import LEAST_GRAVITY
from host_tools.errors import BeckonError
from host_tools.units import GRAVITY

PIECE_S = 5.0
_ORDER = 5
_PROTOTYPES = 256
_PIECES = 6000
_LEAST_PIECES = 4 * _PROTOTYPES
_RIDGE = 0.5  # on squares of UNIT
_STABLE = 0.985  # largest eigenvalue of a model: what rings longer is drawn in
_LEAST_LEVEL = 0.03  # UNIT per frame, of the drive: less is a sensor on a table
_BANDS = ((1, 4), (4, 11), (11, 31), (31, 63))  # of the spectrum: 0.2, 0.8, 2.2, 6.2 Hz on
_ROUNDS = 25


def fit(
    recordings: list[np.ndarray], activities: list[str], source: str, rng: np.random.Generator
) -> Background:
    """recordings: float32 (6, n) at RATE_HZ, with gravity; activities: what each is.

    Raises BeckonError when there is too little.
    """
    pieces = _pieces(recordings, activities, rng)
    if len(pieces) < _LEAST_PIECES:
        raise BeckonError(
            f"{len(pieces)} pieces of {PIECE_S:g} s with movement and gravity in them; "
            f"{_LEAST_PIECES} are needed: name more recordings"
        )
    chosen, weights = _representatives(np.array([_traits(x) for x in pieces]), rng)
    models = [_model(pieces[i]) for i in chosen]
    mean, coefficients, drive, envelope = (
        np.array(part, np.float32) for part in zip(*models, strict=True)
    )
    return Background(weights.astype(np.float32), mean, coefficients, drive, envelope, source)


def _pieces(recordings, activities, rng) -> list[np.ndarray]:
    """(6, frames) each, in UNIT: as many of each activity, by the hours of its recordings."""
    n = round(PIECE_S * RATE_HZ)
    by_activity: dict[str, list[np.ndarray]] = {}
    for x, name in zip(recordings, activities, strict=True):
        if x.shape[1] >= n:
            by_activity.setdefault(name, []).append(x)
    out = []
    for name in sorted(by_activity):
        found = by_activity[name]
        starts = np.array([x.shape[1] - n + 1 for x in found])
        most = min(-(-_PIECES // len(by_activity)), max(1, 2 * int(starts.sum()) // n))
        for i in rng.choice(len(found), most, p=starts / starts.sum()):
            a = rng.integers(starts[i])
            x = found[i][:, a : a + n]
            size = np.linalg.norm(x[:3].mean(axis=1))
            moving = np.abs(np.diff(x / UNIT[:, None], axis=1)).mean() > _LEAST_LEVEL
            if moving and size > LEAST_GRAVITY:
                out.append(x / UNIT[:, None])
    return out


def _traits(x: np.ndarray) -> np.ndarray:
    """What makes two pieces alike: levels by axis and band, how uneven, how it is held."""
    away = x - x.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(away, axis=1)) ** 2
    bands = np.stack([power[:, a:b].sum(axis=1) for a, b in _BANDS]) / x.shape[1] ** 2
    width = round(STEADY_S * RATE_HZ)
    steps = np.diff(x, axis=1)
    blocks = steps[:, : steps.shape[1] // width * width].reshape(6, -1, width).std(axis=2)
    uneven = np.log(blocks.mean(axis=0) + 0.02).std()
    held = x[:3].mean(axis=1) * UNIT[:3] / GRAVITY
    return np.concatenate([0.5 * np.log(bands.ravel() + 1e-4), [2 * uneven], 1.5 * held])


def _representatives(traits: np.ndarray, rng) -> tuple[np.ndarray, np.ndarray]:
    """(rows that are nearest to the centre of their group, part of all that each stands for)."""
    centres = traits[rng.choice(len(traits), _PROTOTYPES, replace=False)]
    for _ in range(_ROUNDS):
        distance = ((traits**2).sum(axis=1)[:, None] - 2 * traits @ centres.T
                    + (centres**2).sum(axis=1)[None])
        group = distance.argmin(axis=1)
        far = np.argsort(distance.min(axis=1))[::-1]
        for k in range(_PROTOTYPES):
            mine = group == k
            centres[k] = traits[mine].mean(axis=0) if mine.any() else traits[far[k]]
    count = np.bincount(group, minlength=_PROTOTYPES)
    used = np.flatnonzero(count)
    chosen = [int(np.where(group == k, distance[:, k], np.inf).argmin()) for k in used]
    return np.array(chosen), count[used] / len(traits)


def _model(x: np.ndarray):
    """(mean, coefficients, drive, envelope) of one piece."""
    mean = x.mean(axis=1)
    y = (x - mean[:, None]).T
    past = np.concatenate([y[_ORDER - k - 1 : len(y) - k - 1] for k in range(_ORDER)], axis=1)
    now = y[_ORDER:]
    square = past.T @ past + _RIDGE * np.eye(past.shape[1])
    coefficients = np.linalg.solve(square, past.T @ now).T
    error = now - past @ coefficients.T
    coefficients = _stable(coefficients)
    covariance = error.T @ error / len(error) + 1e-6 * np.eye(6)
    drive = np.linalg.cholesky(covariance)
    white = np.linalg.solve(drive, error.T)
    width = round(STEADY_S * RATE_HZ)
    periods = white.shape[1] // width
    blocks = white[:, : periods * width].reshape(6, periods, width)
    envelope = np.sqrt((blocks**2).mean(axis=(0, 2)))
    return mean, coefficients, drive, envelope / np.sqrt((envelope**2).mean())


def _stable(coefficients: np.ndarray) -> np.ndarray:
    """The coefficients, the k-th scaled by f^k so that the model dies out."""
    companion = np.zeros((6 * _ORDER, 6 * _ORDER))
    companion[:6] = coefficients
    companion[6:, :-6] = np.eye(6 * (_ORDER - 1))
    largest = np.abs(np.linalg.eigvals(companion)).max()
    f = min(1.0, _STABLE / largest)
    return coefficients * np.repeat(f ** np.arange(1, _ORDER + 1), 6)
