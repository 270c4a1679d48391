"""What draining the FIFO costs on this computer besides the bus."""
from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.paths import FIRMWARE
from host_tools.toolchain import micropython_command

_ON_BOARD = Path(__file__).resolve().parent / "on_board"


def drain_cost(interpreter: Sequence[str] = ()) -> dict[str, Any]:
    """See on_board/cost.py. interpreter: what starts MicroPython; by default the usual one.

    Raises BeckonError with MicroPython's words when it fails.
    """
    done = subprocess.run(
        [*(interpreter or micropython_command()), str(_ON_BOARD / "cost.py")],
        env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:{FIRMWARE / 'lib'}:.frozen"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise BeckonError(f"the drain could not be measured: {(done.stdout + done.stderr)[-300:]}")
    return json.loads(done.stdout)
