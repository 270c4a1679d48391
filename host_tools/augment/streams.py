"""Make streams out of single recordings: gestures with rest and other movement between them.

Most data sets hold one gesture a file, cut short. The debouncer is tuned, and
events are counted, on streams; so held-out recordings are joined the way a
wearer would produce them: a pause, perhaps a little push or a tilt, the
gesture, perhaps a slow way back, perhaps the board is set down.
"""
from __future__ import annotations

import numpy as np

from host_tools.augment import negatives
from host_tools.augment.continuing import CONTINUING_S
from host_tools.dataset import Dataset, Recording, Span, is_idle
from host_tools.dataset.movement import activity, find_movement
from host_tools.dataset.resample import resample, resample_recording

_PAUSE_S = (1.2, 2.8)
_FADE_S = 0.08
_LEAST_GRAVITY = 3.0  # m/s^2; where rest reads less, gravity is not in the data


def is_stream(r: Recording) -> bool:
    """True if gestures follow each other in the recording, with pauses."""
    return sum(not is_idle(s.label) for s in r.spans) > 1


def splice(data: Dataset, rate_hz: float, rng: np.random.Generator, per_stream: int = 10):
    """Streams that hold every gesture of the data set's single recordings once, in random order.

    Idle recordings come in between. Spans of the result cover the movement
    found in the span, since that is what latency counts from.
    """
    pieces, idle = [], []
    for r in data.recordings:
        r = resample_recording(r, rate_hz)
        for s in r.spans:
            a, b = int(max(0, r.index(s.start_ms))), int(r.index(s.end_ms)) + 1
            x = r.samples[a:b]
            if is_idle(s.label):
                idle.append(x)
            elif not is_stream(r) and len(x) > 4:
                moves, stops = find_movement(r.samples, rate_hz, a, min(b, len(r.samples)))
                if stops - moves <= CONTINUING_S * rate_hz:
                    pieces.append((r.samples, moves, stops, s))
    streams = []
    order = rng.permutation(len(pieces))
    for i in range(0, len(order), per_stream):
        chosen = [pieces[k] for k in order[i : i + per_stream]]
        streams.append(_join(chosen, idle, rate_hz, rng, f"spliced_{i // per_stream:03d}"))
    return streams


def _join(chosen, idle, rate_hz, rng, name) -> Recording:
    parts, spans, n = [], [], 0

    def add(x):
        nonlocal n
        parts.append(x)
        n += len(x)

    level = _quiet(chosen[0][0], rate_hz)
    for samples, moves, stops, span in chosen:
        target = _quiet(samples, rate_hz)
        add(_pause(level, target, idle, rate_hz, rng))
        level = target
        spans.append(Span(1000 * (n + moves) / rate_hz, 1000 * (n + stops) / rate_hz,
                          span.label, span.subject))
        add(samples)
        if rng.random() < 0.3:
            add(_way_back(samples[moves:stops], level, rate_hz, rng))
    add(_pause(level, level, idle, rate_hz, rng))
    return Recording(name, _fade_together(parts, rate_hz), rate_hz, tuple(spans))


def _quiet(samples: np.ndarray, rate_hz: float) -> np.ndarray:
    """What the sensor reads at the stillest moment of a recording, (axes,)."""
    width = max(2, int(0.1 * rate_hz))
    level = activity(samples, rate_hz)
    i = int(np.argmin(level[: max(1, len(level) - width)]))
    out = samples[i : i + width].mean(axis=0)
    if len(out) == 6:
        out[3:] = np.clip(out[3:], -5, 5)
    return out


def _pause(start, target, idle, rate_hz, rng) -> np.ndarray:
    """Rest that leads from one way of holding to another, at times with some movement."""
    length = int(rng.uniform(*_PAUSE_S) * rate_hz)
    rest = negatives.still(rng, start[:, None], length)[:, 0]
    way = 0.5 - 0.5 * np.cos(np.pi * np.clip(np.linspace(-0.5, 1.5, length), 0, 1))
    rest += _turning(start, target, way, rate_hz)
    kind = rng.random()
    if kind < 0.3:
        rest = negatives.push(rng, rest[:, None], rate_hz)[:, 0]
    elif kind < 0.4:
        rest = negatives.knock(rng, rest[:, None])[:, 0]
    elif kind < 0.5:
        tilted = negatives.tilt(rng, start[:, None], length, rate_hz, 120.0)[:, 0]
        rest = rest + (tilted - start[:, None]) * np.sin(np.pi * np.linspace(0, 1, length)) ** 2
    elif kind < 0.7 and idle:
        x = idle[rng.integers(len(idle))]
        x = x[: int(2 * rate_hz)]
        return np.concatenate([rest.T, x, rest.T[::-1]]).astype(np.float32)
    return rest.T.astype(np.float32)


def _turning(start, target, way, rate_hz) -> np.ndarray:
    """What the sensor reads less `start` as it turns from one rest to another, (axes, length).

    way: part of the way at each sample. Gravity and gyroscope agree: a body that
    turns at w sees gravity move by dg/dt = -w x g.
    """
    out = (way * (target - start)[:, None]).astype(np.float32)
    sizes = np.linalg.norm(start[:3]), np.linalg.norm(target[:3])
    axis = np.cross(start[:3], target[:3])
    if len(start) < 6 or min(sizes) < _LEAST_GRAVITY or not np.any(axis):
        return out
    angle = np.arctan2(np.linalg.norm(axis), start[:3] @ target[:3])
    axis = axis / np.linalg.norm(axis)
    course = angle * way
    size = sizes[0] + way * (sizes[1] - sizes[0])
    first = start[:3] / sizes[0]
    across = np.cross(axis, first)
    turned = first[:, None] * np.cos(course) + across[:, None] * np.sin(course)
    out[:3] = size * turned - start[:3, None]
    out[3:] -= np.degrees(np.gradient(course)) * rate_hz * axis[:, None]
    return out


def _way_back(movement, level, rate_hz, rng) -> np.ndarray:
    """The movement undone slowly: backwards, f times as long, f^2 times as weak."""
    f = rng.uniform(1.8, 3.5)
    x = negatives.reverse(movement.T[:, None])[:, 0].T - level
    if len(x) > 8:
        x = resample(x, rate_hz, rate_hz * f)
    x[:, :3] /= f * f
    x[:, 3:] /= f
    return (level + x).astype(np.float32)


def _fade_together(parts, rate_hz) -> np.ndarray:
    """One after another; each step between two parts is spread over the next samples."""
    n = max(2, int(_FADE_S * rate_hz))
    out = [parts[0]]
    for x in parts[1:]:
        x = x.copy()
        step = out[-1][-1] - x[0]
        m = min(n, len(x))
        x[:m] += step * (0.5 + 0.5 * np.cos(np.pi * np.arange(m) / m))[:, None]
        out.append(x)
    return np.concatenate(out).astype(np.float32)
