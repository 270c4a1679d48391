"""The network's inference and learning against C and objects: time, memory, instructions.

All variants of a network run turn about, as separate processes; times are medians. What runs
often in a turn does so in three laps, the best of which counts, so that other programs disturb
little. What runs once a turn meets caches that the others have filled.

  engine   the integer engine, 8-bit form; fast: its 6-bit form. Both as on a board: compiled
           by mpy-cross; "source" is what MicroPython itself makes of the file
  c        the same network with int8 in C, gcc -O2 -fno-tree-vectorize (bench/inference.c)
  objects  Predict of a net of microMLP.py that was wired by hand; predict: of a fully
           connected one. objects_learn, learn: the same of Learn
  connections, connections_learn  a net with an object for each neuron and connection, as in
           MicroMLP's own code (bench/objects.py)

Without gcc the C columns are empty. Instructions are counted on an emulated 32-bit core
(on Debian; fetched into .cache) or by valgrind, less those of calling an empty method.

example:
  beckon bench inference --json
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.paths import BENCH, FIRMWARE

NETS = ((300, 16, 4), (126, 16, 4), (300, 32, 16, 5), (600, 24, 8))
_NETWORKS = ("objects", "connections", "predict", "objects_learn", "connections_learn", "learn")
_ROUND_US = 1500  # a variant's turn
_LAPS = 3
# An ESP32 needs 1.3 to 1.6 cycles for an instruction of such code (docs/microMLP.md).
_CYCLES = (1.3, 1.6)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=61, metavar="N", help="turns of each variant")
    parser.add_argument("--no-count", action="store_true", help="count no instructions")


def measure(args: argparse.Namespace, note: Callable[[str], None]) -> dict[str, Any]:
    if args.rounds < 1:
        raise BeckonError("--rounds must be at least 1", status=2)
    with tempfile.TemporaryDirectory(prefix="beckon-bench-") as name:
        folder = Path(name)
        mpy = _compiled(folder)
        models = {sizes: _models(folder, sizes) for sizes in NETS}
        big = _big_model(folder)
        c_program = _c_program(folder, note)
        figures = {}
        for sizes in NETS:
            key = "-".join(map(str, sizes))
            note(key)
            figures[key] = _measure_net(sizes, models[sizes], big, mpy, c_program, args.rounds)
        if not args.no_count:
            _add_counts(figures, [path for pair in models.values() for path in pair], mpy, note)
        for one in figures.values():
            _add_estimates(one)
    return figures


def summary(figures: dict[str, Any]) -> str:
    def show(value: float | None, form: str = "{:.2f}") -> str:
        return "-" if value is None else form.format(value)

    lines = []
    for key, f in figures.items():
        at_240 = f["esp32_estimate_us"]["240 MHz"]
        lines += [
            f"[{key}]  {f['macs']} multiplications",
            "  C int8 -O2        "
            + (f"{f['c_us']:.2f} us" if f["c_us"] else "no gcc here: nothing to compare with"),
            f"  engine            {show(f['engine_us'])} us, {show(f['engine_over_c'])} of C;"
            f" from source {show(f['engine_source_us'])} us",
            f"  engine, 6 bits    {show(f['fast_us'])} us, {show(f['fast_over_c'])} of C;"
            f" from source {show(f['fast_source_us'])} us",
            f"  wired by hand     {show(f['objects_us'], '{:.0f}')} us,"
            f" {show(f['objects_over_engine'], '{:.0f}')} times the engine;"
            f" an object a connection {show(f['connections_us'], '{:.0f}')} us,"
            f" {show(f['connections_over_engine'], '{:.0f}')} times",
            f"  Predict           {show(f['predict_us'], '{:.0f}')} us; wired by hand"
            f" {show(f['objects_over_predict'], '{:.1f}')} times, an object a connection"
            f" {show(f['connections_over_predict'], '{:.1f}')} times",
            f"  Learn             {show(f['learn_us'], '{:.0f}')} us; wired by hand"
            f" {show(f['objects_over_learn'], '{:.1f}')} times, an object a connection"
            f" {show(f['connections_over_learn'], '{:.1f}')} times",
            f"  memory            {f['ram_bytes']} bytes ({f['fast_ram_bytes']} with 6 bits),"
            f" {f['alloc_bytes']} allocated an inference",
            f"  instructions      {show(f['instructions_per_mac'])} a multiplication,"
            f" {show(f['fast_instructions_per_mac'])} with 6 bits"
            f" ({f['counted_on'] or 'no counter'})",
            f"  ESP32, estimated  {show(at_240[0], '{:.0f}')} to {show(at_240[1], '{:.0f}')} us"
            " at 240 MHz",
        ]
    first = next(iter(figures.values()))
    lines.append(f"loading and checking a model of {first['load_bytes']} bytes:"
                 f" {first['load_ms']:.2f} ms")
    return "\n".join(lines)


class _Variant:
    """A process that runs the variant N times when asked, and says how long that took."""

    def __init__(self, command: Sequence[str], unit_us: float, path: str = ""):
        self._unit_us = unit_us
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
            text=True, env={**os.environ, "MICROPYPATH": path},
        )  # fmt: skip
        self._count = 1
        self.times_us: list[float] = []

    def ask(self, line: str) -> str:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except OSError:
            answer = ""
        if not answer:
            self._log.seek(0)
            said = self._log.read().strip().splitlines() or ["it said nothing"]
            raise BeckonError(f"a variant of the benchmark ended: {said[-1]}")
        return answer.strip()

    def run(self) -> None:
        """One turn."""
        laps = _LAPS if self._count >= 10 * _LAPS else 1
        count = self._count // laps
        best = min(float(self.ask(str(count))) for _ in range(laps))
        self.times_us.append(best * self._unit_us / count)

    def settle(self) -> None:
        """Find out how often it runs in a turn."""
        for _ in range(3):
            self.run()
            self._count = max(1, round(_ROUND_US / max(min(self.times_us), 0.01)))
        self.times_us.clear()

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()


def _measure_net(
    sizes: tuple[int, ...],
    models: tuple[Path, Path],
    big: Path,
    mpy: Path,
    c_program: Path | None,
    rounds: int,
) -> dict[str, Any]:
    from host_tools.toolchain import micropython_command

    numbers = [str(n) for n in sizes]
    compiled, source = f"{mpy}:{BENCH}:.frozen", f"{FIRMWARE / 'lib'}:.frozen"
    board = [*micropython_command(), "-X", "heapsize=32M", str(BENCH / "inference.py")]
    with ExitStack() as stack:

        def start(command: list[str], unit_us: float = 1, path: str = compiled) -> _Variant:
            made = _Variant(command, unit_us, path)
            stack.callback(made.stop)
            return made

        variants = {
            "engine": start([*board, "engine", str(models[0])]),
            "fast": start([*board, "engine", str(models[1])]),
            "engine_source": start([*board, "engine", str(models[0])], path=source),
            "fast_source": start([*board, "engine", str(models[1])], path=source),
        }
        for kind in _NETWORKS:
            variants[kind] = start([*board, kind, *numbers])
        if c_program:
            variants["c"] = start([str(c_program), *numbers], 1e-3)
        for variant in variants.values():
            variant.settle()
        for _ in range(rounds):
            for variant in variants.values():
                variant.run()
        us = {k: round(statistics.median(v.times_us), 3) for k, v in variants.items()}
        ram, alloc = map(int, variants["engine"].ask("about").split())
        fast_ram, fast_alloc = map(int, variants["fast"].ask("about").split())
        loads = [float(variants["engine"].ask(f"load {big} 5")) / 5000 for _ in range(11)]
    c_us = us.get("c")
    macs = sum(a * b for a, b in zip(sizes, sizes[1:], strict=False))
    return {
        "macs": macs,
        "c_us": c_us,
        **{f"{k}_us": v for k, v in us.items() if k != "c"},
        "engine_over_c": _ratio(us["engine"], c_us),
        "fast_over_c": _ratio(us["fast"], c_us),
        "engine_source_over_c": _ratio(us["engine_source"], c_us),
        "fast_source_over_c": _ratio(us["fast_source"], c_us),
        "objects_over_engine": _ratio(us["objects"], us["engine"]),
        "objects_over_predict": _ratio(us["objects"], us["predict"]),
        "objects_over_learn": _ratio(us["objects_learn"], us["learn"]),
        "connections_over_engine": _ratio(us["connections"], us["engine"]),
        "connections_over_predict": _ratio(us["connections"], us["predict"]),
        "connections_over_learn": _ratio(us["connections_learn"], us["learn"]),
        "ram_bytes": ram,
        "fast_ram_bytes": fast_ram,
        "alloc_bytes": max(alloc, fast_alloc),
        "load_bytes": big.stat().st_size,
        "load_ms": round(statistics.median(loads), 3),
        "instructions_per_mac": None,
        "fast_instructions_per_mac": None,
        "counted_on": None,
    }


def _ratio(a: float, b: float | None) -> float | None:
    return None if not b else round(a / b, 3)


def _compiled(folder: Path) -> Path:
    """A folder with the engine and MicroMLP's interface, compiled for this computer."""
    from host_tools.device.image import unix_arch
    from host_tools.toolchain import compile_mpy

    mpy = folder / "mpy"
    mpy.mkdir()
    for name in ("microMLP_engine", "microMLP_loader", "microMLP"):
        compile_mpy(FIRMWARE / "lib" / f"{name}.py", unix_arch(), mpy / f"{name}.mpy")
    return mpy


