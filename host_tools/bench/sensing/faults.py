"""Every kind of fault at random moments, and what the firmware makes of it."""
from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.faults import Fault
from host_tools.simulator.sensor.movement import Sines
from host_tools.testing.sample_records import Comparison, compare
from host_tools.testing.script_board import sample

RATE_HZ = 100
CLOCK_ERROR_PPM = 3000
_SPACING_US = 2_200_000
_FROZEN_SPACING_US = 3_000_000  # only after a second of it is an output taken for frozen
_FIRST_US = 4_000_000


def _settings(rng: random.Random) -> int:
    """A sampling register and a value that it should not have."""
    register, wanted = rng.choice(
        [(0x19, 9), (0x1A, 0x43), (0x1B, 0x10), (0x1C, 0x10), (0x1D, 3), (0x23, 0x78), (0x6A, 0x40)]
    )
    return register << 8 | wanted ^ 1 << rng.randrange(8)


# kind: the fault at a moment, or a stall of the board in ms
KINDS: dict[str, Callable[[random.Random, int], Fault | int]] = {
    "no_answer": lambda r, at: Fault("no_answer", at, r.randrange(500, 900_000)),
    "timeout": lambda r, at: Fault("timeout", at, r.randrange(500, 300_000)),
    "sda_low": lambda r, at: Fault("sda_low", at, value=r.randint(1, 9)),
    "chip_reset": lambda r, at: Fault("chip_reset", at, r.randrange(0, 100_000)),
    "chip_reset_in_read": lambda r, at: Fault("chip_reset", at, in_read=True),
    "fifo_slip": lambda r, at: Fault("fifo_slip", at, value=r.randrange(1, 25)),
    "fifo_slip_in_read": lambda r, at: Fault(
        "fifo_slip", at, value=r.randrange(1, 12), in_read=True
    ),
    "settings": lambda r, at: Fault("settings", at, value=_settings(r)),
    "frozen": lambda r, at: Fault("frozen", at),
    "blank": lambda r, at: Fault("blank", at, value=r.choice([0, -1])),
    # Ends, with what follows it, before the look at whether it was recovered from.
    "overflow": lambda r, at: r.randrange(450, 1300),
}


@dataclass
class FaultReport:
    """injected, recovered: by kind. The rest sums up all of them."""

    comparison: Comparison
    counters: dict[str, int]
    injected: dict[str, int] = field(default_factory=dict)
    recovered: dict[str, int] = field(default_factory=dict)


def inject(each: int, seed: int, speed: float, kinds: Any = tuple(KINDS)) -> FaultReport:
    """Each kind `each` times in random order, and what was handed on meanwhile."""
    rng = random.Random(seed)
    sensor = SimulatedMPU6500(Sines(), clock_error_ppm=CLOCK_ERROR_PPM, seed=seed)
    plan = [kind for kind in kinds for _ in range(each)]
    rng.shuffle(plan)
    ends = []
    stalls = []
    at_us = _FIRST_US
    for kind in plan:
        at = at_us + rng.randrange(200_000)
        fault = KINDS[kind](rng, at)
        if isinstance(fault, Fault):
            sensor.inject(fault)
        else:
            stalls.append((at, fault))
        at_us += _FROZEN_SPACING_US if kind == "frozen" else _SPACING_US
        ends.append(at_us)
    records, counters = sample(sensor, RATE_HZ, at_us / 1e6 + 1, speed, stalls)
    period_us = 1e6 / RATE_HZ / (1 + CLOCK_ERROR_PPM * 1e-6)
    report = FaultReport(compare(records, sensor.truth, period_us), counters)
    taken = records["taken_us"]
    for kind, end in zip(plan, ends, strict=True):
        # Recovered: what was measured in half a second before the next is there. Not up to
        # its very moment: it may take what lay in the FIFO then.
        last = np.count_nonzero((taken > end - 550_000) & (taken < end - 50_000))
        report.injected[kind] = report.injected.get(kind, 0) + 1
        report.recovered[kind] = report.recovered.get(kind, 0) + int(last >= 49)
    return report
