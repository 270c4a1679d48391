"""Start a command as on a system that is not Unix: nothing of ours finds what only Unix has.

    python -m tests.without_unix train data/gestures --out x.mlp

Modules of host_tools get an ImportError for the modules in UNIX_MODULES, and an AttributeError
for the names in UNIX_NAMES. Libraries go on working: pyserial and asyncio chose their Unix
halves when this Python was built. So this shows what our own code uses, and no more.
"""

import builtins
import importlib
import sys
import types

UNIX_MODULES = frozenset(["fcntl", "pty", "termios", "tty", "resource", "pwd", "grp", "curses",
                          "readline", "posix", "syslog"])  # fmt: skip
UNIX_NAMES = {
    "os": frozenset("""fork forkpty killpg mkfifo openpty ttyname geteuid getuid setsid getpgid
        getpgrp setpgid uname sysconf statvfs sched_getaffinity getloadavg nice chown chroot
        O_NONBLOCK O_DIRECTORY O_NOFOLLOW O_CLOEXEC wait waitid WNOHANG setpriority pread pwrite
        getgrouplist ctermid""".split()),
    "signal": frozenset("""SIGHUP SIGKILL SIGPIPE SIGALRM SIGUSR1 SIGUSR2 SIGCHLD SIGSTOP SIGCONT
        alarm pause setitimer pthread_kill sigwait""".split()),
    "socket": frozenset(["AF_UNIX", "socketpair"]),
    "select": frozenset(["poll", "epoll"]),
    "time": frozenset(["pthread_getcpuclockid", "tzset"]),
}  # fmt: skip


class _Without(types.ModuleType):
    def __init__(self, real):
        super().__init__(real.__name__)
        self.__dict__["_real"] = real

    def __getattr__(self, name):
        if name in UNIX_NAMES[self._real.__name__]:
            raise AttributeError(f"module {self._real.__name__!r} has no attribute {name!r}")
        return getattr(self._real, name)

    def __setattr__(self, name, value):
        setattr(self._real, name, value)


def hide():
    """From now on host_tools imports as on a system without them."""
    real_import = builtins.__import__
    stand_ins = {name: _Without(importlib.import_module(name)) for name in UNIX_NAMES}

    def imported(name, globals=None, locals=None, fromlist=(), level=0):
        ours = str((globals or {}).get("__name__", "")).startswith("host_tools")
        if ours and not level:
            if name in UNIX_MODULES:
                raise ModuleNotFoundError(f"No module named {name!r} here", name=name)
            if name in stand_ins:
                return stand_ins[name]
        return real_import(name, globals, locals, fromlist, level)

    builtins.__import__ = imported


if __name__ == "__main__":
    hide()
    from host_tools.cli import app

    app.provide = lambda extra: None  # this environment has what the tests need
    sys.exit(app.main(sys.argv[1:]))
