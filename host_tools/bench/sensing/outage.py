"""Samples over outages of the broker: the whole firmware, in real time.

In real time, since the board's clock then runs on while the firmware is held up, as
on a real board; so whatever blocks for longer than the FIFO lasts costs samples.
"""
from __future__ import annotations

import itertools
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from host_tools.bench.outages.broker import Mosquitto, Watcher
from host_tools.bench.outages.proxy import Proxy
from host_tools.errors import BeckonError
from host_tools.model.format import Model
from host_tools.model.golden import read_model, seal, write_model
from host_tools.mqtt.address import BrokerAddress
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Sines
from host_tools.simulator.unix_board import SimulatedBoard

_ON_BOARD = Path(__file__).resolve().parent / "on_board"
_DEVICE = "bench"
_END_TIMEOUT_S = 30
KINDS = ("stopped", "silent", "restarted", "slow")


@dataclass
class OutageReport:
    """lost: samples that the sensor latched after the first and that never reached the
    recogniser's ring, or were overwritten in it. events: delivered."""

    rate_hz: int
    seconds: float
    outages: int = 0
    samples: int = 0
    lost: int = 0
    events: int = 0
    lag_ms_max: int = 0  # of the event loop
    counters: dict[str, int] = field(default_factory=dict)


class _Board(SimulatedBoard):
    def _fill_flash(self) -> None:
        super()._fill_flash()
        shutil.copy(_ON_BOARD / "outage.py", self.flash / "main.py")


def model_at(rate_hz: int, folder: Path) -> Path:
    """The default model for another sample rate: the same windows from as many more samples."""
    model = read_model(DEFAULT_MODEL)
    path = folder / f"{rate_hz}hz.mlp"
    write_model(path, _at_rate(model, rate_hz))
    return path


def _at_rate(model: Model, rate_hz: int) -> Model:
    front_end = model.front_end
    times, rest = divmod(rate_hz, front_end.rate_hz)
    if rest or times & (times - 1):
        raise ValueError(f"rate_hz must be {front_end.rate_hz} times a power of 2, not {rate_hz}")
    axes = tuple(
        replace(axis, offset=axis.offset * times, shift=axis.shift + times.bit_length() - 1)
        for axis in front_end.axes
    )
    changed = replace(
        front_end, rate_hz=rate_hz, decimation=front_end.decimation * times, axes=axes
    )
    return seal(replace(model, front_end=changed))


def outages(
    rate_hz: int, seconds: float, seed: int, note: Callable[[str], None] = lambda what: None
) -> OutageReport:
    """Sample for so long while the broker fails in turn in each of KINDS. Raises BeckonError."""
    rng = random.Random(seed)
    report = OutageReport(rate_hz, seconds)
    sensor = SimulatedMPU6500(Sines(accel_g=0.4), clock_error_ppm=7000, filters=False)
    with (
        tempfile.TemporaryDirectory(prefix="beckon-bench-") as folder,
        Mosquitto(Path(folder)) as broker,
        Proxy(broker.port) as proxy,
    ):
        watcher = Watcher(broker.port, _DEVICE)
        try:
            with _Board(
                model_at(rate_hz, Path(folder)),
                BrokerAddress("127.0.0.1", proxy.port),
                {(0, 0x68): sensor},
                settings={"device": _DEVICE},
            ) as board:
                _await(board, lambda: len(watcher.arrivals) > 1, "does not begin")
                end_s = time.monotonic() + seconds
                for kind in itertools.cycle(KINDS):
                    left_s = end_s - time.monotonic()
                    if left_s <= 0:
                        break
                    note(f"{rate_hz} Hz, broker {kind}, {left_s:.0f} s to go")
                    _stage(kind, broker, proxy, rng, left_s)
                    report.outages += 1
                latched = sensor.frames_latched
                (board.flash / "enough").touch()
                done = board.flash / "counters.json"
                _await(board, done.exists, "does not end")
                report.counters = json.loads(done.read_text())
        finally:
            watcher.close()
    count = report.counters
    report.events = len(watcher.arrivals)
    report.samples = count["samples"]
    report.lag_ms_max = count["lag_ms_max"]
    # What the board says, and what the sensor knows: the rest of its FIFO, 42 frames, may wait.
    report.lost = count["samples_lost"] + count["ring_overwritten"]
    report.lost += max(0, latched - 42 - count["samples"] - count["samples_lost"])
    return report


def _stage(kind: str, broker: Mosquitto, proxy: Proxy, rng: random.Random, most_s: float) -> None:
    down_s = min(rng.uniform(1.0, 8.0), most_s)
    if kind == "stopped":
        broker.stop()
        time.sleep(down_s)
        broker.start()
    elif kind == "restarted":
        proxy.reset()
        broker.stop(kill=True)
        broker.start(with_session=False)
    else:
        proxy.set_mode(kind)
        time.sleep(down_s)
        proxy.set_mode("pass")
    time.sleep(min(rng.uniform(2.0, 6.0), max(0.0, most_s - down_s)))


def _await(board: SimulatedBoard, condition: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + _END_TIMEOUT_S
    while not condition():
        if board.returncode is not None or time.monotonic() > until:
            raise BeckonError(f"the simulated board {what}: {list(board.output)[-3:]}")
        time.sleep(0.02)
