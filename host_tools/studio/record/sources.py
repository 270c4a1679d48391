"""Where samples come from: what the page asks for, made into a source."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.recording.board_source import BoardSource
from host_tools.recording.forwarder_source import ForwarderSource
from host_tools.recording.phone.page_source import PageSource, PhoneLink
from host_tools.recording.replay_source import ReplaySource
from host_tools.studio.frame.language import tr

KINDS = ("board", "csv", "broker", "file", "phone")


@dataclass(frozen=True)
class SourceChoice:
    """Where samples come from. kind: one of KINDS; phone: of the phone page's server, None if
    there is none; the other fields as in `beckon record`."""

    kind: str
    port: str = ""
    rate_hz: float = 100.0
    accel_g: int = 8
    gyro_dps: int = 1000
    accel_unit: str = ""
    baud: int | None = None
    broker: str = ""
    device: str = ""
    path: Path = Path()
    speed: float = 1.0
    gyro_unit: str = ""
    phone: PhoneLink | None = None

    @property
    def title(self) -> str:
        return {"board": self.port or tr("the board"), "csv": self.port or tr("the forwarder"),
                "broker": tr("{device} on its broker", device=self.device),
                "file": self.path.name, "phone": tr("the phone")}[self.kind]


def make_source(choice: SourceChoice) -> Any:
    """The source, not yet entered. Raises BeckonError for a choice that is not valid."""
    from host_tools.device.known_broker import known_broker
    from host_tools.device.ports import find_port
    from host_tools.recording.broker_source import BrokerSource

    if choice.kind == "board":
        return BoardSource(find_port(choice.port), choice.rate_hz, choice.accel_g,
                           choice.gyro_dps, choice.baud)
    if choice.kind == "csv":
        return ForwarderSource(find_port(choice.port), choice.accel_unit, choice.baud or 115200,
                               choice.gyro_unit)
    if choice.kind == "broker":
        if not choice.device:
            raise BeckonError("enter the board's name on the broker, such as beckon-kitchen")
        return BrokerSource(known_broker(choice.broker), choice.device)
    if choice.kind == "phone":
        if choice.phone is None:
            raise BeckonError("end Studio and start it with --phone: beckon studio --phone")
        return PageSource(choice.phone)
    if not choice.path.is_file():
        raise BeckonError("{path}: no such file; name a recording, CSV or CSV.gz",
                          path=choice.path)
    return ReplaySource(choice.path, choice.speed)
