"""A model on a live source, block by block.

    runner = Runner(model, source)
    for event, captured_s in runner.step(0.1): ...
"""
from __future__ import annotations

import time
from typing import Any

from host_tools.evaluation.live import LiveBoard, LiveEvent
from host_tools.model.format import Model


class Runner:
    """source: one of recording/blocks.py, entered. Raises BeckonError if the source lacks the
    gyroscope that the model needs."""

    def __init__(self, model: Model, source: Any, rules: str = ""):
        self.board = LiveBoard(model, source.rate_hz, source.axes, rules)
        self.samples = self.lost = self.events = 0
        self._source = source
        self._next: int | None = None

    def step(self, timeout_s: float) -> tuple[list[tuple[LiveEvent, float]], int, int]:
        """Read once. Returns the events, each with time.monotonic() when its last sample was
        taken, and how many samples came and were lost. Raises Finished at the source's end."""
        found: list[tuple[LiveEvent, float]] = []
        samples = lost = 0
        for block in self._source.read(timeout_s):
            heard_s = time.monotonic()
            missing = max(0, block.index - self._next) if self._next is not None else 0
            self._next = block.end
            samples += len(block.values)
            lost += missing
            events = self.board.push(block.values, missing)
            end_ms = (self.samples + self.lost + samples + lost) * 1000 / self._source.rate_hz
            found += [(event, heard_s - max(0.0, end_ms - event.t_ms) / 1000) for event in events]
        self.events += len(found)
        self.samples += samples
        self.lost += lost
        return found, samples, lost
