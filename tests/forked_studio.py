"""Studio in a process that is forked from one which has imported it already.

    with ForkedStudio(folder) as studio, open_tab(browser, studio) as tab: ...

Everything but the imports is as with the command: its own process, pipes, environment and
folder. A start takes 0.2 s of a processor instead of 2 s. Studio itself, the base class, starts
the command; test_studio_frame, test_studio_lost and the tests of the phone keep to it.
"""

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.reduction import DupFd

from host_tools.testing.browser import Studio

_IMPORTED = ["host_tools.cli.studio", "host_tools.studio.app", "host_tools.studio.frame.access"]


class ForkedStudio(Studio):
    def _start(self, command, arguments, home):
        if sys.platform == "win32":  # which does not fork
            return super()._start(command, arguments, home)
        return _Forked(command, arguments, home)


class _Forked:
    """As much of subprocess.Popen as Studio needs."""

    def __init__(self, command, arguments, home):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_IMPORTED)
        (out, child_out), (err, child_err) = os.pipe(), os.pipe()
        self._process = _started(context, command, arguments, home, child_out, child_err)
        self.stdout, self.stderr = os.fdopen(out), os.fdopen(err)
        self.pid = self._process.pid

    def poll(self):
        return self._process.exitcode

    def wait(self, timeout_s=None):
        self._process.join(timeout_s)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("studio", timeout_s)
        return self._process.exitcode

    def terminate(self):
        self._process.terminate()

    def kill(self):
        self._process.kill()


def _started(context, command, arguments, home, out, err):
    try:
        process = context.Process(target=_run, args=(
            command, arguments, os.fspath(home), dict(os.environ), _Pipe(out), _Pipe(err)))
        process.start()
        return process
    finally:
        os.close(out)
        os.close(err)


class _Pipe:
    """An open file that goes along to the child; it can be wrapped only while that starts."""

    def __init__(self, fd):
        self._fd = fd

    def __reduce__(self):
        return _same, (DupFd(self._fd),)


def _same(wrapped):
    return wrapped.detach()


def _run(command, arguments, home, environment, out, err):
    """In the child."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(home)
    sys.argv = ["-c", *arguments]
    exec(command, {"__name__": "__main__"})
