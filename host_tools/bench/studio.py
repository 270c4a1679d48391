"""Studio in a real browser: first paint, an hour's recording, labelling, kills, live data.

A headless Chromium (fetched if there is none) works on pages of `beckon studio`. It takes
about three minutes, most of them for an hour's worth of live samples; a smaller
--live-s takes less. Nothing else should run meanwhile.

example:
  beckon bench studio --json > studio.json
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

from host_tools.errors import BeckonError

EXTRA = "test"  # playwright, and what Studio needs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, metavar="N",
                        help="of starting and opening (default %(default)s)")
    parser.add_argument("--events", type=int, default=100, metavar="N",
                        help="to be labelled (default %(default)s)")
    parser.add_argument("--kills", type=int, default=3, metavar="N",
                        help="of tab and server meanwhile (default %(default)s)")
    parser.add_argument("--wheel-s", type=float, default=5, metavar="SECONDS",
                        help="of panning and of zooming (default %(default)s)")
    parser.add_argument("--live-s", type=float, default=3600, metavar="SECONDS",
                        help="of samples played, 0 for none (default %(default)s)")


def measure(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """All figures as a dict; see docs/studio.md. Raises BeckonError without a browser."""
    from host_tools.bench.studio_pages.hour import (
        AXES,
        SAMPLES,
        hour_project,
        label_and_kill,
        pan_and_zoom,
        start_and_open,
    )
    from host_tools.bench.studio_pages.live import measure_live
    from host_tools.testing.browser import chromium

    for name, least in (("rounds", 1), ("events", 2), ("kills", 0)):
        if getattr(args, name) < least:
            raise BeckonError(f"--{name} must be at least {least}", status=2)
    if args.kills >= args.events:
        raise BeckonError(f"--kills must be fewer than --events ({args.events})", status=2)
    load = os.getloadavg()[0]
    with chromium() as browser:
        say("writing an hour's recording")
        with hour_project() as folder:
            figures = {
                "recording": {"samples": SAMPLES, "axes": AXES},
                **start_and_open(browser, folder, args.rounds, say),
                "wheel": pan_and_zoom(browser, folder, args.wheel_s, say),
                "labelling": label_and_kill(browser, folder, args.events, args.kills, say),
            }
        if args.live_s > 0:
            figures["live"] = measure_live(browser, say, args.live_s)
        figures["conditions"] = {
            "browser": f"Chromium {browser.version}, headless",
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
            else os.cpu_count(),
            "load_before": round(load, 1),
        }
    return figures


def summary(figures: dict[str, Any]) -> str:
    wheel, labelling = figures["wheel"], figures["labelling"]
    lines = [
        f"first paint {figures['first_paint_s']['median']:.2f} s after start-up (most "
        f"{figures['first_paint_s']['most']:.2f}), usable after "
        f"{figures['usable_s']['median']:.2f} s; the process starts in "
        f"{figures['start_s']['median']:.1f} s",
        f"an hour, 360,000 x 6 samples, opens in {figures['open_s']['median']:.2f} s (most "
        f"{figures['open_s']['most']:.2f})",
        f"frames per second: pan {wheel['pan']['frames_per_s']}, zoom "
        f"{wheel['zoom']['frames_per_s']}, with {wheel['spans_drawn']} spans",
        f"{labelling['events']} events labelled by keys, {labelling['kills']} kills: missing after "
        f"them {labelling['missing_after_a_kill']}, at the end {labelling['missing_at_the_end']}; "
        f"key to screen {labelling['key_to_screen_ms']['median']:.0f} ms",
    ]
    if "live" in figures:
        live = figures["live"]
        lines.append(
            f"live: {live['drawn_to_sample']:,} of {live['samples']:,} samples at "
            f"{live['times_real_time']} times real time, behind {live['behind_ms']['median']} ms, "
            f"most {live['behind_ms']['most']}; JavaScript heap {live['javascript_heap_mb']} MB"
        )
    return "\n".join(lines)
