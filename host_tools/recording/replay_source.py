"""A recording file, played as if it came from a sensor."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.dataset.folder import read_recording
from host_tools.recording.blocks import Block, Finished, Source


class ReplaySource(Source):
    """A recording file, played as if it were live. speed: times real time, 0: at once."""

    def __init__(self, path: Path, speed: float = 1.0):
        recording, _ = read_recording(path)
        self._path = path
        self._values = recording.samples.astype(float)
        self._gaps = recording.gaps
        self.rate_hz = recording.rate_hz
        self.axes = recording.axes
        self._speed = speed
        self._at = 0

    def __enter__(self) -> "ReplaySource":
        self._began_s = time.monotonic()
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def read(self, timeout_s: float) -> list[Block]:
        if self._at >= len(self._values):
            raise Finished
        if self._speed:
            time.sleep(min(timeout_s, 0.05))
            due = int((time.monotonic() - self._began_s) * self.rate_hz * self._speed)
        else:
            due = self._at + 64
        first, self._at = self._at, min(max(due, self._at), len(self._values))
        return list(self._parts(first, self._at))

    def _parts(self, first: int, end: int) -> Iterator[Block]:
        """What lies between the gaps."""
        for start, stop in (*self._gaps, (end, end)):
            if stop <= first or start >= end and start != stop:
                continue
            last = min(start, end)
            if last > first:
                yield self._block(first, last)
            first = max(first, stop)

    def _block(self, first: int, end: int) -> Block:
        return Block(first, self._values[first:end], np.zeros(end - first, bool))

    @property
    def measured_hz(self) -> float | None:
        return self.rate_hz

    def about(self) -> dict[str, Any]:
        return {"source": f"replay of {self._path.name}"}
