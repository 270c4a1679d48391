"""Rule gestures (firmware/feedback/rules.py) on the host: the board's own file, frame by frame."""
from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from host_tools.dataset import Recording
from host_tools.errors import BeckonError
from host_tools.evaluation.emulator import Board, Detected
from host_tools.toolchain import on_cpython

CONFIDENCE = 100  # as the board says it: a rule holds or does not


def rules_of(text: str, rate_hz: int, accel_g: int) -> Any:
    """The firmware's Rules. Raises BeckonError for a setting that cannot be."""
    on_cpython.install()
    from feedback.rules import Rules  # type: ignore[import-not-found]

    try:
        return Rules(text, rate_hz, accel_g)
    except ValueError as error:
        raise BeckonError(str(error), status=2) from None


class RuleTrack:
    """Rules over one stream of raw frames, interleaved with the network's events as on the
    board: at each frame first the rules, then the network, then what is due."""

    def __init__(self, text: str, rate_hz: int, accel_g: int):
        self.rules = rules_of(text, rate_hz, accel_g)
        self.names = tuple(self.rules.names)
        self._row = array("h", bytes(12))

    def push(self, raw: np.ndarray, first: int, network: Iterable[tuple[int, Any]] = (),
             lost: int = 0) -> list[tuple[int, str, Any]]:
        """raw : int16 (n, 6), numbered from first on, after so many lost ones. network: (frame,
        event) in order. Returns (frame, rule's name or "", the network's event or None)."""
        rules, row, names = self.rules, self._row, self.names
        waiting = list(network)[::-1]
        out: list[tuple[int, str, Any]] = []
        for at, frame in enumerate(np.asarray(raw, np.int16).tolist(), first):
            row[0], row[1], row[2] = frame[:3]
            rules.push(row, lost, at)
            lost = 0
            while waiting and waiting[-1][0] <= at:
                event = waiting.pop()[1]
                if rules.network():
                    out.append((at, "", event))
            due = rules.take()
            if due >= 0:
                out.append((rules.index, names[due], None))
        return out


def with_rules(board: Board, text: str, recording: Recording, raw: np.ndarray,
               detected: Sequence[Detected]) -> list[Detected]:
    """The events of a board that has these rules beside its model.

    raw: Board.raw(recording). detected: what the network alone says.
    """
    fe = board.model.front_end
    track = RuleTrack(text, fe.rate_hz, fe.accel_g)
    period_ms = 1000.0 / fe.rate_hz
    out: list[Detected] = []
    left = sorted(detected, key=lambda event: event.t_ms)
    lost = 0
    for first, piece in board.pieces(recording, raw):
        end_ms = recording.start_ms + (first + len(piece)) * period_ms
        inside = [event for event in left if event.t_ms < end_ms]
        left = left[len(inside):]
        numbered = [(round((event.t_ms - recording.start_ms) / period_ms), event)
                    for event in inside]
        for at, name, event in track.push(piece, first, numbered, lost):
            out.append(event or Detected(recording.start_ms + at * period_ms, name, CONFIDENCE))
        lost = 1
    return sorted(out, key=lambda event: event.t_ms)
