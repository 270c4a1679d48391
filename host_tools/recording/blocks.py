"""What every source of samples hands on: blocks of consecutive samples.

A board (board_source), a board over MQTT (broker_source), a CSV data forwarder
(forwarder_source), a file that is played (replay_source) and a phone (phone/) are context
managers with

    rate_hz, axes        nominal rate; 6, or 3 without gyroscope
    read(timeout_s)      list of Block, empty when nothing has come; raises Finished
    about()              what goes into the recording's JSON file
    measured_hz          the rate by the best clock there is, or None

and with what Source has.
"""

from dataclasses import dataclass

import numpy as np


class Finished(Exception):
    """The source has no more samples."""


@dataclass(frozen=True)
class Block:
    """Consecutive samples. values: float64 (n, 3 or 6), m/s^2 and deg/s; clipped: bool (n,),
    at the end of the sensor's range; index: sample periods since the source's start."""

    index: int
    values: np.ndarray
    clipped: np.ndarray

    @property
    def end(self) -> int:
        return self.index + len(self.values)

    def split(self, at: int) -> "tuple[Block, Block]":
        """What lies before sample `at`, and the rest; either may be empty."""
        n = min(max(at - self.index, 0), len(self.values))
        return (Block(self.index, self.values[:n], self.clipped[:n]),
                Block(self.index + n, self.values[n:], self.clipped[n:]))


class Source:
    """What most sources do not have."""

    warning = ""
    """What the sensor's driver, or the values, warn of; known before recording begins."""
    found = ""
    """What is about to be recorded, if it had to be measured."""
    silence_s = 5.0
    """Without a sample for this time, the recording ends."""
    silence_cure = "check the sensor's wires"
    held = False
    """Whether samples have come that a later read() hands on."""

    def presses(self) -> int:
        """How often the board's button was pressed since the last call."""
        return 0

    def tell_hand(self, order: str) -> None:
        """Tell a pretend board's hand what is asked for; see device/pretend.py."""

    def end(self) -> list[Block]:
        """The samples that are still held, when recording ends."""
        return []

    def corrected(self, blocks: list[Block]) -> tuple[list[Block], str]:
        """All blocks as they should be saved, and what changed, or ""."""
        return blocks, ""
