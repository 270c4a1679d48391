"""What a board makes of repetitions of a gesture: firmware/learning/ on the board's integers.

    taught = teach(model, recordings, "wave")       # Refused: why the board does not learn it

The engine's answers come from host_tools.model.reference; all that follows is the file that lies
on the board.
"""
from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from host_tools.dataset import Recording
from host_tools.errors import BeckonError
from host_tools.evaluation.emulator import Board
from host_tools.files import write_atomically
from host_tools.model import reference
from host_tools.model.codec import encode
from host_tools.model.format import Model
from host_tools.model.golden import read_model
from host_tools.toolchain import on_cpython

_STATE = 8  # of the engine's memory, see firmware/learning/layout.py
_STATUS, _FIRST, _LAYER_WORDS, _IN = 4, 51, 14, 12


class Refused(BeckonError):
    """The board does not learn it; the argument is its reason."""


class _Engine:
    """The engine's answers over takes, window by window, where the firmware looks for them."""

    def __init__(self, model: Model):
        fe = model.front_end
        self.model = model
        self.rate_hz, self.window, self.hop = fe.rate_hz, fe.window, fe.hop
        self.decimation = fe.decimation
        self.labels, self.idle = model.labels, model.idle
        words = _FIRST + _LAYER_WORDS * len(model.layers)
        self._values = _STATE + 4 * words
        self.buffer = bytearray(self._values + 2 * model.layers[-1].inputs)
        self._put(0, _STATE)
        last = _FIRST + _LAYER_WORDS * (len(model.layers) - 1) + _IN
        self._put(_STATE + 4 * last, self._values)
        self.activity = 0
        self.shares = b""
        self._at = 0

    def _put(self, at: int, word: int) -> None:
        self.buffer[at : at + 4] = word.to_bytes(4, "little")

    def hear(self, raw: np.ndarray) -> int:
        """Take the raw counts of a gapless piece; how many windows it has."""
        found = reference.features(self.model, raw)
        self._found = found
        self._u = reference.last_inputs(self.model, found.values).astype("<u2")
        self._shares = reference.decide(self.model, found).shares
        self._at = 0
        return len(found.end)

    def push(self, row: object) -> bool:
        i, self._at = self._at, self._at + 1
        self._put(_STATE + 4 * _STATUS, 2 if self._found.still[i] else 1)
        self.buffer[self._values :] = self._u[i].tobytes()
        self.activity = int(self._found.activity[i])
        self.shares = self._shares[i].tobytes()
        return True

    def infer(self) -> None:
        pass

    def reset(self) -> None:
        pass


def teach(model: Model, takes: Sequence[Recording], label: str) -> Model:
    """The model after a board has learned `label` from these takes. Raises Refused."""
    on_cpython.install()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.mlp"
        write_atomically(path, encode(model))
        try:
            return _taught(model, takes, label, str(path))
        except ValueError as fault:
            raise Refused("{reason}", reason=str(fault)) from None


def _taught(model: Model, takes: Sequence[Recording], label: str, path: str) -> Model:
    # The firmware's modules, which mypy does not see
    from learning.computing import learned_row  # type: ignore[import-not-found]
    from learning.examples import OWN, Examples  # type: ignore[import-not-found]
    from learning.model_file import ModelFile  # type: ignore[import-not-found]
    from learning.model_writer import check_room, write  # type: ignore[import-not-found]
    from learning.recording import Recording as OnBoard  # type: ignore[import-not-found]
    from learning.samples import Samples  # type: ignore[import-not-found]

    engine, file = _Engine(model), ModelFile(path)
    index = model.labels.index(label) if label in model.labels else -1
    if index < 0:
        check_room(file, label)
    examples = Examples(file.width, file.kept, len(takes))
    file.examples(examples.put, examples.put_metric)
    heard: Any = OnBoard(SimpleNamespace(engine=engine), examples, file.shift, file.layers,
                         len(takes), Samples(False), lambda good, unusable: None, lambda: 0)
    board = Board(model)
    for take in takes:
        for _, raw in board.pieces(take, board.raw(take)):
            for _ in range(engine.hear(raw)):
                if heard.good < len(takes):
                    heard._take((0,) * 6, 0)
    heard.judge()
    good, known, _ = heard.result()
    weights, bias = asyncio.run(learned_row(engine, file, examples, good, known, label))
    own = [examples.own(k, i) for k in range(good) for i in range(0, OWN, 2)]
    window = reference.features(model, reference.golden_frames(model))
    u = reference.last_inputs(model, window.values)
    row = np.frombuffer(bytes(weights), np.uint8).astype(np.int64) - 128
    golden = int(u[0].astype(np.int64) @ row) + bias
    write(file, path + ".learn", label, index, weights, bias, golden, own)
    return read_model(path + ".learn")
