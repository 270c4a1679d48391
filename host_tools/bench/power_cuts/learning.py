"""Cut the power, or let flash be full, at each step of what a board writes when it learns.

Each life is a MicroPython process with the firmware's own modules on a real littlefs, see
on_board/learning_life.py.
"""

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.paths import DEFAULT_MODEL, FIRMWARE
from host_tools.toolchain import micropython_command

_ON_BOARD = Path(__file__).resolve().parent / "on_board"
_TIMEOUT_S = 60

Seen = dict[str, Any]


class LearningFlash:
    """The flash of a board that has learned "one", and uses it; folder: for its images."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.image = folder / "one.bin"
        self.base, self.one = self.live(
            ["boot", "learn:one", "boot", "confirm"], folder / "none.bin", self.image
        )[::3]

    def live(self, steps: Iterable[str], image: Path | None = None,
             out: Path | None = None) -> list[Seen]:  # fmt: skip
        """What the board says of each step; see on_board/learning_life.py. Raises BeckonError."""
        done = subprocess.run(
            [*micropython_command(), "-X", "heapsize=4M", str(_ON_BOARD / "learning_life.py"),
             str(DEFAULT_MODEL), str(image or self.image), str(out or self._folder / "out.bin"),
             *steps],
            env={**os.environ,
                 "MICROPYPATH": f"{FIRMWARE}:{FIRMWARE / 'lib'}:{_ON_BOARD}:.frozen"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S,
        )  # fmt: skip
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-500:]
            raise BeckonError(f"the board in the power-cut bench fails: {said}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def cut(self, first: list[str], steps: list[str], writes: int) -> Path | None:
        """The flash after the power went at so many writes of steps; None: they were over before.

        first: steps before it.
        """
        out = self._folder / "cut.bin"
        seen = self.live([*first, f"cut:{writes}", *steps], out=out)
        return out if seen[-1]["said"] == "cut" else None


def writes_of(*seen: Seen) -> int:
    """How many writing operations these steps took."""
    return sum(int(step["said"].split()[-2]) for step in seen)
