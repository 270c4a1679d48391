"""Is the gesture that wakes the board recognised? The driver's own code on a simulated sensor.

The hand keeps still, the sensor watches for motion, and a recorded gesture follows. INT wakes
the board; what the FIFO gives from then on goes through the model and its rule.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from host_tools.dataset.recording import Recording, Span
from host_tools.evaluation.live import LiveBoard
from host_tools.model.format import Model
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import RecordedMovement
from host_tools.toolchain import on_cpython
from host_tools.units import GRAVITY

WAYS = ("awake", "light_sleep", "light_sleep_without_fifo", "deep_sleep",
        "deep_sleep_without_fifo")  # fmt: skip
WAKE_MG = 24  # in light sleep, as firmware/power/saver.py has it
_LIGHT_US = 10_000  # from INT to the first transaction; an ESP32's light sleep ends within 1 ms
_BEFORE_S, _AFTER_S = 4.0, 3.0  # still
_CUT_MS = (200, 300)  # of the recording, before and behind the labelled span
_LOOK_US = 25_000
_IMPORT_US = 100_000  # between two imports that empty the FIFO while the firmware starts
_TRANSACTION_US, _BYTE_US = 400, 23  # as standins/machine.py has them


class _Bus:
    """A bus whose traffic takes a board's time."""

    def __init__(self, sensor: SimulatedMPU6500) -> None:
        self.sensor = sensor
        self.now_us = 0

    def readfrom_mem_into(self, address: int, register: int, buffer: Any) -> None:
        buffer[:] = self.sensor.read(register, len(buffer), self.now_us)
        self.now_us += _TRANSACTION_US + _BYTE_US * len(buffer)

    def writeto_mem(self, address: int, register: int, buffer: Any) -> None:
        self.sensor.write(register, bytes(buffer), self.now_us)
        self.now_us += _TRANSACTION_US + _BYTE_US * len(buffer)


def scene(recording: Recording, span: Span, seed: int) -> tuple[NDArray, NDArray]:
    """(t_ms, samples): still, the gesture, still; noise as of a resting hand's sensor."""
    rate = recording.rate_hz
    first = max(0, int(recording.index(span.start_ms - _CUT_MS[0])))
    gesture = recording.samples[first : int(recording.index(span.end_ms + _CUT_MS[1])) + 1]
    rng = np.random.default_rng(seed)

    def still(row: NDArray, seconds: float) -> NDArray:
        return row + rng.normal(0, [0.02] * 3 + [0.05] * 3, (int(seconds * rate), 6))

    samples = np.vstack([still(gesture[0], _BEFORE_S), gesture, still(gesture[-1], _AFTER_S)])
    return 1000 * np.arange(len(samples)) / rate, samples


def events(
    model: Model, scene: tuple[NDArray, NDArray], way: str, main_ms: int, boot_ms: int
) -> list[str]:
    """Labels of what is recognised. way: one of WAYS. main_ms, boot_ms: from waking out of deep
    sleep to main.py, and to sampling."""
    on_cpython.install()
    from drivers.mpu6500 import MPU6500  # type: ignore[import-not-found]
    from power import early, motion  # type: ignore[import-not-found]

    fe = model.front_end
    sensor = SimulatedMPU6500(RecordedMovement(*scene))
    bus = _Bus(sensor)
    imu = MPU6500(bus, accel_g=fe.accel_g, gyro_dps=fe.gyro_dps, rate_hz=fe.rate_hz)
    end_us = int(scene[0][-1] * 1000)
    board = LiveBoard(model, fe.rate_hz)
    found: list[str] = []

    def bring_up() -> None:
        for wait_ms in imu.bring_up():
            bus.now_us += 1000 * wait_ms
        imu.start_fifo()

    def take(n: int, times: int = 1, from_fifo: bool = True) -> None:
        if from_fifo:
            imu.read_fifo(n)
        raw = np.frombuffer(bytes(imu.frames[: 12 * n]), ">i2").reshape(-1, 6)
        samples = raw / ([imu.accel_lsb_per_g / GRAVITY] * 3
                         + [imu.gyro_lsb_per_10_dps / 10] * 3)  # fmt: skip
        for _ in range(times):
            found.extend(event.label for event in board.push(samples))

    def drain(until_us: int) -> None:
        while bus.now_us < until_us:
            n = imu.fifo_bytes() // imu.fifo_frame
            while n:
                take(min(n, imu.CHUNK_FRAMES))
                n -= min(n, imu.CHUNK_FRAMES)
            bus.now_us += _LOOK_US

    bring_up()
    began_us = bus.now_us
    drain(began_us + int(1e6 * _BEFORE_S) - 1_000_000)
    if way != "awake":
        if way == "deep_sleep":
            period_ms = motion.record(imu, WAKE_MG)
        else:
            motion.watch(imu, WAKE_MG)
        while not sensor.int_level(bus.now_us):
            bus.now_us += 1000
            if bus.now_us > began_us + end_us:
                return found  # it never woke
        found.clear()
        board = LiveBoard(model, fe.rate_hz)  # the gap of the sleep
        woken_us = bus.now_us
        bus.now_us += 1000 * boot_ms if way == "deep_sleep_without_fifo" else _LIGHT_US
        if way == "deep_sleep":
            bus.now_us = woken_us + 1000 * main_ms
            kept = early.Early(bus, imu.address, period_ms - 1, imu.period_us // 1000 - 1)
            while bus.now_us < woken_us + 1000 * boot_ms:
                bus.now_us += _IMPORT_US
                kept.drain()
            imu.start_fifo()
            times = motion.STILL_TIMES + 1  # as motion.catch_up() does
            while kept.is_whole and (n := kept.take(imu.frames, imu.CHUNK_FRAMES)):
                take(n, times, False)
                times = 1
        elif way == "light_sleep":
            motion.resume(imu)
            take(motion.STILL_FRAMES, motion.STILL_TIMES + 1)  # as motion.adopt() does
        else:
            bring_up()
    drain(began_us + end_us)
    return found


def tally(
    model: Model, recordings: list[Recording], ways: tuple[str, ...], main_ms: int, boot_ms: int,
    most: int, say: Callable[[str], None],
) -> dict[str, dict[str, dict[str, int]]]:
    """way -> label -> {"gestures", "recognised", "wrong"}. most: gestures of each label."""
    out: dict[str, dict[str, dict[str, int]]] = {}
    chosen: list[tuple[Recording, Span]] = []
    seen: Counter[str] = Counter()
    for recording in recordings:
        for span in recording.spans:
            if span.label in model.labels and seen[span.label] < most:
                seen[span.label] += 1
                chosen.append((recording, span))
    for way in ways:
        say(f"{len(chosen)} gestures, {way.replace('_', ' ')}")
        table = out.setdefault(way, {})
        for seed, (recording, span) in enumerate(chosen):
            row = table.setdefault(span.label, {"gestures": 0, "recognised": 0, "wrong": 0})
            labels = events(model, scene(recording, span, seed), way, main_ms, boot_ms)
            row["gestures"] += 1
            row["recognised"] += span.label in labels
            row["wrong"] += any(label != span.label for label in labels)
    return out
