"""Faults of sensor and bus at chosen times.

    sensor.inject(Fault("timeout", at_us=2_000_000, duration_us=30_000))

kind, what happens from at_us on:

no_answer     the chip acknowledges nothing for duration_us (a loose wire)
timeout       each transaction times out for duration_us; a read of the FIFO moves
              a part of its bytes all the same
sda_low       SDA stays low until SCL has been clocked `value` times (1 to 9) with
              SDA released
chip_reset    the registers fall back, as after a dip of the supply; the chip
              answers nothing for duration_us. `in_read`: within the next read of
              the FIFO, whose remaining bytes are 0
fifo_slip     `value` bytes vanish from the front of the FIFO; `in_read` as above
settings      register value >> 8 takes the value & 0xFF
frozen        the output never changes again, until a reset
blank         the output is `value` on all axes, until a reset
"""
from __future__ import annotations

import heapq
from dataclasses import dataclass

from host_tools.simulator import wire

KINDS = (
    "no_answer",
    "timeout",
    "sda_low",
    "chip_reset",
    "fifo_slip",
    "settings",
    "frozen",
    "blank",
)


@dataclass(frozen=True)
class Fault:
    """Raises ValueError for an unknown kind."""

    kind: str
    at_us: int
    duration_us: int = 0
    value: int = 0
    in_read: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r} is none of {', '.join(KINDS)}")


class Faults:
    """The faults to come, and the state of the bus that they leave behind."""

    def __init__(self) -> None:
        self.struck: list[Fault] = []
        """Those whose time has come, in order."""
        self._queue: list[tuple[int, int, Fault]] = []
        self._count = 0
        self.no_answer_until_us = 0
        self.timeout_until_us = 0
        self.clocks_missing = 0  # until SDA is let go
        self.stuck_row: bytes | None = None
        self.freeze = False
        self.in_read: Fault | None = None
        self._scl = 1

    def add(self, fault: Fault) -> None:
        heapq.heappush(self._queue, (fault.at_us, self._count, fault))
        self._count += 1

    @property
    def next_us(self) -> int | None:
        return self._queue[0][0] if self._queue else None

    def pop(self) -> Fault:
        fault = heapq.heappop(self._queue)[2]
        self.struck.append(fault)
        return fault

    def chip_was_reset(self) -> None:
        self.stuck_row = None
        self.freeze = False

    def check_bus(self, now_us: int) -> None:
        """Raise the OSError that a transaction at now_us ends in, if it does."""
        if self.clocks_missing:
            raise OSError(wire.ETIMEDOUT, "SDA is held low")
        if now_us < self.timeout_until_us:
            raise OSError(wire.ETIMEDOUT, "the bus times out")
        if now_us < self.no_answer_until_us:
            raise OSError(wire.ENODEV, "the chip does not answer")

    def lines(self, scl: int, sda: int) -> tuple[int, int]:
        """The board drives both lines (1: released); the levels that are there."""
        if scl and not self._scl and self.clocks_missing:
            # A low SDA is an acknowledge: the chip goes on with its next byte.
            self.clocks_missing = self.clocks_missing - 1 if sda else 9
        self._scl = scl
        return scl, sda if not self.clocks_missing else 0
