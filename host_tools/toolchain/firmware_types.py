"""Check the firmware against the type stubs of MicroPython for the ESP32.

The firmware carries no annotations, so mypy's opinion on types that it guessed is
noise. What counts: a module, a name or an attribute that the board does not have,
and a call whose arguments do not fit. Thus a CPython-only call never gets on a board.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

from host_tools.errors import BeckonError
from host_tools.paths import FIRMWARE
from host_tools.toolchain.cache import cache_folder
from host_tools.toolchain.stubs import stubs_folder

_TELLING = ("import-not-found", "name-defined", "call-arg", "call-overload", "syntax")
_LINE = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.*)  \[(?P<code>[\w-]+)\]$")


def type_faults() -> list[str]:
    """One line a fault: `firmware/file.py:12: text`. Raises BeckonError if mypy cannot run."""
    stubs = stubs_folder()
    command = [sys.executable, "-m", "mypy", "--config-file", os.devnull, "--no-error-summary",
               "--cache-dir", str(cache_folder() / "mypy-firmware"), "--custom-typeshed-dir",
               str(stubs), "--explicit-package-bases", "--check-untyped-defs", "."]
    done = subprocess.run(command, cwd=FIRMWARE, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=300, env={**os.environ, "MYPYPATH": f"{stubs}:lib:."})
    if done.returncode not in (0, 1):
        raise BeckonError(f"mypy cannot check the firmware: {done.stdout}{done.stderr}")
    return list(telling(done.stdout))


def telling(report: str) -> Iterator[str]:
    """The lines of mypy's report that count."""
    for line in report.splitlines():
        found = _LINE.match(line)
        if not found or found["file"].startswith(("/", "..")):  # notes; the stubs themselves
            continue
        of_module = found["code"] == "attr-defined" and found["text"].startswith("Module has no")
        if found["code"] in _TELLING or of_module:
            yield f"firmware/{found['file']}:{found['line']}: {found['text']}"
