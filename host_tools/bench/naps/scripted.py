"""The same scripted hand on a simulated board in each mode: what arrives, and how late."""
from __future__ import annotations

import csv
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from host_tools.bench.naps.currents import LOSSY
from host_tools.dataset.folder import read_recording
from host_tools.errors import BeckonError
from host_tools.mqtt.subscriber import Subscriber
from host_tools.paths import DEFAULT_MODEL, REPOSITORY
from host_tools.simulator.asleep import Nap
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import RecordedMovement
from host_tools.simulator.unix_board import SimulatedBoard

INT_PIN = 34
RATE_HZ = 100
_DEMO = REPOSITORY / "data" / "demo"
_SPEED = 20
_TIMEOUT_S = 240
_LEAD_MS, _TAIL_MS = 200, 1200  # of the recording, around the labelled span


class Hand:
    """plan: (seconds still before it, index of a gesture of data/demo). Then still for long.

    sensor: the simulated MPU6500 that feels it. ends: (label, second of the movement at which
    the gesture's span ends).
    """

    def __init__(self, plan: tuple[tuple[float, int], ...], still_s: float = 600.0) -> None:
        recording, _ = read_recording(_DEMO / "recordings" / "p101-1.csv.gz")
        with open(_DEMO / "labels.csv") as file:
            labels = list(csv.DictReader(file))
        rng = np.random.default_rng(0)

        def still(row, seconds):
            noise = rng.normal(0, [0.02] * 3 + [0.05] * 3, (int(seconds * RATE_HZ), 6))
            return row + noise

        parts: list[Any] = []
        self.ends: list[tuple[str, float]] = []
        for seconds, index in plan:
            start_ms = int(labels[index]["start_ms"])
            end_ms = int(labels[index]["end_ms"])
            gesture = recording.samples[(start_ms - _LEAD_MS) // 10 : (end_ms + _TAIL_MS) // 10]
            parts.append(still(gesture[0], seconds))
            before_s = sum(map(len, parts)) / RATE_HZ
            parts.append(gesture)
            self.ends.append((labels[index]["label"],
                              before_s + (end_ms - start_ms + _LEAD_MS) / 1000))  # fmt: skip
        parts.append(still(parts[-1][-1], still_s))
        samples = np.vstack(parts)
        t_ms = np.arange(len(samples)) * 1000 / RATE_HZ
        self.sensor = SimulatedMPU6500(RecordedMovement(t_ms, samples))


# (seconds still before it, gesture, how the board is then, with the settings below)
SCRIPT = (
    (4, 0, "awake"), (2, 1, "awake"), (2, 2, "awake"),
    (9, 3, "light sleep"), (9, 4, "light sleep"), (9, 5, "light sleep"),
    (30, 6, "deep sleep"), (8, 7, "just woken"),
    (30, 8, "deep sleep"), (8, 0, "just woken"),
)  # fmt: skip
SETTINGS = {"light_sleep_s": 4, "deep_sleep_s": 8, "contact_s": 3600, "imu_int_pin": INT_PIN}


def run(mode: str, boot_ms: int, say: Callable[[str], None]) -> dict[str, Any]:
    """What one mode makes of SCRIPT. Raises BeckonError if the board stops."""
    from host_tools.mqtt.broker import embedded_broker

    say(f"{mode}: {len(SCRIPT)} gestures on a simulated board")
    hand = Hand(tuple((seconds, index) for seconds, index, _ in SCRIPT))
    over_s = hand.ends[-1][1] + 15
    arrived: list[tuple[float, dict[str, Any]]] = []
    power = mode.partition(",")[0]
    settings = {"device": "battery", "power": power, **SETTINGS, "wake_gesture": int(mode != LOSSY)}
    with embedded_broker() as broker, Subscriber(broker, "battery") as subscriber, SimulatedBoard(
        DEFAULT_MODEL, broker, {(0, 0x68): hand.sensor}, speed=_SPEED, settings=settings,
        int_pin=INT_PIN, boot_ms=boot_ms,
    ) as board:  # fmt: skip
        until = time.monotonic() + _TIMEOUT_S
        while hand.sensor.played_s < over_s:
            if board.returncode is not None or time.monotonic() > until:
                raise BeckonError("the simulated board stopped: {lines}",
                                  lines=" / ".join(list(board.output)[-2:]))
            message = subscriber.receive(0.05)
            if message and message.kind == "event" and not message.retained:
                arrived.append((hand.sensor.played_s, message.payload))
        naps = board.naps + board.light_naps()
    return _outcome(hand, arrived, naps)


def _outcome(
    hand: Hand, arrived: list[tuple[float, dict[str, Any]]], naps: list[Nap]
) -> dict[str, Any]:
    """Match each gesture with an event of its label that came within 3 s of its end."""
    left = list(arrived)
    rows = []
    for (label, end_s), (_, _, how) in zip(hand.ends, SCRIPT, strict=True):
        found = next((one for one in left
                      if one[1]["event_type"] == label and end_s - 1 < one[0] < end_s + 3), None)
        if found:
            left.remove(found)
        rows.append({"gesture": label, "board": how, "arrived": found is not None,
                     "latency_ms": found[1]["latency_ms"] if found else None})  # fmt: skip
    asleep_s = sum(nap.ended_us - nap.began_us for nap in naps) / 1e6
    late = sorted(row["latency_ms"] for row in rows if row["latency_ms"] is not None)
    return {
        "gestures": len(rows),
        "arrived": sum(row["arrived"] for row in rows),
        "false": len(left),
        "lost_while": [row["board"] for row in rows if not row["arrived"]],
        "latency_ms_median": late[len(late) // 2] if late else None,
        "latency_ms_max": late[-1] if late else None,
        "asleep_s": round(asleep_s, 1),
        "by_gesture": rows,
    }
