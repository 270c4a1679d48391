"""What decides when a gesture was made: how movement is measured, and by which rule.

Both are sections of the model file. `Activity` tells the engine how to make one integer
of each frame; `Decision` holds the settings of ShareDebouncer in
firmware/recognition/share_debouncer.py.
"""

from __future__ import annotations

from dataclasses import dataclass

RESTING_ACCEL = 1.5  # m/s^2 within LAG_S, and
RESTING_GYRO = 25.0  # deg/s: what a resting hand stays below
LAG_S = 0.12
ONE = 16  # activity at the limit of a resting hand
_FINER = 4  # steps of a component in one step of activity
COMPONENT_MAX = 8191  # so that the sum of six squares stays below 2^30
MUL_MAX = 16383
SHIFT_MAX = 31
DECISION_RANGES = {
    "span": (1, 64),
    "threshold_percent": (1, 100),
    "by_gesture": (0, 1),
    "calm_windows": (0, 255),
    "calm_ratio": (0, 64),
    "calm_floor": (0, 65535),
    "peak_windows": (1, 255),
    "quiet": (1, 255),
    "refractory": (0, 255),
}


@dataclass(frozen=True)
class Activity:
    """How strongly the hand moves: one integer for each frame after decimation.

    From the scaled frames y, before levelling and normalising:

        p = clip((y - y `lag` frames before) * accel_mul >> accel_shift)   accelerometer
        p = clip(y * gyro_mul >> gyro_shift)                               gyroscope
        now = isqrt(sum of p^2) >> 2
        e = (now + now of the frame before) >> 1

    p is in 1/64, e in 1/16 of what a resting hand may: 1.5 m/s^2 within 120 ms, or
    25 deg/s. clip is to -8191..8191, so that e is at most 5015. The first `lag` frames after
    a gap have no frame to compare with: there the accelerometer counts as 0.

    accel_mul, gyro_mul: 0..16383. accel_shift, gyro_shift: 0..31. lag: frames, 1..8.
    wake_at: e from which on the hand moves, 0..65535. awake_frames: the network runs only
        when e has been wake_at or more in the last so many frames, else the window is idle
        with 100 %; 0..255, 0 runs it for every window.
    golden: e at the end of the golden window; `seal` fills it in.
    """

    accel_mul: int = 0
    accel_shift: int = 0
    gyro_mul: int = 0
    gyro_shift: int = 0
    lag: int = 3
    wake_at: int = 19
    awake_frames: int = 18
    golden: int = 0


@dataclass(frozen=True)
class Decision:
    """An event when the mean share says "gesture" and the hand has come to rest.

    The shares are the network's percent of each label. Their sums go over the last `span`
    windows; windows before the first one, as after a gap, add nothing. In each window,
    `label` is the one with the greatest sum, the first of equals, idle left out, and

        evidence = sum of (100 - share of idle), or the sum of `label`
        calm windows: those in a row with e < max(calm_floor, peak * calm_ratio >> 6),
            where peak is the greatest e of the last peak_windows windows, this one included

    An event needs evidence >= threshold * span and calm_windows calm windows. After it, the
    next one needs `quiet` windows in a row with 2 * evidence < threshold * span, and
    `refractory` windows must have passed. e of a window is the greatest `Activity` of its
    last `hop` frames, and without an activity in the model 0: always calm.

    The event's confidence is sum of (100 - share of idle) // span, its label_confidence the
    part of that which is `label`'s, both in percent.

    span: windows, 1..64.
    threshold_percent: 1..100.
    by_gesture: True decides by all gestures' shares together, False by the label's own.
    calm_windows: 0..255, 0 does not wait for rest.
    calm_ratio: 1/64 of the peak, 0..64. calm_floor: 1/16 of a resting hand, 0..65535.
    peak_windows: 1..255.
    quiet: windows, 1..255. refractory: windows, 0..255.
    thresholds: a percent for each label, in their order, in place of threshold_percent
        (that of idle is not used); empty: one for all.
    """

    span: int = 6
    threshold_percent: int = 65
    by_gesture: bool = True
    calm_windows: int = 2
    calm_ratio: int = 16
    calm_floor: int = ONE
    peak_windows: int = 50
    quiet: int = 7
    refractory: int = 10
    thresholds: tuple[int, ...] = ()


def settings_of(decision: Decision) -> tuple:
    """Arguments for ShareDebouncer, after classes and idle."""
    numbers = tuple(int(getattr(decision, name)) for name in DECISION_RANGES)
    return (*numbers, bytes(decision.thresholds))


def activity_for(
    accel_per_unit: float, gyro_per_unit: float, feature_hz: float, **rest: int
) -> Activity:
    """The activity of frames whose values are so many for a m/s^2 and for a deg/s.

    feature_hz: frames per second, after decimation. gyro_per_unit: 0 without a gyroscope.
    rest: other fields of Activity.
    """
    accel = _fraction(ONE * _FINER / RESTING_ACCEL / accel_per_unit)
    gyro = _fraction(ONE * _FINER / RESTING_GYRO / gyro_per_unit) if gyro_per_unit else (0, 0)
    lag = min(8, max(1, round(LAG_S * feature_hz)))
    return Activity(*accel, *gyro, **{"lag": lag, **rest})


def _fraction(factor: float) -> tuple[int, int]:
    """(mul, shift) with x * mul >> shift nearly x * factor."""
    shift = SHIFT_MAX
    while shift and round(factor * (1 << shift)) > MUL_MAX:
        shift -= 1
    return min(MUL_MAX, round(factor * (1 << shift))), shift
