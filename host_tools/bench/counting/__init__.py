"""Instructions that MicroPython executes for an inference.

Best on an emulated 32-bit ARM core, since the board's is a 32-bit one, too, and since
its MicroPython compiles the source as a board would; else by callgrind on this
computer's own processor. Either counts `bench/counting.py`, which prints a mark, runs
a thing ten times, and so on; the marks are in the same stream as the instructions.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from host_tools.bench.counting.arm import arm_command
from host_tools.errors import BeckonError
from host_tools.paths import BENCH, FIRMWARE
from host_tools.toolchain import micropython_command

SCRIPT = BENCH / "counting.py"
_TIMES = 10
_TIMEOUT_S = 300


def count(models: list[Path], mpy: Path, note: Callable[[str], None]) -> tuple[str, list[float]]:
    """Where it was counted, and instructions an inference of each model.

    The cost of calling an empty method is taken off. mpy: folder with the compiled
    engine. Raises BeckonError where nothing can count.
    """
    try:
        note("counting instructions on an emulated ARM core")
        return "ARMv7, emulated", _emulated(models)
    except BeckonError as error:
        reason = str(error)
    if shutil.which("valgrind"):
        note("counting instructions with callgrind")
        return f"{os.uname().machine}, callgrind", _callgrind(models, mpy)
    raise BeckonError(f"{reason}, and there is no valgrind")


def _emulated(models: list[Path]) -> list[float]:
    """By the emulator's log: each block of code once, and a line each time one runs."""
    command, emulator = arm_command()
    command = [*emulator, "-d", "in_asm,exec,nochain", *command]
    return _traced(command, models, str(FIRMWARE / "lib"))


def _traced(command: list[str], models: list[Path], lib: str) -> list[float]:
    sizes: dict[bytes, int] = {}  # instructions of a block, by its address
    counts = [0]  # before the first mark, between the marks
    start = b""
    with subprocess.Popen(
        [*command, str(SCRIPT), str(_TIMES), *map(str, models)],
        env={**os.environ, "MICROPYPATH": f"{lib}:.frozen"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout
        try:
            for line in process.stdout:
                if line.startswith(b"MARK"):
                    counts.append(0)
                    line = line[4:]
                if line.startswith(b"Trace "):
                    if len(counts) > 1:
                        counts[-1] += sizes.get(line.split(b"/")[1].lstrip(b"0"), 0)
                elif line.startswith(b"0x"):
                    if not start:
                        start = line[2:10].lstrip(b"0")
                        sizes[start] = 0
                    sizes[start] += 1
                else:
                    start = b""
        finally:
            process.kill()
    # before, empty, between, model, between, model, ...
    if len(counts) != 2 * len(models) + 3:
        raise BeckonError("the emulated MicroPython stopped early")
    empty = counts[1]
    return [(n - empty) / _TIMES for n in counts[3::2]]


def _callgrind(models: list[Path], mpy: Path) -> list[float]:
    def total(number: int) -> int:
        """Instructions of the whole script when only one thing is run."""
        with tempfile.NamedTemporaryFile() as log:
            done = subprocess.run(
                ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                 f"--log-file={log.name}", *micropython_command(), str(SCRIPT), str(_TIMES),
                 *map(str, models), str(number)],
                env={**os.environ, "MICROPYPATH": f"{mpy}:.frozen"},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S,
            )  # fmt: skip
            lines = Path(log.name).read_text(encoding="utf-8").splitlines()
            found = [line for line in lines if "Collected" in line]
        if done.returncode or not found:
            raise BeckonError(f"callgrind cannot count here: {done.stderr.strip()[-200:]}")
        return int(found[0].split(":")[1])

    empty = total(0)
    return [(total(i + 1) - empty) / _TIMES for i in range(len(models))]