def _c_program(folder: Path, note: Callable[[str], None]) -> Path | None:
    if not shutil.which("gcc"):
        note("there is no gcc here, so nothing is compared with C")
        return None
    program = folder / "inference"
    done = subprocess.run(
        ["gcc", "-O2", "-fno-tree-vectorize", "-o", str(program), str(BENCH / "inference.c")],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise BeckonError(f"gcc cannot compile bench/inference.c: {done.stderr.strip()[-200:]}")
    return program


def _models(folder: Path, sizes: tuple[int, ...]) -> tuple[Path, Path]:
    """A random network of these sizes as model files, 8-bit and 6-bit."""
    import numpy as np

    from host_tools.model.format import Axis, FrontEnd
    from host_tools.model.golden import write_model
    from host_tools.model.quantize import FloatLayer, quantise
    from host_tools.model.reference import features

    rng = np.random.default_rng(1)
    front_end = FrontEnd(50, 4, 500, tuple(Axis(i) for i in range(6)), 1, sizes[0] // 6, 10)
    walk = np.cumsum(rng.normal(0, 800, (4000, 6)), axis=0)
    values = features(front_end, ((walk + 10000) % 20000 - 10000).astype(np.int16)).values
    layers = [
        FloatLayer(rng.normal(0, 1.5 / n**0.5, (m, n)), rng.normal(0, 0.1, m), activation="relu")
        for n, m in zip(sizes, sizes[1:], strict=False)
    ]
    layers[-1] = FloatLayer(layers[-1].weights, layers[-1].bias)
    labels = [f"class {i}" for i in range(sizes[-1])]
    paths = []
    for fast in (False, True):
        path = folder / f"{'-'.join(map(str, sizes))}{'-fast' if fast else ''}.mlp"
        write_model(path, quantise(layers, front_end, labels, 0, values, fast=fast))
        paths.append(path)
    return paths[0], paths[1]


def _big_model(folder: Path) -> Path:
    """A model of the greatest allowed size, give or take a hundred bytes."""
    return _models(folder, (600, 30, 28, 8))[0]


def _add_counts(
    figures: dict[str, Any], models: list[Path], mpy: Path, note: Callable[[str], None]
) -> None:
    from host_tools.bench.counting import count

    try:
        where, counts = count(models, mpy, note)
    except BeckonError as error:
        note(f"no instructions are counted: {error}")
        return
    for i, one in enumerate(figures.values()):
        one["instructions"], one["fast_instructions"] = map(round, counts[2 * i : 2 * i + 2])
        one["instructions_per_mac"] = round(counts[2 * i] / one["macs"], 2)
        one["fast_instructions_per_mac"] = round(counts[2 * i + 1] / one["macs"], 2)
        one["counted_on"] = where


def _add_estimates(one: dict[str, Any]) -> None:
    """Microseconds on an ESP32, least and most, for either form. Estimates, not measured."""
    for key, count in (
        ("esp32_estimate_us", one.get("instructions") or 10 * one["macs"]),
        ("esp32_fast_estimate_us", one.get("fast_instructions") or 6.5 * one["macs"]),
    ):
        one[key] = {
            f"{mhz} MHz": [round(count * cycles / mhz) for cycles in _CYCLES] for mhz in (160, 240)
        }
