"""A function in a process of its own, with progress and a result; it can be stopped at any time.

    child = ChildProcess(train_and_judge, choice)
    for report in child.news(): ...  # what the function has reported since
    child.state                      # running, done, failed, stopped
    child.stop()

The child calls function(report, *arguments). What it reports and returns must pickle. The child
leads its own process group, so that its own helpers end with it. It also ends when this process
ends, however that happens. It writes no file: a result comes back here or not at all.
"""
from __future__ import annotations

import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Any

from host_tools.errors import BeckonError, Sentence

_SIZE = struct.Struct("<Q")
_END_TIMEOUT_S = 5.0


class ChildProcess:
    """One run. result: what the function returned, once state is done; fault: why it failed."""

    def __init__(self, function: Callable[..., Any], *arguments: Any):
        self.state = "running"
        self.result: Any = None
        self.fault = ""
        self._news: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._stopped = False
        self._stderr = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "host_tools.studio.frame.child_process"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self._stderr, start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert self._process.stdin
        _write(self._process.stdin, (function, arguments))
        self._thread = threading.Thread(target=self._listen, name="child-process", daemon=True)
        self._thread.start()

    def news(self) -> list[Any]:
        """What the function reported since the last call."""
        found = []
        while True:
            try:
                found.append(self._news.get_nowait())
            except queue.Empty:
                return found

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended within timeout_s."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End it and all that it started. Waits; does nothing when it has ended."""
        if self.state == "running":
            self._stopped = True
        _kill_group(self._process.pid, self._process)
        self._thread.join(_END_TIMEOUT_S)

    def _listen(self) -> None:
        stdout = self._process.stdout
        assert stdout
        kind, value = "", None
        try:
            while True:
                kind, value = _read(stdout)
                if kind != "news":
                    break
                self._news.put(value)
        except (EOFError, OSError, pickle.UnpicklingError):
            kind = ""
        _kill_group(self._process.pid, self._process)
        self._finish(kind, value)

    def _finish(self, kind: str, value: Any) -> None:
        if kind == "result":
            self.result, self.state = value, "done"
        elif self._stopped:
            self.state = "stopped"
        else:
            self.fault = value if kind == "fault" else self._last_words()
            self.state = "failed"
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                if pipe:
                    pipe.close()
            except OSError:
                pass  # the child ended before it had read everything
        self._stderr.close()

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        if not lines:
            return Sentence("it ended unexpectedly and printed nothing")
        return Sentence("it ended unexpectedly: {line}", line=lines[-1])


def _kill_group(group: int, process: subprocess.Popen[bytes]) -> None:
    """Kill the group. If its leader has been waited for, the number may be another group's."""
    if process.returncode is None:
        try:
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def _write(pipe: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value)
    try:
        pipe.write(_SIZE.pack(len(data)) + data)
        pipe.flush()
    except BrokenPipeError:
        pass  # the other end has gone; the reader notices


def _read(pipe: IO[bytes]) -> Any:
    head = pipe.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    (size,) = _SIZE.unpack(head)
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)  # from our own child


def _end_with_parent(stdin: IO[bytes]) -> None:
    stdin.read()
    if sys.platform == "win32":
        os._exit(1)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """The child: one call of the function that comes on standard input."""
    stdin = os.fdopen(os.dup(0), "rb")
    stdout = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # prints of libraries must not come between the values
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    function, arguments = _read(stdin)
    threading.Thread(target=_end_with_parent, args=(stdin,), daemon=True).start()
    lock = threading.Lock()

    def send(kind: str, value: Any) -> None:
        with lock:
            _write(stdout, (kind, value))

    try:
        result = function(lambda value: send("news", value), *arguments)
    except BeckonError as error:
        send("fault", str(error))
    except MemoryError:
        send("fault", Sentence("there is not enough memory for this data set; use fewer "
                               "recordings"))
    except OSError as error:
        send("fault", Sentence("{path}: {reason}", path=error.filename or Sentence("a file"),
                               reason=error.strerror or error))
    else:
        send("result", result)


if __name__ == "__main__":
    main()
