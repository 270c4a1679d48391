"""Faults under load: is every event that the broker acknowledged stored exactly once?

kill: the collector, with SIGKILL. database: PostgreSQL is stopped and started. broker: mosquitto
is stopped and started, with what it saved. disk: SQLite's file system is full for a while.
"""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from host_tools.bench.fleet_load.rig import Rig, check, rig, wait_stored
from host_tools.fleet.simulate import Plan, simulate

_PAUSE_S = 1.0  # between faults
_FULL_S = 1.0
_RATE = 200.0
_DEVICES = 50
_DISK_MIB = 48
_DRAIN_S = 120.0


def run(work: Path, number: int, say: Callable[[str], None], have_postgres: bool) -> dict[str, Any]:
    """number: of faults of each kind."""
    parts: dict[str, dict[str, int]] = {}
    kinds = (("kill", "database", "broker") if have_postgres else ("kill", "broker"))
    kind = "postgresql" if have_postgres else "sqlite"
    for name in kinds:
        say(f"faults: {name}, {number} times")
        with rig(work, kind, 1) as parts_of:
            parts[name] = _under_load(parts_of, name, number, None)
    with _small_disk(work) as disk:
        if disk:
            say(f"faults: disk full, {number} times")
            with rig(work, "sqlite", 1, str(disk / "store.db")) as parts_of:
                parts["disk"] = _under_load(parts_of, "disk", number, disk)
    return {
        **{key: sum(part[key] for part in parts.values())
           for key in ("count", "acked", "lost", "repeated")},
        "kinds": parts, "database": kind,
    }  # fmt: skip


def _under_load(parts: Rig, name: str, number: int, disk: Path | None) -> dict[str, int]:
    done = threading.Event()
    counted = [0]
    faults: list[BaseException] = []

    def disturb() -> None:
        try:
            for _ in range(number):
                time.sleep(_PAUSE_S)
                _fault(parts, name, disk)
                counted[0] += 1
        except BaseException as fault:  # of the bench itself: shown, not swallowed
            faults.append(fault)
        finally:
            done.set()

    chaos = threading.Thread(target=disturb)
    chaos.start()
    totals = simulate(parts.broker.address,
                      Plan(_DEVICES, _RATE, 0.0, burst=5, settle_s=60.0, prefix=name,
                           until=done.is_set))  # fmt: skip
    chaos.join()
    if faults:
        raise faults[0]
    wait_stored(parts.store, totals, _DRAIN_S)
    found = check(parts.store, totals)
    said = sum("does not take anything" in line for c in parts.collectors for line in c.lines)
    return {"count": counted[0], "acked": totals.acked_events, "stored": found.stored,
            "lost": found.lost, "repeated": found.repeated, "noticed": said}  # fmt: skip


def _fault(parts: Rig, name: str, disk: Path | None) -> None:
    if name == "kill":
        parts.collectors[0].stop(kill=True)
        parts.collectors[0].start()
    elif name == "database":
        assert parts.postgres
        parts.postgres.stop()
        time.sleep(0.2)
        parts.postgres.start()
    elif name == "broker":
        parts.broker.stop()
        time.sleep(0.2)
        parts.broker.start()
    else:
        assert disk
        ballast = disk / "ballast"
        with contextlib.suppress(OSError), open(ballast, "wb", 0) as file:
            while True:  # until there is not one block left
                file.write(bytes(4096))
        time.sleep(_FULL_S)
        ballast.unlink()


@contextlib.contextmanager
def _small_disk(work: Path) -> Iterator[Path | None]:
    """A file system of a few MiB in memory; None where it cannot be mounted."""
    folder = work / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MIB}m", "beckon-bench", str(folder)]
    if os.geteuid() or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
