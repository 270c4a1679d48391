"""Thousands of devices, a broker, collectors and a database, all on this computer.

  sqlite, postgresql   events per second stored, and how long each took until it was
  shared               two collectors in one shared subscription, PostgreSQL
  faults               collectors killed, database stopped, broker restarted, disk full, under load
  idle                 many connected devices, one event per minute each
  queries              every query of the dashboard over a large store
  paint                its pages over that store, in a real browser (fetched if there is none)
  memory               of a collector after a million events
  removal              of events that are too old, while new ones come, SQLite

Generator, broker, collectors and database share the processor; `cpu` gives each one's share of one
core. All parts together take about half an hour.

example:
  beckon bench fleet --only sqlite --only postgresql --json
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError

EXTRA = "collect"
PARTS = ("sqlite", "postgresql", "shared", "faults", "idle", "queries", "paint",
         "memory", "removal")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", metavar="PART", choices=PARTS,
                        help=f"run this part, can be repeated: {', '.join(PARTS)}")
    parser.add_argument("--devices", type=int, default=1000, metavar="N",
                        help="that make the load of sqlite, postgresql and shared")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="N",
                        help="of load, for each of these")
    parser.add_argument("--sqlite-rate", type=float, default=3500.0, metavar="N",
                        help="events per second that the devices make")
    parser.add_argument("--postgresql-rate", type=float, default=5500.0, metavar="N")
    parser.add_argument("--faults", type=int, default=20, metavar="N", help="of each kind")
    parser.add_argument("--idle-devices", type=int, default=10_000, metavar="N")
    parser.add_argument("--idle-seconds", type=float, default=120.0, metavar="N")
    parser.add_argument("--events", type=int, default=10_000_000, metavar="N",
                        help="in the store of queries and paint")
    parser.add_argument("--memory-events", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--removal-events", type=int, default=1_000_000, metavar="N",
                        help="that are too old")


def measure(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """All figures as a dict. Raises BeckonError."""
    from host_tools.bench.fleet_load import (
        faults,
        idle,
        large,
        memory,
        paint,
        queries,
        removal,
        throughput,
    )
    from host_tools.testing.servers import postgres_folder

    wanted = args.only or PARTS
    figures: dict[str, Any] = {"cores": os.cpu_count(), "load_before": os.getloadavg()[0]}
    have_postgres = postgres_folder() is not None
    if not have_postgres and set(wanted) & {"postgresql", "shared"}:
        raise BeckonError("PostgreSQL is not here: apt install postgresql, or name other parts "
                          "with --only")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="beckon-fleet-") as folder:
        work = Path(folder)
        for kind, rate in (("sqlite", args.sqlite_rate), ("postgresql", args.postgresql_rate)):
            if kind in wanted:
                say(f"{kind}: {args.devices} devices, {rate:g} events per second")
                figures[kind] = throughput.run(work, kind, args.devices, rate, args.seconds, 1)
        if "shared" in wanted:
            say("two collectors")
            figures["shared"] = throughput.run(work, "postgresql", args.devices,
                                               args.postgresql_rate, args.seconds, 2)  # fmt: skip
        if "faults" in wanted:
            figures["faults"] = faults.run(work, args.faults, say, have_postgres)
        if "idle" in wanted:
            say(f"{args.idle_devices} devices")
            figures["idle"] = idle.run(work, args.idle_devices, args.idle_seconds)
            figures["devices"] = figures["idle"]["devices"]
        reads = {"queries": lambda store, now_ms: queries.measure(store, now_ms),
                 "paint": lambda store, now_ms: paint.measure(store)}  # fmt: skip
        asked = [part for part in reads if part in wanted]
        for kind, store, now_ms in (large.stores(work, args.events, say, have_postgres)
                                    if asked else ()):  # fmt: skip
            for part in asked:
                say(f"{part}, {kind}")
                figures.setdefault(part, {})[kind] = reads[part](store, now_ms)
        for part in asked:
            figures[f"{part}_ms_max"] = max(one["ms_max"] for one in figures[part].values())
        if "memory" in wanted:
            say("memory of a collector")
            figures["memory"] = memory.run(work, args.memory_events)
        if "removal" in wanted:
            say(f"removing {args.removal_events} events, sqlite")
            figures["removal"] = removal.run(work, args.removal_events)
    both = [figures[kind] for kind in ("sqlite", "postgresql") if kind in figures]
    if both:
        figures["stored_ms_p95"] = max(one["stored_ms_p95"] for one in both)
    sizes = figures.get("queries") or {k: figures[k] for k in ("sqlite", "postgresql")
                                       if k in figures}  # fmt: skip
    if sizes:
        figures["bytes_per_event"] = {kind: one["bytes_per_event"] for kind, one in sizes.items()}
    return figures


def summary(figures: dict[str, Any]) -> str:
    lines = [f"{figures['cores']} cores, load {figures['load_before']:.1f} before"]
    for kind in ("sqlite", "postgresql", "shared"):
        if kind in figures:
            f = figures[kind]
            lines.append(
                f"{kind}: {f['events_per_s']:.0f} events per second stored, 95 % within "
                f"{f['stored_ms_p95']} ms, {f['lost']} lost, {f['repeated']} stored twice, cpu "
                + ", ".join(f"{name} {share:.2f}" for name, share in f["cpu"].items()))  # fmt: skip
    if "faults" in figures:
        f = figures["faults"]
        lines.append(f"faults: {f['count']}, {f['acked']} events acknowledged, {f['lost']} lost, "
                     f"{f['repeated']} stored twice")  # fmt: skip
    if "idle" in figures:
        f = figures["idle"]
        lines.append(f"idle: {f['devices']} devices for {f['seconds']:.0f} s, {f['lost']} of "
                     f"{f['acked']} events lost, {f['broker_bytes_per_connection']} bytes of the "
                     "broker per connection")  # fmt: skip
    for kind, f in figures.get("queries", {}).items():
        lines.append(f"queries, {kind}, {f['events']} events: {f['ms_max']:.0f} ms at most, "
                     f"{f['bytes_per_event']:.0f} bytes per event")  # fmt: skip
    for kind, f in figures.get("paint", {}).items():
        lines.append(f"paint, {kind}: {f['ms_median']:.0f} ms (median), {f['ms_max']:.0f} ms at "
                     "most to the first paint of a page")  # fmt: skip
    if "memory" in figures:
        f = figures["memory"]
        lines.append(f"memory of a collector: {f['mib_early']:.0f} MiB after {f['events_early']} "
                     f"events, {f['mib_late']:.0f} MiB after {f['events_late']}")  # fmt: skip
    if "removal" in figures:
        f = figures["removal"]
        alone, beside = f["batch_ms_alone"], f["batch_ms_beside"]
        lines.append(
            f"removal, sqlite: {f['events']} events in {f['seconds']:.1f} s; a batch took "
            f"{beside['median']} ms (median), {beside['p95']} (95 %) and {beside['max']} (most) "
            f"meanwhile, {alone['median']}, {alone['p95']} and {alone['max']} without")
    return "\n".join(lines)
