"""What is stored, as values: made from payloads by collect, written by writer.py."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Event(NamedTuple):
    """One gesture. at_ms, received_ms: ms since 1970. timed: whether at_ms is the device's."""

    device: str
    boot: int
    seq: int
    at_ms: int
    received_ms: int
    t_ms: int
    latency_ms: int | None
    gesture: str
    model: str
    confidence: int
    label_confidence: int | None
    timed: bool

    @property
    def key(self) -> tuple[str, int, int]:
        return self.device, self.boot, self.seq


class Status(NamedTuple):
    device: str
    received_ms: int
    online: bool


class State(NamedTuple):
    """content: canonical JSON. digest: of content."""

    device: str
    received_ms: int
    boot: int
    digest: str
    content: str


class Diag(NamedTuple):
    """counters: in the order of tables.DIAG_COUNTERS. content: all, as JSON."""

    device: str
    received_ms: int
    boot: int
    counters: tuple[int | None, ...]
    content: str


class Reject(NamedTuple):
    """A message that is kept aside. reason: a word that is counted; detail: what is wrong.

    payload: its beginning; size: of all of it, bytes.
    """

    received_ms: int
    reason: str
    detail: str
    topic: str
    size: int
    payload: bytes


@dataclass
class Batch:
    """What is stored in one transaction, in the order of arrival."""

    events: list[Event] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    diags: list[Diag] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


@dataclass
class Outcome:
    """new: the events that were not stored before. repeats: how many were."""

    new: list[Event]
    repeats: int
    quarantined: int
