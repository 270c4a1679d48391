"""Studio with an hour of recording: first paint, opening, panning and zooming, labelling.

All of it by the product's own way: `beckon studio` as a process, a headless Chromium, keys
and wheel events. Nothing is warm: each round has a new process and a new browser window.
"""
from __future__ import annotations

import csv
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.errors import BeckonError
from host_tools.testing.browser import FIRST_PAINT, Studio, Tab, open_tab
from host_tools.units import GRAVITY

SAMPLES, AXES, RATE_HZ = 360_000, 6, 100
_GESTURES = 700  # movements in the hour, so that there is something to propose and to draw
_NAMES = ("a-short-one", "hour")
_TIMEOUT_MS = 60_000

# While rAF ticks, one wheel event per frame goes to the canvas; frames are those drawn.
_DRIVE = """async ([seconds, kind]) => {
  const view = document.querySelector('.bk-signal').signalView, {canvas} = view;
  const box = canvas.getBoundingClientRect();
  view.show(6e5, 18e5);
  const at = {clientX: box.left + box.width / 2, clientY: box.top + box.height / 3,
              bubbles: true, cancelable: true};
  const begun = performance.now(), first = view.frames, gaps = [];
  let last = begun, n = 0;
  while (last - begun < 1000 * seconds) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    gaps.push(now - last);
    last = now;
    const back = Math.floor(n++ / 60) % 2 ? -1 : 1;
    canvas.dispatchEvent(new WheelEvent('wheel', kind === 'pan'
      ? {...at, deltaX: 25 * back, deltaY: 0} : {...at, deltaX: 0, deltaY: -25 * back}));
  }
  gaps.sort((a, b) => a - b);
  return {frames: view.frames - first, seconds: (last - begun) / 1000,
          slowest_tenth_ms: gaps[Math.floor(0.9 * gaps.length)]};
}"""

# From the key that opens the next recording until all of it is on the screen.
_OPEN = """async (samples) => {
  const begun = performance.now();
  document.dispatchEvent(new KeyboardEvent('keydown', {key: '.', bubbles: true}));
  const shown = () => document.querySelector('.bk-signal')?.signalView?.stats();
  while (shown()?.samples !== samples) await new Promise(r => setTimeout(r, 4));
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return (performance.now() - begun) / 1000;
}"""


