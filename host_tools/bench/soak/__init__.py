"""A hundred thousand events over one connection: does it hang, does the heap grow?"""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from host_tools.bench.outages.broker import Mosquitto
from host_tools.errors import BeckonError
from host_tools.paths import FIRMWARE
from host_tools.toolchain import micropython_command, umqtt_folder

_ON_BOARD = Path(__file__).resolve().parent / "on_board"
_HEAP_KIB = 128
_LOOK_AT = 1000


@dataclass
class Soak:
    """packets: QoS 1 publications on one connection. growth: heap after all of them
    against after the first thousand."""

    packets: int = 0
    heap_growth_bytes: int = 0
    counters: dict[str, int] = field(default_factory=dict)


def soak(folder: Path, events: int, on_progress: Callable[[str], None]) -> Soak:
    """Raises BeckonError if the board fails, or does not come to an end."""
    path = f"{FIRMWARE}:{umqtt_folder()}:.frozen"
    with Mosquitto(folder) as broker:
        on_progress(f"{events} events over one connection")
        done = subprocess.run(
            [*micropython_command(), "-X", f"heapsize={_HEAP_KIB}K", str(_ON_BOARD / "soak.py"),
             str(broker.port), str(events), str(min(_LOOK_AT, events // 2))],
            env={**os.environ, "MICROPYPATH": path}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60 + events / 100,
        )  # fmt: skip
    heap = []
    result = Soak()
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word == "heap":
            heap.append(int(rest.split()[1]))
        elif word == "counters":
            result.counters = json.loads(rest)
    if done.returncode or len(heap) != 2 or not result.counters:
        raise BeckonError(f"the board fails: {(done.stderr + done.stdout).strip()[-300:]}")
    result.heap_growth_bytes = heap[1] - heap[0]
    if result.counters["link_connects"] == 1:
        result.packets = result.counters["events_delivered"]
    return result
