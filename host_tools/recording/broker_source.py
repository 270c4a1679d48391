"""Samples from a board over MQTT: the command `stream`, asked for again as long as it takes."""

import contextlib
import queue
import time
from typing import Any

import numpy as np

from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.connection import Connection, Topic
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.recording.blocks import Block, Source
from host_tools.recording.stream import SYNC, Decoder, Samples
from host_tools.units import GRAVITY, at_limit, sensor_ranges

_STREAM_S = 60  # the most that a board takes at once
_FIRST_TIMEOUT_S = 10.0
_RETRY_S = 1.0


class BrokerSource(Source):
    """A board that runs Beckon's firmware, somewhere in reach of its broker.

    It recognises nothing while it streams. A stream lasts a minute. Some samples
    between two streams are lost; their number is known.
    """

    axes = 6

    def __init__(self, broker: BrokerAddress, device: str):
        self.rate_hz = 0.0
        self._broker = broker
        self._device = device
        self._decoder = Decoder()
        self._messages: queue.Queue[bytes] = queue.Queue()
        self._waiting: list[Block] = []
        self._scale = np.ones(6)
        self._about: dict[str, Any] = {}
        self._until_s = 0.0
        self._first: tuple[int, float] | None = None
        self._last: tuple[int, float] | None = None

    def __enter__(self) -> "BrokerSource":
        raw = Topic(f"beckon/{self._device}/raw", qos=0)
        with contextlib.ExitStack() as stack:
            self._remote = stack.enter_context(RemoteDevice(self._broker, self._device))
            stack.enter_context(Connection(self._broker, "record", [raw], self._on_message))
            stack.callback(self._end_stream)
            self._ask()
            self._await_first()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def _end_stream(self) -> None:
        if time.monotonic() < self._until_s:  # else it would not recognise until then
            with contextlib.suppress(BeckonError):
                self._remote.request("stream", seconds=0)

    def read(self, timeout_s: float) -> list[Block]:
        """Raises BeckonError when the board does not answer any more."""
        blocks, self._waiting = self._waiting, []
        try:
            message = self._messages.get(timeout=timeout_s)
        except queue.Empty:
            if time.monotonic() > self._until_s:
                self._ask_again()
            return blocks
        while True:
            blocks += self._take(message)
            try:
                message = self._messages.get_nowait()
            except queue.Empty:
                return blocks

    @property
    def measured_hz(self) -> float | None:
        """By this computer's clock, once there was time enough to measure."""
        if not (self._first and self._last) or self._last[1] - self._first[1] < 20:
            return self.rate_hz
        return (self._last[0] - self._first[0]) / (self._last[1] - self._first[1])

    def about(self) -> dict[str, Any]:
        return {**self._about, "source": "broker",
                "line_frames_refused": self._decoder.refused}  # fmt: skip

    def _on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        self._messages.put(payload)

    def _ask(self) -> None:
        """Have the board stream for another minute."""
        answer = self._remote.request("stream", seconds=_STREAM_S)
        try:
            accel, gyro = float(answer["accel_lsb_per_g"]), float(answer["gyro_lsb_per_10_dps"])
            period_us = float(answer["period_us"])
            ranges = sensor_ranges(accel, gyro / 10)
            if period_us <= 0:
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise BeckonError("{device} answers `stream` in an unknown way; deploy this "
                              "checkout's firmware", device=self._device) from None
        self.rate_hz = 1e6 / period_us
        self._scale[:3] = GRAVITY / accel
        self._scale[3:] = 10 / gyro
        self._about = {"device": self._device, "accel_g": ranges[0], "gyro_dps": ranges[1]}
        self._until_s = time.monotonic() + _STREAM_S

    def _ask_again(self) -> None:
        """The same once the last stream should be over."""
        now_s = time.monotonic()
        try:
            self._ask()
        except BeckonError as error:
            # By the board's own clock it may not be over yet
            late = self._last is None or now_s - self._last[1] > _FIRST_TIMEOUT_S
            if late or "busy" not in str(error):
                raise
            self._until_s = now_s + _RETRY_S

    def _await_first(self) -> None:
        until = time.monotonic() + _FIRST_TIMEOUT_S
        while time.monotonic() < until:
            blocks = self.read(0.2)
            if blocks:
                self._waiting = blocks
                return
        raise BeckonError("{device} sends no samples; does its sensor work? See beckon doctor",
                          device=self._device)

    def _take(self, message: bytes) -> list[Block]:
        """A message holds whole frames; nothing follows its last one, so a sync is added."""
        blocks = []
        for frame in self._decoder.feed(message + SYNC):
            if isinstance(frame, Samples):
                values = frame.counts * self._scale
                blocks.append(Block(frame.index, values, at_limit(frame.counts)))
        if blocks:
            self._last = (blocks[-1].end, time.monotonic())
            self._first = self._first or self._last
        return blocks