@contextmanager
def hour_project() -> Iterator[Path]:
    """A project with a short recording and one of an hour."""
    with tempfile.TemporaryDirectory(prefix="beckon-bench-") as name:
        folder = Path(name) / "project"
        (folder / "recordings").mkdir(parents=True)
        values = _movements(SAMPLES)
        t = np.arange(SAMPLES) * (1000 // RATE_HZ)
        for name, n in zip(_NAMES, (3000, SAMPLES), strict=True):
            with open(folder / "recordings" / f"{name}.csv", "w", encoding="utf-8") as out:
                out.write("t_ms,ax,ay,az,gx,gy,gz\n")
                np.savetxt(out, np.column_stack([t[:n], values[:n]]),
                           fmt="%d,%.3f,%.3f,%.3f,%.2f,%.2f,%.2f")
        yield folder


def _movements(n: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    x = rng.normal(0, [0.05, 0.05, 0.05, 0.6, 0.6, 0.6], (n, AXES))
    x[:, 2] += GRAVITY
    for k in range(_GESTURES):
        length = int(rng.integers(60, 160))
        at = int((k + rng.uniform(0.1, 0.5)) * n / _GESTURES)
        swing = np.hanning(length)[:, None] * np.sin(
            np.arange(length)[:, None] / RATE_HZ * 2 * np.pi * rng.uniform(1, 4, AXES)
            + rng.uniform(0, 6, AXES)
        )
        x[at : at + length] += swing * [8, 8, 6, 200, 200, 150]
    return x


def start_and_open(browser: Any, folder: Path, rounds: int,
                   say: Callable[[str], None]) -> dict[str, Any]:
    """First paint (the header) and use (the page obeys) after start-up; opening the hour."""
    start, paint, usable, opened, fetched = [], [], [], [], []
    for k in range(rounds):
        say(f"starting and opening, {k + 1} of {rounds}")
        with open_tab(browser, None) as tab:  # a browser window is open already
            begun = time.time()
            with Studio(folder) as studio:
                ready = time.time()
                start.append(ready - begun)
                tab.enter(studio)
                paint.append(tab.page.evaluate(FIRST_PAINT)[0] / 1000 - ready)
                tab.wait_until_usable()
                usable.append(time.time() - ready)
                tab.go(f"/label?recording={_NAMES[0]}")
                tab.wait_for_signal()
                opened.append(tab.page.evaluate(_OPEN, SAMPLES))
                fetched.append(tab.signal()["open_ms"] / 1000)
    return {"start_s": _spread(start), "first_paint_s": _spread(paint),
            "usable_s": _spread(usable), "open_s": _spread(opened),
            "of_it_fetching_s": _spread(fetched)}


def pan_and_zoom(browser: Any, folder: Path, seconds: float,
                 say: Callable[[str], None]) -> dict[str, Any]:
    """Frames a second while the wheel turns, with the proposals of the whole hour on it."""
    figures: dict[str, Any] = {}
    with Studio(folder) as studio, open_tab(browser, studio) as tab:
        tab.go(f"/label?recording={_NAMES[1]}")
        tab.wait_for_signal()
        _propose(tab)
        figures["spans_drawn"] = tab.signal()["spans"]
        for kind in ("pan", "zoom"):
            say(f"turning the wheel: {kind}")
            found = tab.page.evaluate(_DRIVE, [seconds, kind])
            figures[kind] = {
                "frames_per_s": round(found["frames"] / found["seconds"], 1),
                "slowest_tenth_ms": round(found["slowest_tenth_ms"], 1),
            }
    return figures


def label_and_kill(browser: Any, folder: Path, events: int, kills: int,
                   say: Callable[[str], None]) -> dict[str, Any]:
    """Label `events` proposals with a key each; kill tab and server within some of them.

    After each kill, actions that were begun and are not in the file are counted: at
    most the last one.
    """
    path = folder / "labels.csv"
    path.unlink(missing_ok=True)
    done, missing, key_s = 0, [], []
    for stop in [events * (k + 1) // (kills + 1) for k in range(kills)] + [events]:
        say(f"labelling, {done} of {events}")
        with Studio(folder) as studio, open_tab(browser, studio) as tab:
            tab.go(f"/label?recording={_NAMES[1]}")
            tab.wait_for_signal()
            _propose(tab)
            if done == 0:
                _name_label(tab)
                done = 1
            while done < stop:
                begun = time.perf_counter()
                tab.page.keyboard.press("1")
                done += 1
                if done == stop and stop != events:
                    break  # killed before the page has shown it
                _wait_for_labels(tab, done)
                key_s.append(time.perf_counter() - begun)
            if stop != events:
                studio.kill()
                tab.page.close(run_before_unload=False)
        if stop != events:
            kept = _count(path)
            missing.append(done - kept)
            done = kept
    kept = _count(path)
    return {
        "events": events, "kills": kills, "missing_after_a_kill": missing,
        "missing_at_the_end": events - kept, "key_to_screen_ms": _spread(key_s, 1000),
    }


def _propose(tab: Tab) -> None:
    tab.page.keyboard.press("g")
    tab.page.wait_for_function(
        "document.querySelector('.bk-signal').signalView.stats().selected < 0",
        timeout=_TIMEOUT_MS)


def _name_label(tab: Tab) -> None:
    tab.page.keyboard.press("l")
    field = tab.page.locator(".q-dialog input")
    field.fill("wave")
    field.press("Enter")
    tab.page.locator(".q-dialog .q-card").wait_for(state="detached")
    _wait_for_labels(tab, 1)


def _wait_for_labels(tab: Tab, count: int) -> None:
    tab.page.wait_for_function(
        "n => document.querySelector('.bk-signal').signalView.spans"
        ".filter(s => s.kind === 'label').length === n", arg=count, timeout=_TIMEOUT_MS)


def _count(path: Path) -> int:
    """Spans in the file, which must be whole at any moment."""
    with open(path, encoding="utf-8", newline="") as rows:
        found = list(csv.DictReader(rows))
    if any(None in row or None in row.values() for row in found):
        raise BeckonError(f"{path}: a line is not whole after a kill")
    return len(found)


def _spread(values: list[float], times: float = 1) -> dict[str, float]:
    return {"median": round(times * statistics.median(values), 3),
            "most": round(times * max(values), 3)}
