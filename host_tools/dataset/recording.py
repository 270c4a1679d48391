"""The values that the rest of the tools hand on: a recording and its labelled spans."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

AXES = ("ax", "ay", "az", "gx", "gy", "gz")


@dataclass(frozen=True)
class Span:
    """A labelled stretch of a recording, both ends in ms of the recording's own clock."""

    start_ms: float
    end_ms: float
    label: str
    subject: str = ""
    line: int = 0  # of labels.csv, for messages

    @property
    def length_ms(self) -> float:
        return self.end_ms - self.start_ms


@dataclass(frozen=True)
class Recording:
    """Evenly spaced samples of one uninterrupted recording.

    samples: float32 (n, 6) ax ay az gx gy gz in m/s^2 and deg/s, or (n, 3)
    without gyroscope. Sample i was taken at start_ms + i * 1000 / rate_hz.
    gaps: (first, last + 1) sample ranges that were filled in because the
    recorder lost samples there; no window may touch one.
    group: recordings with the same group hold the same movement (or parts of
    it) and must never be divided between training and validation.
    """

    name: str
    samples: np.ndarray
    rate_hz: float
    spans: tuple[Span, ...] = ()
    start_ms: float = 0.0
    gaps: tuple[tuple[int, int], ...] = ()
    group: str = ""
    path: Path | None = None
    native_hz: float = 0.0  # before any resampling

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz

    @property
    def axes(self) -> int:
        return self.samples.shape[1]

    @property
    def subject(self) -> str:
        return self.spans[0].subject if self.spans else ""

    def index(self, t_ms: float) -> float:
        """The (fractional) sample index at t_ms."""
        return (t_ms - self.start_ms) * self.rate_hz / 1000.0

    def with_spans(self, spans) -> Recording:
        return replace(self, spans=tuple(spans))


@dataclass
class Dataset:
    """Recordings that are used together, and what was noticed while reading them."""

    name: str
    recordings: list[Recording]
    notices: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """Every label in use, sorted."""
        return sorted({s.label for r in self.recordings for s in r.spans})

    @property
    def subjects(self) -> list[str]:
        return sorted({s.subject for r in self.recordings for s in r.spans})

    @property
    def axes(self) -> int:
        return min((r.axes for r in self.recordings), default=6)

    @property
    def seconds(self) -> float:
        return sum(r.seconds for r in self.recordings)

    def subset(self, keep) -> Dataset:
        """The recordings for which keep(recording) is true."""
        return Dataset(self.name, [r for r in self.recordings if keep(r)], list(self.notices))
