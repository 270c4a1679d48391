"""Every augmentation: its name, its place, its amounts, and what it means.

The only list of them. Training reads its amounts from Augment, `beckon tune` searches
them, `beckon train --augment` names them, docs/data.md shows them as a table, and the
pictures of augment.examples come out of the very code that training runs.
"""
from __future__ import annotations

from dataclasses import dataclass

MOVEMENT, SENSOR, BETWEEN = "the gesture", "hand and sensor", "between gestures"


@dataclass(frozen=True)
class Augment:
    """Amounts of each augmentation; 0 switches one off. KINDS holds units and meaning."""

    speed: float = 0.22
    warp: float = 0.03
    scale: float = 0.15
    stretch: float = 0.3
    smooth: float = 0.3
    rotate_deg: float = 20.0
    heading_deg: float = 0.0
    mirror: float = 0.0
    walking: float = 0.1
    accel_bias: float = 0.3
    gyro_bias: float = 5.0
    accel_noise: float = 0.1
    gyro_noise: float = 1.0


@dataclass(frozen=True)
class Amount:
    """A field of Augment. shown: in pictures, more than training uses, so that it can be seen.

    searched_to: `beckon tune` tries 0 to this; None: it leaves the amount alone.
    """

    field: str
    unit: str
    shown: float
    searched_to: float | None = None


@dataclass(frozen=True)
class Kind:
    """stage: MOVEMENT, SENSOR or BETWEEN. amounts: none where only the data decide."""

    name: str
    stage: str
    meaning: str
    amounts: tuple[Amount, ...] = ()

    @property
    def setting(self) -> str:
        """The fields of Augment, or the stage where there are none."""
        return ", ".join(amount.field for amount in self.amounts) or self.stage


KINDS = (
    Kind("speed", MOVEMENT, "f times as fast: turning f times, acceleration f^2 times as strong",
         (Amount("speed", "greatest ln f", 0.5, 0.4),)),
    Kind("time warp", MOVEMENT, "parts of the movement earlier or later",
         (Amount("warp", "part of the gesture", 0.08, 0.06),)),
    Kind("size", MOVEMENT, "a larger, smaller, harder or gentler movement",
         (Amount("scale", "spread of the logarithm", 0.5, 0.4),)),
    Kind("stretch", MOVEMENT, "the movement drawn wider, taller or deeper",
         (Amount("stretch", "spread of the logarithm", 0.5, 0.6),)),
    Kind("smoothing", MOVEMENT, "the filter of another sensor",
         (Amount("smooth", "part of the gestures", 1.0),)),
    Kind("rotation", SENSOR, "the sensor worn or held otherwise",
         (Amount("rotate_deg", "deg, spread", 40.0, 45.0),)),
    Kind("heading", SENSOR, "turned about the vertical, as when worn the other way round",
         (Amount("heading_deg", "deg, at most either way", 90.0),)),
    Kind("mirror", SENSOR, "made with the other hand: left and right change places",
         (Amount("mirror", "part of the streams", 1.0),)),
    Kind("bias", SENSOR, "zero-point errors of another sensor",
         (Amount("accel_bias", "m/s^2, spread", 2.0, 1.0),
          Amount("gyro_bias", "deg/s, spread", 20.0, 15.0))),
    Kind("noise", SENSOR, "sensor noise and tremor",
         (Amount("accel_noise", "m/s^2, spread", 0.5), Amount("gyro_noise", "deg/s, spread", 8.0))),
    Kind("clipping", SENSOR, "what the model's range of the sensor cannot hold"),
    Kind("rest", BETWEEN, "held still, with a hand's tremor"),
    Kind("turn", BETWEEN, "turned into another attitude, gravity and gyroscope agreeing"),
    Kind("carry", BETWEEN, "the hand goes elsewhere"),
    Kind("push", BETWEEN, "a short push, there or there and back"),
    Kind("knock", BETWEEN, "set down, or the table is hit"),
    Kind("walk", BETWEEN, "steps, and an arm that swings; some streams are made on foot",
         (Amount("walking", "part of the streams", 1.0),)),
    Kind("fidget", BETWEEN, "one stroke after another without a plan"),
    Kind("way back", BETWEEN, "the gesture undone, slower and weaker"),
)


def markdown_table() -> str:
    """The table of docs/data.md."""
    rows = ["| augmentation | where | amount: default | meaning |", "|---|---|---|---|"]
    default = Augment()
    for kind in KINDS:
        amounts = ", ".join(
            f"`{a.field}`: {getattr(default, a.field):g} ({a.unit})" for a in kind.amounts
        )
        rows.append(f"| {kind.name} | {kind.stage} | {amounts} | {kind.meaning} |")
    return "\n".join(rows)
