"""How late events and answers are, by power mode, with the delays of an ESP32's Wi-Fi.

The board runs in real time, so these are milliseconds of this computer's clock. Gestures are made
up on the board, to leave recognition out.
"""
from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from host_tools.errors import BeckonError
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.mqtt.subscriber import Message, Subscriber
from host_tools.simulator.radio_delays import RadioDelays
from host_tools.testing.radio_board import RadioBoard

MODES = ("always_on", "modem_sleep")
_DEVICE = "late"
_TIMEOUT_S = 60.0
_BURST = 5


class _SlowRadio(RadioBoard):
    delays: RadioDelays = RadioDelays()


def run(mode: str, times: int, say: Callable[[str], None]) -> dict[str, Any]:
    """mode: always_on or modem_sleep. times: events and commands each. Raises BeckonError."""
    from host_tools.mqtt.broker import embedded_broker

    say(f"{mode}: {times} events and commands with the delays of Wi-Fi")
    rng = random.Random(1)
    settings = {"device": _DEVICE, "power": mode, "update_key": "k" * 32}
    with embedded_broker() as broker, Subscriber(broker, _DEVICE) as subscriber, ExitStack() as end:
        board = _SlowRadio(settings, broker, speed=1.0)
        end.enter_context(board)
        online = _next(subscriber, "status")
        _until_sensor(board)
        single = [_event_ms(board, subscriber, rng, 1)[0] for _ in range(times)]
        burst = [_event_ms(board, subscriber, rng, _BURST)[-1] for _ in range(times // 2)]
        answers = []
        with RemoteDevice(broker, _DEVICE) as device:
            for _ in range(times):
                time.sleep(rng.uniform(0.1, 0.4))
                began = time.monotonic()
                device.request("nonce")
                answers.append(1000 * (time.monotonic() - began))
    return {"online_after_start_ms": round(1000 * (online.received_s - board.started_s)),
            "event_ms": _spread(single), f"last_of_{_BURST}_events_ms": _spread(burst),
            "answer_ms": _spread(answers), "delays": _SlowRadio.delays.as_dict()}  # fmt: skip


def _event_ms(board: RadioBoard, subscriber: Subscriber, rng: random.Random, count: int
              ) -> list[float]:  # fmt: skip
    time.sleep(rng.uniform(0.1, 0.4))
    began = time.monotonic()
    for _ in range(count):
        board.post("circle", 90)
    return [1000 * (_next(subscriber, "event").received_s - began) for _ in range(count)]


def _until_sensor(board: RadioBoard) -> None:
    """Before that, events have no time."""
    until = time.monotonic() + _TIMEOUT_S
    while not board.says("sensor:"):
        if time.monotonic() > until:
            raise BeckonError(f"the simulated board found no sensor: {board.last_words()}")
        time.sleep(0.05)


def _next(subscriber: Subscriber, kind: str) -> Message:
    until = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < until:
        message = subscriber.receive(0.5)
        if message and message.kind == kind and not message.retained:
            return message
    raise BeckonError(f"the simulated board sent no {kind} within {_TIMEOUT_S:g} s")


def _spread(values: list[float]) -> dict[str, int]:
    return {"median": round(statistics.median(values)), "max": round(max(values))}
