"""A simulated board that runs one script instead of the whole firmware."""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.simulator.unix_board import SimulatedBoard

_FRAMES = Path(__file__).resolve().parent / "on_board" / "frames.py"


class ScriptBoard(SimulatedBoard):
    """`script` becomes main.py; `files` are written beside it as JSON."""

    def __init__(
        self,
        script: Path,
        devices: Mapping[tuple[int, int | None], Any],
        *,
        files: Mapping[str, Any],
        speed: float,
    ) -> None:
        super().__init__(None, BrokerAddress("127.0.0.1", 1883), devices, speed=speed)
        self._script = script
        self._files = files

    def _fill_flash(self) -> None:
        super()._fill_flash()
        (self.flash / "main.py").write_text(self._script.read_text())
        for name, content in self._files.items():
            (self.flash / name).write_text(json.dumps(content))


def sample(
    sensor: Any,
    rate_hz: int,
    seconds: float,
    speed: float,
    stalls: Sequence[tuple[int, int]] = (),
    interrupt_until_s: float = 0.0,
) -> tuple[Any, dict[str, int]]:
    """Sample for so many seconds of board time: (records, counters).

    stalls: (board us, ms) during which the board is busy elsewhere. interrupt_until_s:
    until when INT is connected to a pin; 0: never. Raises BeckonError with the board's
    last words when it fails.
    """
    from host_tools.testing.sample_records import read_records

    settings = {
        "rate_hz": rate_hz,
        "until_us": int(seconds * 1e6),
        "stalls": list(stalls),
        "interrupt_until_us": int(interrupt_until_s * 1e6),
    }
    files = {"bench.json": settings}
    devices: dict[tuple[int, int | None], Any] = {(0, 0x68): sensor}
    with ScriptBoard(_FRAMES, devices, files=files, speed=speed) as board:
        status = board.wait(timeout_s=30 + 4 * seconds / speed)
        counters_path = board.flash / "counters.json"
        if status or not counters_path.exists():
            words = " / ".join(list(board.output)[-3:])
            raise BeckonError(f"the simulated board ended with status {status}: {words}")
        return read_records(board.flash / "frames.bin"), json.loads(counters_path.read_text())
