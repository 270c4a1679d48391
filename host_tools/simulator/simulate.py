"""A recording through the firmware: in at the sensor's registers, out at the broker."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tools.dataset.folder import read_recording
from host_tools.dataset.recording import Recording
from host_tools.errors import BeckonError
from host_tools.model.format import ModelError
from host_tools.model.golden import read_model
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.subscriber import Message, Subscriber
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import RecordedMovement
from host_tools.simulator.unix_board import DEFAULT_HEAP_KIB, SimulatedBoard
from host_tools.wording import counted

IMU = (0, 0x68)  # bus and address, the firmware's defaults
_CLOCK_KIB = 160  # with less heap events have no time of day; objects are large on 64 bits
TAIL_S = 2.0  # the last sample is held so long, for what is recognised late
_POLL_S = 0.02
_BEHIND_S = 0.25  # of board time: more than looking takes, so the speed is not reached
_BOOT_TIMEOUT_S = 30
_GOODBYE_TIMEOUT_S = 20


@dataclass
class Outcome:
    """What a run gave.

    events: the payloads that the broker delivered, in order, each with
    `received_ms`, counted like `t_ms` from the recording's first sample.
    counters: the last `diag`. speed: how much faster than real time it went.
    output: what the firmware printed last.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    speed: float = 0.0
    output: list[str] = field(default_factory=list)


def simulate(
    recording_path: Path,
    model_path: Path,
    broker: BrokerAddress,
    *,
    speed: float = 1.0,
    heap_kib: int = DEFAULT_HEAP_KIB,
    settings: dict[str, Any] | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    on_progress: Callable[[float, float], None] | None = None,
) -> Outcome:
    """Play a recording to a simulated board and collect its events from the broker.

    Events have the time of day at which the board was when it sampled them; at a speed
    other than 1 it counts in its own time from power-on.

    settings: the board's, beside its name and the broker; see firmware/ops/config.py.
    on_event: called with each payload as it arrives. on_progress: called every
    now and then with the seconds played and the recording's length.

    Raises BeckonError: recording or model unfit, broker not reached, samples
    lost, or a firmware that stops before the end.
    """
    recording = _fitting_recording(recording_path, model_path)
    run = _Run(recording, broker, speed, on_event)
    device = f"simulated-{secrets.token_hex(3)}"
    settings = {"device": device, **(settings or {})}
    if heap_kib < _CLOCK_KIB:
        settings["time_server"] = ""
    with Subscriber(broker, device) as subscriber:
        try:
            with SimulatedBoard(
                model_path,
                broker,
                {IMU: run.sensor},
                speed=speed,
                heap_kib=heap_kib,
                settings=settings,
            ) as board:
                run.play(board, subscriber, on_progress)
        finally:
            subscriber.forget(device, ("status", "state"))
    return run.outcome


def _fitting_recording(recording_path: Path, model_path: Path) -> Recording:
    """The recording, if the model can be read and finds all its axes in it."""
    if not recording_path.is_file():
        raise BeckonError(f"{recording_path}: no such file; name a recording, CSV or CSV.gz")
    recording, _ = read_recording(recording_path)
    try:
        model = read_model(model_path)
    except ModelError as error:
        raise BeckonError(f"{error}; copy the model again, or make one with beckon train") from None
    if recording.axes == 3 and any(a.axis >= 3 for a in model.front_end.axes):
        raise BeckonError(
            f"{recording_path} has no gyroscope columns, but the model needs them; "
            "train one on the accelerometer alone with --axes ax,ay,az"
        )
    return recording


class _Run:
    def __init__(self, recording: Recording, broker: BrokerAddress, speed: float, on_event):
        t_ms = [1000 * i / recording.rate_hz for i in range(len(recording.samples))]
        self.sensor = SimulatedMPU6500(RecordedMovement(t_ms, recording.samples))
        self.outcome = Outcome()
        self._broker = broker
        self._length_s = t_ms[-1] / 1000
        self._speed = speed
        self._on_event = on_event
        self._began_s = 0.0  # time.monotonic() at the recording's first sample
        self._goodbye = False

    def play(self, board: SimulatedBoard, subscriber: Subscriber, on_progress) -> None:
        until_s = time.monotonic() + _BOOT_TIMEOUT_S
        while not self._played():
            self._take(subscriber.receive(_POLL_S))
            self._note_begin(board)
            if board.returncode is not None or board.boots > 1:
                raise BeckonError(f"the firmware stopped: {_last_words(board)}")
            if not self._began_s and time.monotonic() > until_s:
                raise BeckonError(f"the firmware does not start sampling: {_last_words(board)}")
            if on_progress:
                on_progress(min(self._played_s(), self._length_s), self._length_s)
        self.outcome.speed = self._played_s() / (time.monotonic() - self._began_s)
        board.stop()
        until_s = time.monotonic() + _GOODBYE_TIMEOUT_S
        while not self._goodbye and time.monotonic() < until_s:
            self._take(subscriber.receive(_POLL_S))
        board.wait(_GOODBYE_TIMEOUT_S)
        self.outcome.output = list(board.output)
        if not self._goodbye:
            raise BeckonError(
                f"the firmware could not hand over its events to {self._broker}: "
                f"{_last_words(board)}"
            )
        self._check_samples(board)

    def _played_s(self) -> float:
        return self.sensor.played_s

    def _played(self) -> bool:
        return self._played_s() >= self._length_s + TAIL_S

    def _note_begin(self, board: SimulatedBoard) -> None:
        """Find when the first sample was: the host sees the board's time with a delay,
        and slow phases of the board make the start seem late; the least is closest."""
        played_s = self._played_s()
        if played_s > 0:
            began_s = time.monotonic() - played_s / self._speed
            self._began_s = min(self._began_s or began_s, began_s)

    def _take(self, message: Message | None) -> None:
        if message is None or message.retained:
            return
        if message.kind == "event" and isinstance(message.payload, dict):
            payload = {**message.payload, "received_ms": self._received_ms(message.received_s)}
            self.outcome.events.append(payload)
            if self._on_event:
                self._on_event(payload)
        elif message.kind == "diag" and isinstance(message.payload, dict):
            self.outcome.counters = message.payload
        elif message.kind == "status":  # offline in the middle of it: a link lost for a while
            self._goodbye = message.payload == "offline"

    def _received_ms(self, received_s: float) -> int:
        """The recording's time at which it was, by the computer's clock: by the asked speed, if
        that is reached. If the computer is too slow for it, the board's time is behind that."""
        asked_s = (received_s - self._began_s) * self._speed
        played_s = self._played_s()
        return round(1000 * (asked_s if asked_s < played_s + _BEHIND_S else played_s))

    def _check_samples(self, board: SimulatedBoard) -> None:
        counters = self.outcome.counters
        if "samples_lost" not in counters:
            raise BeckonError(f"the firmware sent no last counters: {_last_words(board)}")
        lost = counters["samples_lost"]
        if lost and self._speed > 1:
            raise BeckonError(
                f"{counted(lost, 'sample')} lost at {self._speed:g} times real time; "
                "use a lower --speed"
            )


def _last_words(board: SimulatedBoard) -> str:
    return board.output[-1] if board.output else "it printed nothing"
