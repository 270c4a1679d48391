"""Run the whole test suite: linters, type checks and pytest.

Other arguments go to pytest; with any of them only pytest runs.

examples:
  ./beckon test
  ./beckon test --soak
  ./beckon test tests/test_cli.py -k version
  ./beckon test --mutants ring_buffer
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from host_tools.cli.app import provide
from host_tools.errors import BeckonError
from host_tools.paths import REPOSITORY
from host_tools.toolchain import activity, micropython_command, mosquitto_command, umqtt_folder
from host_tools.toolchain.browser import browser_command
from host_tools.toolchain.cache import cache_folder
from host_tools.toolchain.firmware_types import type_faults
from host_tools.toolchain.stubs import stubs_folder
from host_tools.toolchain.webassembly import node_missing, webassembly_folder

PASS_ON = True

_CHECK_TIMEOUT_S = 900  # beside the tests, on a slow machine
# What runs on Unix alone: the simulated board, and what measures or tests with it.
_UNIX_ONLY = (
    r"host_tools/(bench|testing|simulator/(i2c_server|serial_board|pretend))|standins|on_board"
)
# Many tests wait for a board or a broker, so two workers share a core. A file's tests share
# one board: one worker takes them.
_ALL_CORES = ["-n", str(2 * (os.cpu_count() or 1)), "--dist", "loadfile",
              "--no-loadscope-reorder"]


@dataclass
class Check:
    """What one tool said; faults is empty when all is well."""

    name: str
    faults: str


def add_arguments(parser):
    parser.add_argument("--soak", action="store_true",
                        help="also run the tests that take minutes")
    parser.add_argument("--mutants", action="store_true",
                        help="change modules in one place at a time and see whether their tests "
                             "notice; the arguments are parts of the modules' paths")


def run(args) -> int:
    with ThreadPoolExecutor(1) as beside:  # a first run takes two thirds of the time so
        fetched = beside.submit(_fetch)
        provide("test")  # of pyproject.toml
        fetched.result()
    if args.mutants:
        return subprocess.run([sys.executable, "-m", "tests.mutation", *args.rest],
                              cwd=REPOSITORY, stdin=subprocess.DEVNULL).returncode
    command = [sys.executable, "-m", "pytest", "-q", *(["--soak"] if args.soak else []),
               *(args.rest or _ALL_CORES)]
    with ThreadPoolExecutor(1) as beside:  # most tests leave a core something to do
        checks = beside.submit(lambda: [] if args.rest else _checks())
        status = subprocess.run(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL,
                                env=_environment()).returncode
        failed = _reported(checks.result())
    if failed:
        print(f"beckon test: failed besides pytest: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed or status else 0


def _environment() -> dict[str, str]:
    """With byte-code, even where none is wanted beside the sources: pip has made none, and the
    tests start hundreds of Pythons. Studio's imports take 1.5 s of a processor with it, else 2.7 s.
    """
    env = dict(os.environ)
    if env.pop("PYTHONDONTWRITEBYTECODE", ""):
        env["PYTHONPYCACHEPREFIX"] = str(cache_folder() / "byte-code")
    return env


def _fetch() -> None:
    """What the tests need besides packages of Python. Raises BeckonError."""
    activity.display, display = _on_a_line, activity.display  # pip has the last line
    try:
        micropython_command(), umqtt_folder(), mosquitto_command(), stubs_folder()
        if not node_missing():  # the tests that need it skip without
            webassembly_folder()
        try:
            browser_command()
        except BeckonError as error:
            print(f"beckon test: the tests of Studio's pages are skipped: {error}",
                  file=sys.stderr)
    finally:
        activity.display = display


@contextlib.contextmanager
def _on_a_line(what: str) -> Iterator[None]:
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{clear}beckon: {what} ...", file=sys.stderr, flush=True)
    yield


def _checks() -> list[Check]:
    """What the linters found; one after the other, for they take a core each."""
    tools = {
        "ruff": ["-m", "ruff", "check", "--quiet", "--output-format", "concise"],
        "codespell": ["-m", "codespell_lib"],
        "mypy": ["-m", "mypy", "--no-error-summary", "--cache-dir", str(cache_folder() / "mypy")],
    }
    return [*(_tool(name, arguments) for name, arguments in tools.items()),
            *_other_systems(("win32", "darwin"), ["--exclude", _UNIX_ONLY]),
            Check("mypy firmware", "\n".join(type_faults()))]


def _other_systems(platforms: Iterable[str], options: list[str]) -> list[Check]:
    """What mypy finds for these systems and not for Linux.

    A system lacks parts of the standard library, so mypy reads no other package: that takes a
    fifth of the time. What mypy misses for that reason, it misses for Linux, too.
    """
    def lines(platform: str) -> list[str]:
        done = _run(["-m", "mypy", "--no-error-summary", "--platform", platform,
                     "--cache-dir", str(cache_folder() / f"mypy-{platform}"),
                     "--no-site-packages", "--ignore-missing-imports", "--no-warn-unused-ignores",
                     "--follow-imports", "silent", *options])  # fmt: skip
        if done.returncode not in (0, 1):  # it could not do its work
            return [f"mypy for {platform}: {done.stdout.rstrip()}"]
        return done.stdout.splitlines()

    known = set(lines("linux"))
    return [Check(f"mypy for {platform}", "\n".join(x for x in lines(platform) if x not in known))
            for platform in platforms]


def _reported(checks: list[Check]) -> list[str]:
    """Print what they found; returns the names of those that found something."""
    for check in checks:
        print(f"{check.name}: {'FAILED' if check.faults else 'ok'}")
        if check.faults:
            print(check.faults)
    return [check.name for check in checks if check.faults]


def _tool(name: str, arguments: list[str]) -> Check:
    done = _run(arguments)
    if done.returncode == 0:
        return Check(name, "")
    return Check(name, done.stdout.rstrip() or f"exit status {done.returncode}")


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=_CHECK_TIMEOUT_S)
