"""What can be recorded, and what a page shows of it: plain values, checked."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.recording.guide import Phase
from host_tools.recording.sources import BoardSource, ForwarderSource, ReplaySource
from host_tools.recording.writer import check_folder, check_name

KINDS = ("board", "csv", "broker", "file")


@dataclass(frozen=True)
class SourceChoice:
    """Where samples come from. kind: one of KINDS; the other fields as in `beckon record`."""

    kind: str
    port: str = ""
    rate_hz: float = 100.0
    accel_g: int = 8
    gyro_dps: int = 1000
    accel_unit: str = "m/s2"
    baud: int | None = None
    broker: str = ""
    device: str = ""
    path: Path = Path()
    speed: float = 1.0

    @property
    def title(self) -> str:
        return {"board": self.port or "the board", "csv": self.port or "the forwarder",
                "broker": f"{self.device} on its broker", "file": self.path.name}[self.kind]


def make_source(choice: SourceChoice) -> Any:
    """The source, not yet entered. Raises BeckonError for what cannot be."""
    from host_tools.device.ports import find_port
    from host_tools.mqtt.address import parse_broker
    from host_tools.recording.broker_source import BrokerSource

    if choice.kind == "board":
        return BoardSource(find_port(choice.port), choice.rate_hz, choice.accel_g,
                           choice.gyro_dps, choice.baud)
    if choice.kind == "csv":
        return ForwarderSource(find_port(choice.port), choice.accel_unit, choice.baud or 115200)
    if choice.kind == "broker":
        if not choice.device:
            raise BeckonError("name the board: its name on the broker, such as beckon-kitchen")
        return BrokerSource(parse_broker(choice.broker), choice.device)
    if not choice.path.is_file():
        raise BeckonError(f"{choice.path}: no such file; name a recording, CSV or CSV.gz")
    return ReplaySource(choice.path, choice.speed)


@dataclass(frozen=True)
class Sitting:
    """What is to be recorded into the data set `folder`.

    labels with takes: guided. Otherwise one free recording, all of it `labels[0]` if there
    is one. seconds: of a take; free: when it ends by itself, 0 never.
    """

    folder: Path
    subject: str
    labels: tuple[str, ...] = ()
    takes: int = 0
    seconds: float = 2.0
    countdown_s: float = 3.0

    def check(self) -> None:
        """Raises BeckonError for what cannot be."""
        for label in self.labels:
            check_name("label", label)
        check_name("subject", self.subject)
        if len(set(self.labels)) != len(self.labels):
            raise BeckonError("a label comes twice; name each once")
        if self.takes:
            if not self.labels:
                raise BeckonError("name the gestures first, such as circle, x, y")
            limits = (("takes", self.takes, 1, 1000), ("seconds of a take", self.seconds, 0.5, 10),
                      ("countdown", self.countdown_s, 1, 60))  # fmt: skip
        else:
            limits = (("seconds", self.seconds, 0, 86400),)  # type: ignore[assignment]
            if len(self.labels) > 1:
                raise BeckonError("a free recording takes one label for all of it, or none")
        for name, value, least, most in limits:
            if not least <= value <= most:
                raise BeckonError(f"{name} {value:g}: name a number from {least:g} to {most:g}")
        check_folder(self.folder)


@dataclass(frozen=True)
class TakeRow:
    """One judged take. curve: how much moved, 0 to 1, over its time."""

    label: str
    good: bool
    message: str
    curve: tuple[float, ...] = ()


@dataclass(frozen=True)
class Done:
    """What a sitting gave."""

    paths: tuple[Path, ...]
    takes: int
    refused: int
    lost: int
    seconds: float
    fault: str = ""


@dataclass(frozen=True)
class View:
    """All that a page shows. state: off, opening, live, recording, unsaved or ended.

    phase, label, left_s, good, of: of a guided sitting. number: grows with each sitting
    that ends, so that a page knows a new `done`.
    """

    state: str = "off"
    title: str = ""
    fault: str = ""
    warning: str = ""
    rate_hz: float = 0.0
    measured_hz: float | None = None
    axes: int = 6
    quiet_s: float = 0.0
    seconds: float = 0.0
    samples: int = 0
    lost: int = 0
    guided: bool = False
    phase: Phase = Phase.REST
    label: str = ""
    left_s: float = 0.0
    of_s: float = 0.0
    good: int = 0
    of: int = 0
    counts: tuple[tuple[str, int, int], ...] = ()
    takes: tuple[TakeRow, ...] = ()
    done: Done | None = None
    number: int = 0
