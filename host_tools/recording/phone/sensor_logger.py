"""A phone with the app Sensor Logger, which pushes to a server of ours (HTTP POST).

    with SensorLoggerSource(SensorLoggerServer("192.168.0.7", 8739)) as source: ...

The app sends one JSON object per batch: {"messageId", "sessionId", "deviceId", "payload": [
{"name", "time": ns since 1970, "values": {"x", "y", "z"}}, ...]}. Acceleration with gravity is
`totalacceleration` on Android, `accelerometer` plus `gravity` on both systems, or
`accelerometeruncalibrated`, whose unit is g on iOS; the gyroscope is in rad/s. Signs depend on the
system and on a setting, so they are taken from a phone that lies on its back. Format: the app's
documents PUSHING, UNITS and CROSSPLATFORM.

The server answers nothing but a POST to its own address, which holds a random word.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from host_tools.errors import BeckonError, Sentence
from host_tools.recording.phone.axes import RAD, app_factor
from host_tools.recording.phone.pairing import Pairing
from host_tools.recording.phone.stamped_source import Piece, StampedSource

_LARGEST_BYTES = 1 << 20
_CONNECTIONS = 8
_TIMEOUT_S = 10.0
_MOST_ENTRIES = 20000
_STREAMS = ("totalacceleration", "accelerometer", "gravity", "accelerometeruncalibrated",
            "gyroscope")
_CHOOSE_S = 1.5  # of the app's time: by then each sensor has sent
Tables = dict[str, np.ndarray]  # stream -> (n, 4): seconds, x, y, z


class SensorLoggerServer:
    """Listens on address and port (0: any) from start() until close()."""

    def __init__(self, address: str, port: int = 0):
        self.on_payload: Callable[[list[Any]], None] = lambda entries: None
        self.refused = 0
        self._path = "/" + secrets.token_urlsafe(12)
        self._slots = threading.Semaphore(_CONNECTIONS)
        try:
            self._http = _Http((address, port), _handler(self))
        except OSError as error:
            raise BeckonError("port {port} on {address} cannot be used ({reason}): choose another "
                              "one", port=port, address=address, reason=error.strerror) from None
        self._http.slots = self._slots
        self.url = f"http://{address}:{self._http.server_address[1]}{self._path}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.1,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join(10)
        self._http.server_close()

    def take(self, path: str, body: bytes) -> int:
        """Returns the HTTP status."""
        if not hmac.compare_digest(path.encode(), self._path.encode()):
            return 404
        try:
            found = json.loads(body)
            entries = found["payload"]
        except (ValueError, KeyError, TypeError, RecursionError):
            self.refused += 1
            return 400
        if not isinstance(entries, list) or len(entries) > _MOST_ENTRIES:
            self.refused += 1
            return 400
        self.on_payload(entries)
        return 200


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    slots: threading.Semaphore

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self.slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that went away


def _handler(server: SensorLoggerServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT_S

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > _LARGEST_BYTES:
                self._answer(413)
                return
            self._answer(server.take(self.path, self.rfile.read(int(length))))

        def _answer(self, status: int) -> None:
            self.close_connection = status != 200
            self.send_response_only(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def send_error(self, code: int, *_: Any, **__: Any) -> None:
            self._answer(404 if code == 501 else code)  # no method but POST

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


class SensorLoggerSource(StampedSource):
    """server: not yet started."""

    who = "Sensor Logger"
    silence_cure = Sentence("enable HTTP push with the printed address, and start a recording in "
                            "the app")
    wait_s = 300.0  # until the first push: someone types an address

    def __init__(self, server: SensorLoggerServer):
        super().__init__()
        self._server = server
        self._lock = threading.Lock()
        self._early: list[Tables] = []
        self._streams: tuple[str, ...] = ()
        self._gravity, self._turns = Pairing(), Pairing()
        self._factor = 1.0

    def _connect(self) -> None:
        self._server.on_payload = self._take
        self._server.start()

    def _disconnect(self) -> None:
        self._server.close()

    def _open(self, until_s: float) -> None:
        super()._open(until_s + self.wait_s)

    def _take(self, entries: list[Any]) -> None:
        tables = _tables(entries)
        with self._lock:  # pushes may overlap
            if not self._streams:
                self._early.append(tables)
                tables = {name: np.concatenate([t[name] for t in self._early])
                          for name in _STREAMS}
                if not self._choose(tables):
                    return
                self._early = []
            rows = self._joined(tables)
            if len(rows):
                self.put(Piece(rows[:, 0], rows[:, 1:], time.monotonic()))

    def _choose(self, tables: Tables) -> bool:
        """Which streams to use, once each has had time to send."""
        there = [name for name in _STREAMS if len(tables[name])]
        times = np.concatenate([tables[name][:, 0] for name in _STREAMS])
        if len(times) < 2 or times.max() - times.min() < _CHOOSE_S:
            return False
        turns = ("gyroscope",) if "gyroscope" in there else ()
        for wanted in (("totalacceleration",), ("accelerometer", "gravity"),
                       ("accelerometeruncalibrated",)):  # fmt: skip
            if set(wanted) <= set(there):
                self._streams = (*wanted, *turns)
                return True
        self.put(BeckonError("Sensor Logger sends {there}: switch on Accelerometer, Gravity and "
                             "Gyroscope in the app", there=', '.join(there)))
        return False

    def _joined(self, tables: Tables) -> np.ndarray:
        """(n, 4 or 7): seconds, acceleration with gravity, turn rates."""
        rows = _ordered(tables[self._streams[0]])
        if "gravity" in self._streams:
            pairs = self._gravity.feed(rows, tables["gravity"])
            rows = np.column_stack([pairs[:, 0], pairs[:, 1:4] + pairs[:, 4:]])
        if "gyroscope" in self._streams:
            rows = self._turns.feed(rows, tables["gyroscope"])
        return rows

    def _settle(self, rows: np.ndarray) -> str:
        self._factor, said = app_factor(rows[:, :3], "Sensor Logger")
        return said

    def _convert(self, rows: np.ndarray) -> np.ndarray:
        return rows * np.repeat([self._factor, RAD], 3)[: rows.shape[1]]

    def about(self) -> dict[str, Any]:
        return {**super().about(), "streams": "+".join(self._streams),
                "accel_factor": round(self._factor, 5), "pushes_refused": self._server.refused,
                "unpaired": self._gravity.unpaired + self._turns.unpaired}


def _tables(entries: list[Any]) -> Tables:
    found: dict[str, list[list[float]]] = {name: [] for name in _STREAMS}
    for entry in entries:
        try:
            values = entry["values"]
            row = [entry["time"] / 1e9, *(float(values[axis]) for axis in "xyz")]
            stream = found.get(entry["name"].lower())
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        if stream is not None and np.isfinite(row).all():
            stream.append(row)
    return {name: np.array(rows, float).reshape(-1, 4) for name, rows in found.items()}


def _ordered(rows: np.ndarray) -> np.ndarray:
    return rows[np.argsort(rows[:, 0], kind="stable")]
