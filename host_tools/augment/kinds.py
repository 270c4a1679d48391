"""Every augmentation by name: what it means, its setting, and how to apply it to a window."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from host_tools.augment import negatives, signal, timeline


@dataclass(frozen=True)
class Kind:
    """name, what it means physically, its setting in Recipe.augment, and how to apply it.

    apply(window, rng, rate_hz) -> window; window float32 (axes, n, length).
    """

    name: str
    meaning: str
    setting: str
    apply: Callable[..., np.ndarray]


def _moved(change):
    """An augmentation of time as one of windows: positions within the window itself."""

    def apply(windows, rng, rate_hz):
        axes, n, length = windows.shape
        positions = change(timeline.straight(n, length), rng, rate_hz) + length - 1
        at = np.clip(positions, 0, length - 1)
        return np.stack([
            np.stack([np.interp(at[k], np.arange(length), windows[a, k]) for k in range(n)])
            for a in range(axes)
        ]).astype(np.float32)

    return apply


def _gains(make):
    def apply(windows, rng, rate_hz):
        return signal.amplify(windows, *make(rng, windows.shape))

    return apply


def _rest(windows):
    return windows[..., :3].mean(axis=2)


KINDS = (
    Kind("speed", "the whole movement faster or slower", "speed",
         _moved(lambda p, rng, hz: timeline.speed(p, rng, 0.3)[0])),
    Kind("time warp", "parts of the movement earlier or later", "warp",
         _moved(lambda p, rng, hz: timeline.warp(p, rng, 0.06))),
    Kind("tempo", "a faster movement turns f times, accelerates f^2 times as hard", "speed",
         _gains(lambda rng, s: signal.tempo_gains(np.full(s[1], 1.3)))),
    Kind("size", "a larger, smaller, harder or gentler movement", "scale",
         _gains(lambda rng, s: signal.size_gains(rng, s[1], 0.3))),
    Kind("stretch", "the movement drawn wider, taller or deeper", "stretch",
         lambda w, rng, hz: signal.stretch(w, rng, 0.3)),
    Kind("rotation", "the sensor worn or held otherwise", "rotate_deg",
         lambda w, rng, hz: signal.rotate(w, signal.rotations(rng, w.shape[1], 30))),
    Kind("bias", "zero-point errors of another sensor", "accel_bias, gyro_bias",
         lambda w, rng, hz: signal.bias(w, rng, 1.0, 15.0)),
    Kind("noise", "sensor noise and tremor", "accel_noise, gyro_noise",
         lambda w, rng, hz: signal.noise(w, rng, 0.5, 8.0)),
    Kind("smoothing", "another sensor's filter", "smooth",
         lambda w, rng, hz: signal.smooth(signal.smooth(w, rng, 1.0), rng, 1.0)),
    Kind("clipping", "what the sensor's range cannot hold", "accel_g, gyro_dps",
         lambda w, rng, hz: signal.clip(w, 1.5, 125)),
    Kind("still (no gesture)", "held still, with tremor", "between gestures",
         lambda w, rng, hz: negatives.still(rng, _rest(w), w.shape[2])),
    Kind("tilt (no gesture)", "slowly turned in the hand", "between gestures",
         lambda w, rng, hz: negatives.tilt(rng, _rest(w), w.shape[2], hz, 120)),
    Kind("push (no gesture)", "a short push", "between gestures",
         lambda w, rng, hz: negatives.push(rng, negatives.still(rng, _rest(w), w.shape[2]), hz)),
    Kind("knock (no gesture)", "set down, or the table is hit", "between gestures",
         lambda w, rng, hz: negatives.knock(rng, negatives.still(rng, _rest(w), w.shape[2]))),
    Kind("backwards (no gesture)", "the gesture undone, in streams more slowly", "between gestures",
         lambda w, rng, hz: negatives.reverse(w)),
)
