"""A phone with the app phyphox, through its remote access (REST).

    PhyphoxSource("http://192.168.0.42:8080")

The experiment on the phone has to hold the accelerometer with gravity, and for six axes the
gyroscope. Which buffers those are is asked of /config; /control starts the measurement, and
/get?z=T|t fetches what is newer than T. Format: phyphox wiki, "Remote-interface communication".
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import requests

from host_tools.errors import BeckonError, Sentence
from host_tools.recording.phone.axes import RAD, app_factor
from host_tools.recording.phone.pairing import Pairing
from host_tools.recording.phone.stamped_source import Piece, Poller, StampedSource

_POLL_S = 0.1
_CHECK_POLLS = 20
_TIMEOUT_S = 3.0
_PATIENCE_S = 30.0  # of failing requests, before the phone counts as gone
_LARGEST_BYTES = 4 << 20


class PhyphoxSource(StampedSource):
    """url: http://HOST:PORT, as the app shows it."""

    who = "phyphox"
    silence_cure = Sentence("keep the phone awake and its measurement running")

    def __init__(self, url: str):
        super().__init__()
        self._url = url.rstrip("/")
        self._factor = 1.0
        self._pairing = Pairing()
        self._buffers: dict[str, dict[str, str]] = {}
        self._newest: dict[str, float] = {}
        self._empty = 0  # polls in a row without a sample
        self._restarted = False
        self._answered_s = 0.0
        self._poller: Poller | None = None

    def _connect(self) -> None:
        self._buffers = sensors(self._json("/config"))
        if self._json("/control?cmd=start").get("result") is not True:
            raise BeckonError("phyphox does not start its measurement: press play on the phone")
        names = [b["t"] for b in self._buffers.values()]
        held = self._json("/get?" + "&".join(names))
        for sensor, buffers in self._buffers.items():  # what was measured before is not ours
            last = _numbers(held, buffers["t"])
            self._newest[sensor] = last[-1] if len(last) and np.isfinite(last[-1]) else -1.0
        self._answered_s = time.monotonic()
        self._poller = Poller(self._poll, self.put)
        self._poller.start()

    def _disconnect(self) -> None:
        if self._poller:
            self._poller.close()
            try:
                self._json("/control?cmd=stop")
            except BeckonError:
                pass  # the phone has gone, and its measurement ends with it

    def _poll(self) -> None:
        assert self._poller
        try:
            answer = self._json("/get?" + self._query())
        except BeckonError:
            if time.monotonic() - self._answered_s > _PATIENCE_S:
                raise
            self._poller.wait(1.0)
            return
        self._answered_s = time.monotonic()
        if self._take(answer):
            self._empty = 0
        else:
            self._empty += 1
            if self._empty % _CHECK_POLLS == 0:
                self._look_for_a_new_start()
        self._poller.wait(_POLL_S)

    def _look_for_a_new_start(self) -> None:
        """Nothing newer comes: has someone cleared the data, so that time began at 0 again?"""
        buffers = self._buffers["accelerometer"]
        last = _numbers(self._json(f"/get?{buffers['t']}"), buffers["t"])
        if len(last) and last[-1] < self._newest["accelerometer"]:
            self._newest = dict.fromkeys(self._newest, -1.0)
            self._restarted = True

    def _query(self) -> str:
        parts = []
        for sensor, buffers in self._buffers.items():
            newest = f"{self._newest[sensor]:.9g}"
            parts += [f"{buffers['t']}={newest}"]
            parts += [f"{buffers[axis]}={newest}|{buffers['t']}" for axis in "xyz"]
        return "&".join(parts)

    def _take(self, answer: dict[str, Any]) -> bool:
        """Hand on what is new; returns whether the accelerometer had something new."""
        tables = {}
        for sensor, buffers in self._buffers.items():
            columns = [_numbers(answer, buffers[name]) for name in "txyz"]
            n = min(map(len, columns))
            table = np.column_stack([c[:n] for c in columns])
            table = table[np.isfinite(table).all(axis=1) & (table[:, 0] > self._newest[sensor])]
            if len(table):
                self._newest[sensor] = float(table[:, 0].max())
            tables[sensor] = table
        rows = tables["accelerometer"]
        if "gyroscope" in tables:
            rows = self._pairing.feed(rows, tables["gyroscope"])
        if len(rows):
            self.put(Piece(rows[:, 0], rows[:, 1:], time.monotonic(), self._restarted))
            self._restarted = False
        return len(tables["accelerometer"]) > 0

    def _json(self, path: str) -> dict[str, Any]:
        """Raises BeckonError."""
        try:
            # Its server answers one request per connection
            answer = requests.get(self._url + path, timeout=_TIMEOUT_S,
                                  headers={"Connection": "close"}, allow_redirects=False)
            if answer.status_code != 200 or len(answer.content) > _LARGEST_BYTES:
                raise BeckonError("{url} answers {path} with status {status_code}: is that "
                                  "phyphox's remote access?", url=self._url,
                                  path=path.partition('?')[0], status_code=answer.status_code)
            found = answer.json()
        except requests.exceptions.JSONDecodeError:
            found = None
        except requests.RequestException:
            raise BeckonError("{url} does not answer: in phyphox, allow remote access and compare "
                              "the address; phone and computer need the same network",
                              url=self._url) from None
        if not isinstance(found, dict):
            raise BeckonError("{url} does not answer as phyphox does: compare the address",
                              url=self._url)
        return found

    def _settle(self, rows: np.ndarray) -> str:
        self._factor, said = app_factor(rows[:, :3], "phyphox")
        return said

    def _convert(self, rows: np.ndarray) -> np.ndarray:
        return rows * np.repeat([self._factor, RAD], 3)[: rows.shape[1]]

    def about(self) -> dict[str, Any]:
        return {**super().about(), "accel_factor": round(self._factor, 5),
                "unpaired": self._pairing.unpaired}


def sensors(config: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Sensor -> component (x y z t) -> name of the buffer, of what /config reports.

    Raises BeckonError without an accelerometer.
    """
    found: dict[str, dict[str, str]] = {}
    inputs = config.get("inputs")
    for entry in inputs if isinstance(inputs, list) else []:
        if not isinstance(entry, dict) or entry.get("source") not in ("accelerometer", "gyroscope"):
            continue
        buffers: dict[str, str] = {}
        for output in entry.get("outputs") or []:
            if isinstance(output, dict):
                buffers.update({k: v for k, v in output.items() if isinstance(v, str)})
        if set("xyzt") <= set(buffers):
            found[entry["source"]] = buffers
    if "accelerometer" not in found:
        raise BeckonError("the experiment on the phone does not hold the accelerometer with "
                          "gravity: in phyphox, add a simple experiment with the sensors "
                          "Accelerometer and Gyroscope, and open it")
    return found


def _numbers(answer: dict[str, Any], name: str) -> np.ndarray:
    """The values of a buffer, NaN for what is not a number."""
    buffers = answer.get("buffer")
    held = buffers.get(name, {}).get("buffer", []) if isinstance(buffers, dict) else []
    return np.array([v if type(v) in (int, float) else np.nan for v in held], float)
