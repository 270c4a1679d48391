"""Live samples for the browser: bounded, never waiting, drops counted.

    feed = project.feeds.open("record", rate_hz=100, axes=AXES)
    feed.push(samples)                      # float32 (n, axes); any thread; never waits
    feed.mark(t_ms, "circle", kind="event") # a flag in the plot
    SignalView().show_live(feed)            # any number of browsers

Each browser has its own queue. If it is too slow, or its tab is hidden, its oldest samples
are dropped and it shows a gap. The sender never waits, and memory stays bounded.

The wire (WebSocket /studio/feed/NAME): first a JSON text {rate_hz, axes, sent}, then
binary messages of whole frames, little-endian: float64 when the last sample was
pushed (ms since 1970), uint32 the index of the first sample, uint32 zero, then float32
frames of axes values each. JSON texts {t_ms, text, kind} are flags.
"""
from __future__ import annotations

import asyncio
import json
import struct
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np

_HEADER = struct.Struct("<dII")
_BATCH_S = 0.025  # what comes within this time goes into one message
_QUEUE = 400  # batches that wait for one browser


@dataclass(frozen=True)
class _Batch:
    first: int
    frames: np.ndarray
    pushed_ms: float


class Feed:
    """Samples of one source, for any number of browsers."""

    def __init__(self, name: str, rate_hz: float, axes: Sequence[str]):
        self.name = name
        self.rate_hz = float(rate_hz)
        self.axes = tuple(axes)
        self.sent = 0  # index of the next sample, lost ones included
        self._viewers: set[Viewer] = set()
        self._lock = threading.Lock()
        self._closed = False

    def push(self, samples: np.ndarray, lost: int = 0) -> None:
        """Add samples (n, axes) in m/s^2 and deg/s; lost: samples lost before them."""
        frames = np.array(samples, dtype="<f4")  # a copy: the caller may use its array again
        if frames.ndim != 2 or frames.shape[1] != len(self.axes):
            raise ValueError(f"samples have shape {frames.shape}, not (n, {len(self.axes)})")
        with self._lock:
            first = self.sent + lost
            self.sent = first + len(frames)
            if len(frames):
                self._queue_for_all(_Batch(first, frames, time.time() * 1000))

    def mark(self, t_ms: float, text: str, kind: str = "event") -> None:
        """A flag at t_ms of the feed's clock (sample 0 is at 0 ms)."""
        with self._lock:
            self._queue_for_all(json.dumps({"t_ms": t_ms, "text": text, "kind": kind}))

    def close(self) -> None:
        """End the feed; browsers keep showing what they have."""
        with self._lock:
            self._closed = True
            self._queue_for_all(None)

    def _queue_for_all(self, message: _Batch | str | None) -> None:
        for viewer in self._viewers:
            viewer.put(message)

    def hello(self) -> str:
        return json.dumps({"rate_hz": self.rate_hz, "axes": self.axes, "sent": self.sent})

    def attach(self) -> Viewer:
        """A queue for one browser; call it in that browser's event loop."""
        viewer = Viewer(asyncio.get_running_loop())
        with self._lock:
            self._viewers.add(viewer)
            if self._closed:
                viewer.put(None)
        return viewer

    def detach(self, viewer: Viewer) -> None:
        with self._lock:
            self._viewers.discard(viewer)


class Viewer:
    """One browser's queue. dropped counts the messages it was too slow for."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self._loop = loop
        self._queue: deque[_Batch | str | None] = deque(maxlen=_QUEUE)
        self._ready = asyncio.Event()
        self.dropped = 0

    def put(self, message: _Batch | str | None) -> None:
        """From any thread; None ends messages()."""
        self.dropped += len(self._queue) == _QUEUE
        self._queue.append(message)
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:
            pass  # the server is stopping: nobody listens

    async def messages(self) -> AsyncIterator[bytes | str]:
        """New messages, with neighbouring batches joined, until the feed closes."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            joined: list[_Batch] = []
            ended = False
            while self._queue:
                message = self._queue.popleft()
                fits = (
                    isinstance(message, _Batch) and joined
                    and message.first == joined[-1].first + len(joined[-1].frames)
                )
                if joined and not fits:
                    yield _packed(joined)
                    joined = []
                if isinstance(message, _Batch):
                    joined.append(message)
                elif message is None:
                    ended = True
                    break
                else:
                    yield message
            if joined:
                yield _packed(joined)
            if ended:
                return
            await asyncio.sleep(_BATCH_S)


def _packed(batches: list[_Batch]) -> bytes:
    head = _HEADER.pack(batches[-1].pushed_ms, batches[0].first & 0xFFFFFFFF, 0)
    return head + b"".join(b.frames.tobytes() for b in batches)


class Feeds:
    """The open feeds of a project, by name."""

    def __init__(self) -> None:
        self._feeds: dict[str, Feed] = {}

    def open(self, name: str, rate_hz: float, axes: Sequence[str]) -> Feed:
        """A new feed; an older one of that name is closed. name: letters, digits and "-"."""
        if not name.replace("-", "").isalnum():
            raise ValueError(f"feed name {name!r}: letters, digits and - only")
        self.close(name)
        feed = self._feeds[name] = Feed(name, rate_hz, axes)
        return feed

    def get(self, name: str) -> Feed | None:
        return self._feeds.get(name)

    def close(self, name: str) -> None:
        feed = self._feeds.pop(name, None)
        if feed is not None:
            feed.close()
