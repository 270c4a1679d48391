"""What a simulated board does while its process is not there: deep sleep.

standins/machine_sleep.py leaves a note of what may wake it. The sensor lives on meanwhile.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools.simulator.wire import PIN_WAKE, TIMER_WAKE

_STEP_US = 5_000
_FASTEST = 1000  # times real time, above speed 1: nothing but the sensor is simulated


@dataclass(frozen=True)
class Nap:
    """One sleep, in the sensor's time. kind: light or deep."""

    kind: str
    began_us: int
    ended_us: int


def sleep_deeply(
    folder: Path,
    devices: Mapping[tuple[int, int | None], Any],
    speed: float,
    boot_us: int,
    gone: Callable[[], bool],
) -> Nap:
    """Wait until the pin or the timer ends a deep sleep, and leave what the next boot reads.

    folder: of the stand-ins. boot_us: how long the board takes from there to its program.
    gone: whether the host has had enough; then it ends at once.
    """
    note = folder / "deepsleep"
    sleep_ms, pin, level, rtc_us = map(int, note.read_text().split())
    note.unlink()
    sensors = list(devices.values())
    began_us = now_us = max((sensor.now_us for sensor in sensors), default=0)
    wired = pin >= 0 and (folder / f"int{pin}").exists()
    end_us = began_us + sleep_ms * 1000 if sleep_ms else None
    reason = TIMER_WAKE
    pace = speed if speed <= 1 else _FASTEST
    began_s = time.monotonic()
    while end_us is None or now_us < end_us:
        if gone():
            break
        if wired and any(sensor.int_level(now_us) == level for sensor in sensors):
            reason = PIN_WAKE
            break
        now_us += _STEP_US if end_us is None else min(_STEP_US, end_us - now_us)
        ahead_s = (now_us - began_us) / 1e6 / pace - (time.monotonic() - began_s)
        if ahead_s > 0:
            time.sleep(ahead_s)
    for sensor in sensors:
        sensor.advance(now_us + boot_us)
    (folder / "wake").write_text(str(reason))
    (folder / "rtc_time").write_text(str(rtc_us + now_us - began_us + boot_us))
    return Nap("deep", began_us, now_us)


def light_naps(folder: Path, base_us: int, keep: bool = False) -> list[Nap]:
    """The light sleeps of the boot that began at base_us of the sensor's time.

    keep: leave them for another look.
    """
    path = folder / "asleep"
    if not path.exists():
        return []
    lines = [line.split() for line in path.read_text().splitlines()]
    if not keep:
        path.unlink()
    return [Nap("light", base_us + int(began), base_us + int(ended)) for began, ended in lines]
