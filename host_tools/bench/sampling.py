"""Samples lost, wrong or late: over outages, under injected faults, and what a drain costs.

Everything runs on the simulated board with the real MicroPython: the outages and the
timestamps in real time, the faults faster. With the defaults it takes about 16 minutes.

example:
  beckon bench sampling --minutes 1 --faults 10 --json
"""
from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

RATES_HZ = (100, 200)
_CLOCK_ERROR_PPM = 10_000
_BUSY = 1.5  # programs a core in the last 15 minutes; the bench itself takes about one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=10.0, metavar="M",
                        help="length of the run over outages (default: 10)")
    parser.add_argument("--faults", type=int, default=100, metavar="N",
                        help="how often each kind of fault is injected (default: 100)")
    parser.add_argument("--speed", type=float, default=8.0, metavar="X",
                        help="how much faster than real time the faults run (default: 8)")
    parser.add_argument("--seed", type=int, default=1, help="of moments and kinds (default: 1)")


def measure(args: argparse.Namespace, note: Callable[[str], None]) -> dict[str, Any]:
    from host_tools.errors import BeckonError

    if args.minutes <= 0 or args.faults < 1 or args.speed <= 0:
        raise BeckonError("minutes, faults and speed must be positive", status=2)
    note("the cost of a drain")
    from host_tools.bench.sensing.cost import drain_cost

    figures: dict[str, Any] = drain_cost()
    figures.update(_timestamps(min(120.0, 60 * args.minutes), note))
    figures.update(_outages(60 * args.minutes, args.seed, note))
    figures["faults"] = _faults(args, note)
    # Real time has no mercy: a computer with more to do than it can loses samples itself.
    figures["load_per_core"] = round(os.getloadavg()[2] / (os.cpu_count() or 1), 2)
    return figures


def _timestamps(seconds: float, note: Callable[[str], None]) -> dict[str, Any]:
    from host_tools.simulator.sensor.chip import SimulatedMPU6500
    from host_tools.simulator.sensor.movement import Sines
    from host_tools.testing.sample_records import compare
    from host_tools.testing.script_board import sample

    note(f"timestamps, {seconds:.0f} s")
    sensor = SimulatedMPU6500(Sines(), clock_error_ppm=_CLOCK_ERROR_PPM)
    records, _ = sample(sensor, 100, seconds, speed=1.0)
    found = compare(records, sensor.truth, 1e4 / (1 + _CLOCK_ERROR_PPM * 1e-6))
    return {
        "timestamp_error_ms": {"max": found.t_error_ms_max, "mean": found.t_error_ms_mean},
        "age_error_ms": {"max": found.error_ms_max, "mean": found.error_ms_mean},
        "latency_ms": {"max": found.latency_ms_max, "mean": found.latency_ms_mean},
    }


def _outages(seconds: float, seed: int, note: Callable[[str], None]) -> dict[str, Any]:
    """Both rates side by side, each with a broker of its own."""
    from concurrent.futures import ThreadPoolExecutor

    from host_tools.bench.sensing.outage import outages

    with ThreadPoolExecutor(len(RATES_HZ)) as pool:
        jobs = [pool.submit(outages, rate, seconds, seed, note) for rate in RATES_HZ]
        reports = [job.result() for job in jobs]
    return {
        f"outage_{r.rate_hz}hz": {
            "lost": r.lost,
            "samples": r.samples,
            "outages": r.outages,
            "events": r.events,
            "lag_ms_max": r.lag_ms_max,
            "seconds": r.seconds,
        }
        for r in reports
    }


def _faults(args: argparse.Namespace, note: Callable[[str], None]) -> dict[str, Any]:
    from host_tools.bench.sensing.faults import inject

    note(f"faults, each kind {args.faults} times")
    report = inject(args.faults, args.seed, args.speed)
    found = report.comparison
    return {
        "injected": sum(report.injected.values()),
        "recovered": sum(report.recovered.values()),
        "wrong_samples": found.wrong,
        "uncounted_loss": found.uncounted,
        "samples": found.frames,
        "lost": found.lost,
        "by_kind": {
            kind: {"injected": n, "recovered": report.recovered[kind]}
            for kind, n in report.injected.items()
        },
        "counters": report.counters,
    }


def summary(figures: dict[str, Any]) -> str:
    lines = []
    for rate in RATES_HZ:
        f = figures[f"outage_{rate}hz"]
        lines.append(
            f"{rate} Hz: {f['lost']} of {f['samples']} samples lost over {f['outages']} outages"
            f" in {f['seconds'] / 60:.1f} min"
        )
    t = figures["timestamp_error_ms"]
    lines.append(f"timestamps: {t['max']:.2f} ms off at most, {t['mean']:.2f} ms on average")
    lines.append(
        f"drain: {figures['drain_us_per_sample']:.2f} us a sample besides the bus,"
        f" {figures['alloc_bytes']} bytes allocated"
    )
    f = figures["faults"]
    lines.append(
        f"faults: {f['recovered']} of {f['injected']} recovered, {f['wrong_samples']} wrong"
        f" samples, {f['uncounted_loss']} lost uncounted"
    )
    if figures["load_per_core"] > _BUSY:
        lines.append(
            f"not to be relied on: this computer had {figures['load_per_core']:.1f} programs a core"
            " to run; try again when it has nothing else to do"
        )
    return "\n".join(lines)
