"""An Android phone with the app SensorServer, through its WebSocket.

    SensorServerSource("ws://192.168.0.42:8080")

One connection carries both sensors: /sensors/connect?types=[...]. Each message is one event,
{"type", "values": [x, y, z], "timestamp": ns since the phone started, "accuracy"}, with Android's
units and signs. Format: the app's README, "Using Multiple Sensors Over single Websocket
Connection".
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import numpy as np
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from host_tools.errors import BeckonError, Sentence
from host_tools.recording.phone.axes import from_android
from host_tools.recording.phone.pairing import Pairing
from host_tools.recording.phone.stamped_source import Piece, Poller, StampedSource

_TYPES = ("android.sensor.accelerometer", "android.sensor.gyroscope")
_BATCH_S = 0.05
_TIMEOUT_S = 5.0
_PATIENCE_S = 30.0
_NO_GYRO_S = 1.0  # of the accelerometer alone: then the phone has no gyroscope
_LONGEST_BYTES = 4096


class SensorServerSource(StampedSource):
    """url: ws://HOST:PORT, as the app shows it."""

    who = "SensorServer"
    silence_cure = Sentence("press Start in the app and keep the phone awake")

    def __init__(self, url: str):
        super().__init__()
        self._address = url.rstrip("/")
        types = quote(json.dumps(_TYPES, separators=(",", ":")))
        self._url = f"{self._address}/sensors/connect?types={types}"
        self._pairing = Pairing()
        self._socket: ClientConnection | None = None
        self._poller: Poller | None = None
        self._gone_s = 0.0
        self._alone: list[np.ndarray] = []
        self._gyro: bool | None = None
        self._refused = 0

    def _connect(self) -> None:
        self._socket = self._dial()
        self._poller = Poller(self._step, self.put)
        self._poller.start()

    def _disconnect(self) -> None:
        if self._poller:
            self._poller.close()
        if self._socket:
            self._socket.close()

    def _dial(self) -> ClientConnection:
        """Raises BeckonError."""
        try:
            return connect(self._url, open_timeout=_TIMEOUT_S, close_timeout=1.0,
                           max_size=_LONGEST_BYTES, proxy=None)
        except (OSError, WebSocketException, ValueError):
            raise BeckonError("{address} does not answer: press Start in SensorServer and compare "
                              "the address; phone and computer need the same network",
                              address=self._address) from None

    def _step(self) -> None:
        """Collect for a moment, then hand on; connect again if the phone has gone."""
        assert self._poller
        if self._socket is None:
            try:
                self._socket = self._dial()
            except BeckonError:
                if time.monotonic() - self._gone_s > _PATIENCE_S:
                    raise
                self._poller.wait(1.0)
                return
        tables: dict[str, list[list[float]]] = {name: [] for name in _TYPES}
        until_s = time.monotonic() + _BATCH_S
        try:
            while (left_s := until_s - time.monotonic()) > 0:
                self._note(self._socket.recv(timeout=left_s), tables)
        except TimeoutError:
            pass
        except (OSError, WebSocketException):
            self._socket, self._gone_s = None, time.monotonic()
        self._hand_on(*(np.array(tables[name], float).reshape(-1, 4) for name in _TYPES))

    def _note(self, text: str | bytes, tables: dict[str, list[list[float]]]) -> None:
        event = parse(text)
        if event is None:
            self._refused += 1
        else:
            tables[event[0]].append(event[1])

    def _hand_on(self, accel: np.ndarray, gyro: np.ndarray) -> None:
        if self._gyro is None:
            self._alone.append(accel)
            held = np.concatenate(self._alone)
            if len(gyro):
                self._gyro = True
                accel, self._alone = held, []
            elif len(held) and held[-1, 0] - held[0, 0] > _NO_GYRO_S:
                self._gyro = False
                accel, self._alone = held, []
            else:
                return
        rows = self._pairing.feed(accel, gyro) if self._gyro else accel
        if len(rows):
            self.put(Piece(rows[:, 0], rows[:, 1:], time.monotonic()))

    def _convert(self, rows: np.ndarray) -> np.ndarray:
        return from_android(rows)

    def about(self) -> dict[str, Any]:
        return {**super().about(), "messages_refused": self._refused,
                "unpaired": self._pairing.unpaired}


def parse(text: str | bytes) -> tuple[str, list[float]] | None:
    """(sensor, [seconds, x, y, z]) of a message; None for one that is not of these sensors."""
    try:
        event = json.loads(text)
        name, stamp = event["type"], event["timestamp"]
        row = [stamp / 1e9, *map(float, event["values"][:3])]
    except (ValueError, KeyError, TypeError):
        return None
    return (name, row) if name in _TYPES and len(row) == 4 and np.isfinite(row).all() else None
