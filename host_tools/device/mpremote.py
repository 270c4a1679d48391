"""mpremote, through its command line: its Python modules are not a documented interface."""

import os
import queue
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

from host_tools.device.console import Unplugged
from host_tools.device.ports import check_port, open_fault
from host_tools.errors import BeckonError


def mpremote(
    port: str,
    arguments: list[str],
    *,
    timeout_s: float = 60.0,
    resume: bool = False,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Run one mpremote with commands for the board on port; returns what it printed.

    resume: keep the board's state instead of soft-resetting it first. on_line: called
    with each line as it comes. timeout_s: since the last line. Raises BeckonError.
    """
    check_port(port)
    command = [sys.executable, "-m", "mpremote", "connect", port,
               *(["resume"] if resume else []), *arguments]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    assert process.stdout
    output = _Output(process.stdout)
    out = b""
    try:
        done = 0
        heard = time.monotonic()
        while True:
            chunk = output.read(0.05)
            if chunk is None:
                break
            if chunk:
                heard = time.monotonic()
                out += chunk
                if on_line and b"\n" in out[done:]:
                    whole, _, _ = out[done:].rpartition(b"\n")
                    done += len(whole) + 1
                    for line in whole.decode(errors="replace").splitlines():
                        on_line(line)
            elif time.monotonic() - heard > timeout_s:
                raise BeckonError("the board on {port} stopped answering; press its reset button "
                                  "and try again", port=port)
        status = process.wait(10)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
    text = out.decode(errors="replace").replace("\r\n", "\n")
    if status:
        raise explain(port, text)
    return text


class _Output:
    """What a process prints, read by a thread: not every system can wait for a pipe."""

    def __init__(self, pipe: IO[bytes]):
        self._pipe = pipe
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="mpremote-output", daemon=True).start()

    def _run(self) -> None:
        chunk = b"?"
        while chunk:
            try:
                chunk = os.read(self._pipe.fileno(), 65536)
            except (OSError, ValueError):  # closed
                chunk = b""
            self._chunks.put(chunk)

    def read(self, timeout_s: float) -> bytes | None:
        """What was printed, b"" when nothing came in time, None at its end."""
        try:
            return self._chunks.get(timeout=timeout_s) or None
        except queue.Empty:
            return b""


def remove_line(port: str) -> str:
    """The command that removes a file from the board on port; mpremote is not on the PATH."""
    return f"{shlex.join([sys.executable, '-m', 'mpremote', 'connect', port, 'rm'])} :FILE"


def explain(port: str, text: str) -> BeckonError:
    """The error for what a failing mpremote printed."""
    if "ENOSPC" in text or re.search(r"OSError: (\[Errno )?28\b", text) or "No space left" in text:
        return BeckonError("the flash of the board on {port} is full; remove files of your own "
                           "with {remove}, then deploy again", port=port, remove=remove_line(port))
    if "could not enter raw repl" in text or "timeout waiting" in text:
        return BeckonError("the board on {port} stopped listening in the middle (mpremote: could "
                           "not enter raw repl); try again, or try another cable", port=port)
    if "device disconnected" in text or "Input/output error" in text or "Errno 5" in text:
        return Unplugged("the board on {port} went away; check cable and plug, then try again",
                         port=port)
    if "failed to access" in text or "in use by another" in text:
        check_port(port)
        return open_fault(port, OSError(16, "busy"))
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if "MemoryError" in text:
        return BeckonError("the board on {port} ran out of memory; press its reset button and try "
                           "again", port=port)
    if re.search(r'File ".*mpremote.*\.py", line', text):  # it stumbled over what it was sent
        return BeckonError("what comes from {port} is damaged; try again, with another cable or "
                           "USB port if it happens again", port=port)
    last = lines[-1].strip() if lines else "nothing"
    return BeckonError("mpremote failed on {port}: {last}", port=port, last=last)
