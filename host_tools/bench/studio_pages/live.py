"""Studio's live plot: an hour's worth of samples, faster than real time. Part of bench studio.

    with chromium() as browser:
        figures = measure_live(browser, print)

The product's own way throughout: a recording is played on the Record page, read by the
recorder's thread, handed to the feed, sent to the browser and drawn. Behind is the time
from the moment a sample was handed to the feed until it was drawn, by the one clock of
this computer.
"""
from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.recording.blocks import Block
from host_tools.recording.writer import Segment, write_recording
from host_tools.testing.browser import Studio, Tab, open_tab
from host_tools.units import GRAVITY

RATE_HZ = 100.0
_SETTLED = 0.1  # part of the samples after which memory is compared with that at the end


def measure_live(browser: Any, say: Callable[[str], None], seconds: float = 3600.0,
                 speed: int = 60) -> dict[str, Any]:
    """Play `seconds` of six axes at 100 Hz, `speed` times real time.

    browser: of studio.driver.chromium. Returns plain values; memory in MB, JavaScript's
    after its garbage collector ran. Takes seconds / speed and some more.
    """
    with tempfile.TemporaryDirectory(prefix="beckon-bench-") as name:
        folder = Path(name) / "live"
        say("writing an hour of samples")
        path = _recording(folder, seconds)
        with Studio(folder) as studio, open_tab(browser, studio) as tab:
            _play(tab, path, speed)
            return {**_watch(tab, studio, say, seconds, speed), "faults": tab.faults}


def _recording(folder: Path, seconds: float) -> Path:
    """A hand that never rests, so that each column of the plot has something to draw."""
    n = round(seconds * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    values = np.random.default_rng(1).normal(0, 0.3, (n, 6))
    for axis in range(6):
        size = 6 if axis < 3 else 150
        values[:, axis] += size * np.sin(2 * np.pi * (0.4 + 0.13 * axis) * t)
    values[:, 2] += GRAVITY
    block = Block(0, values, np.zeros(n, bool))
    return write_recording(folder, "hour", [block], Segment(0, n, ()), RATE_HZ, {}, "",
                           datetime.now(UTC))  # fmt: skip


def _play(tab: Tab, path: Path, speed: int) -> None:
    page = tab.page
    tab.go("/record")
    page.get_by_role("button", name="File").click()
    page.get_by_label("Recording (.csv or .csv.gz)").fill(str(path))
    if speed != 1:
        page.get_by_label("Speed").click()
        page.get_by_role("option", name=f"{speed} times", exact=True).click()
    page.get_by_role("button", name="Connect").click()
    page.get_by_text("What to record").wait_for(timeout=60_000)


def _watch(tab: Tab, studio: Studio, say: Callable[[str], None], seconds: float,
           speed: int) -> dict[str, Any]:
    total = round(seconds * RATE_HZ)
    begun = time.monotonic()
    settled: tuple[float, float] | None = None
    most_ms = 0.0
    while True:
        shown = tab.signal()
        most_ms = max(most_ms, shown["lag_ms_most"] or 0.0)
        if settled is None and shown["samples"] >= _SETTLED * total:
            settled = _memory(tab, studio)
            # The collection that was forced for this held the page up; nothing else does.
            tab.page.wait_for_timeout(500)
            tab.page.evaluate("document.querySelector('.bk-signal').signalView.lagMost = 0")
        if shown["samples"] >= total:
            break
        if time.monotonic() - begun > 3 * seconds / speed + 60:
            break  # too slow: the figures say so
        say(f"live plot: {shown['samples']:,} of {total:,} samples")
        tab.page.wait_for_timeout(500)
    took_s = time.monotonic() - begun
    ended = _memory(tab, studio)
    begin = settled or ended
    return {
        "samples": total,
        "drawn_to_sample": shown["samples"],
        "axes": 6,
        "times_real_time": round(seconds / took_s, 1),
        "frames_per_s": round(shown["frames"] / took_s, 1),
        "behind_ms": {"median": _rounded(shown["lag_ms_median"]),
                      "p95": _rounded(shown["lag_ms_p95"]), "most": _rounded(most_ms)},
        "javascript_heap_mb": {"settled": begin[0], "end": ended[0]},
        "server_rss_mb": {"settled": begin[1], "end": ended[1]},
        "samples_kept": shown["kept"],
    }  # fmt: skip


def _memory(tab: Tab, studio: Studio) -> tuple[float, float]:
    """(JavaScript's heap after a collection, the server's resident memory), MB."""
    heap = tab.page.evaluate("(window.gc && gc(), performance.memory.usedJSHeapSize)")
    pages = int(Path(f"/proc/{studio.pid}/statm").read_text(encoding="utf-8").split()[1])
    return round(heap / 1e6, 1), round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


__all__ = ["measure_live"]
