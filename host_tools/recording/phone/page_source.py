"""A phone with our page open, as a source; and the link between the page's server and it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from host_tools.errors import Sentence
from host_tools.recording.phone.axes import SignFinder, from_page
from host_tools.recording.phone.page_message import PageMessage
from host_tools.recording.phone.stamp_clock import LEAST_HZ
from host_tools.recording.phone.stamped_source import Piece, StampedSource

_FRESH_S = 1.5  # without a message for this time, the phone is not connected
_RATE_STAMPS = 120


@dataclass(frozen=True)
class PhoneView:
    """What a page shows. state: waiting (for a phone), sending, slow (too few samples), quiet
    (a phone was there). rate_hz: 0 while unknown. refused: messages that were not valid."""

    state: str = "waiting"
    rate_hz: float = 0.0
    axes: int = 0
    system: str = ""
    events: int = 0
    dropped: int = 0
    refused: int = 0


class PhoneLink:
    """Takes the page's messages on the server's thread and hands them to one source.

    clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._put: Callable[[Piece], None] | None = None
        self._finder = SignFinder()
        self._page = ""
        self._system = ""
        self._heard_s = -1e9
        self._stamps: deque[float] = deque(maxlen=_RATE_STAMPS)
        self._axes = self._events = self._dropped = 0
        self.refused = 0

    def take(self, message: PageMessage) -> None:
        now_s = self._clock()
        with self._lock:
            restarted = message.restarted or message.page != self._page
            if restarted:
                self._stamps.clear()
            if message.page != self._page:
                self._page, self._system = message.page, message.system
                self._finder = SignFinder()
            self._dropped = message.dropped
            self._heard_s = now_s
            if not len(message.stamps_s):
                return
            self._axes = message.rows.shape[1]
            self._events += len(message.stamps_s)
            self._stamps.extend(message.stamps_s.tolist())
            self._finder.add(message.rows[-1, :3], message.attitude)
            if self._put:
                self._put(Piece(message.stamps_s, message.rows, now_s, restarted))

    def forget(self) -> None:
        """Another phone is to come: nothing of this one counts for it."""
        with self._lock:
            self._page, self._system, self._heard_s = "", "", -1e9
            self._stamps.clear()
            self._axes = self._events = self._dropped = 0

    def view(self) -> PhoneView:
        with self._lock:
            fresh = self._clock() - self._heard_s < _FRESH_S
            rate_hz = _rate(self._stamps) if fresh else 0.0
            state = "waiting" if not self._page else "quiet"
            if fresh and self._page:
                state = "slow" if 0 < rate_hz < LEAST_HZ else "sending"
            return PhoneView(state, rate_hz, self._axes, self._system, self._events,
                             self._dropped, self.refused)

    def sign(self) -> tuple[float, str]:
        """See SignFinder.sign."""
        with self._lock:
            return self._finder.sign(self._system)

    def attach(self, put: Callable[[Piece], None]) -> None:
        """One source at a time: an earlier one gets nothing more."""
        with self._lock:
            self._put = put

    def detach(self) -> None:
        with self._lock:
            self._put = None


def _rate(stamps: deque[float]) -> float:
    """Events per second over the last two seconds or so; 0 if they are too few to say."""
    t = np.array(stamps)
    if len(t) < 10 or t[-1] <= t[0]:
        return 0.0
    return float((len(t) - 1) / (t[-1] - t[0]))


class PageSource(StampedSource):
    """link: of a page's server, which has sent or is about to send."""

    silence_cure = Sentence("open Beckon's page on the phone again and keep it in front")

    def __init__(self, link: PhoneLink):
        super().__init__()
        self._link = link
        self._sign, self._sign_from = 1.0, ""

    def _connect(self) -> None:
        self._link.attach(self.put)

    def _disconnect(self) -> None:
        self._link.detach()

    def _settle(self, rows: np.ndarray) -> str:
        self._sign, self._sign_from = self._link.sign()
        if self.axes == 3:
            return ("the phone reports no turn rates, so models trained on all six axes will not "
                    "recognise it; use a phone with a gyroscope")
        return ""

    def _convert(self, rows: np.ndarray) -> np.ndarray:
        return from_page(rows, self._sign)

    def about(self) -> dict[str, Any]:
        view = self._link.view()
        return {**super().about(), "source": "phone", "phone_system": view.system,
                "accel_sign": self._sign, "accel_sign_from": self._sign_from,
                "events_dropped": view.dropped, "messages_refused": view.refused}
