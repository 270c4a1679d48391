"""Judge mutants in one warm process: a plug-in that takes the place of pytest's test loop.

    python -m tests.mutation.worker JOB      (in a copy of the repository; JOB is JSON)

pytest collects the tests of a module once. Then each mutant gets a fork, in which only
the code of the changed function is exchanged, and only the tests that run the changed
lines are run, the quick ones first; if they all pass, so must the others. A mutant
outside of functions gets a process of its own, as what it changes was evaluated when
the module was imported. The results are lines of JSON on a file descriptor.
"""
from __future__ import annotations

import gc
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import pytest

from host_tools.toolchain import micropython_command
from tests.mutation.mutants import Mutant, mutants, walk

KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"

_CPU_FACTOR, _CPU_LEAST_S = 4, 2  # over the unmutated run
_WALL_FACTOR, _WALL_LEAST_S = 100, 120  # a busy computer must not kill a mutant
_MEMORY_BYTES = 3 << 30  # a loop that appends without end stops here
_PASSED, _FAILED = 0, 1
# A base folder of its own is emptied by each run; the usual ones would pile up.
_OPTIONS = ["-q", "-p", "no:cacheprovider", "--basetemp", "../pytest"]


class Worker:
    """job: module and tests (paths below the copy), both (run these on MicroPython, too),
    seed, most, only (lines as shown), results (a file descriptor), and least times for tests
    of the tool itself."""

    def __init__(self, job: dict):
        self.job = job
        self.path = Path(job["module"]).resolve()
        self.source = self.path.read_bytes()
        self.cpu_least_s = job.get("cpu_least_s", _CPU_LEAST_S)
        self.wall_least_s = job.get("wall_least_s", _WALL_LEAST_S)
        self.written = 0

    # -- pytest's hooks ------------------------------------------------------------------

    def pytest_runtestloop(self, session):
        with os.fdopen(self.job["results"], "w") as self.results:
            self._judge_all(session)
        return True

    def _judge_all(self, session) -> None:
        """Say what there is, then a line per mutant, then that this was all."""
        if session.testsfailed or not session.items:
            self._say({"error": "the tests cannot be collected"})
            return
        baseline = self._baseline(session)
        if baseline is None:
            return
        costs, lines, shared = baseline
        found = mutants(self.source)
        chosen = list(walk(found, self.job["seed"], self.job["most"]))
        if self.job.get("only") is not None:
            chosen = [m for m in chosen if m.shown(self.source) in self.job["only"]]
        self._say({"mutants": len(found), "chosen": len(chosen), "tests": len(session.items),
                   "seconds": sum(costs.values())})
        for mutant in chosen:
            begun = time.monotonic()
            self._write(mutant.apply(self.source))
            first = [item for item in session.items if shared.intersection(_acting(mutant))
                     or lines[item.nodeid].intersection(_acting(mutant))]
            verdict, by = self._judge(session, mutant, first, costs)
            self._say({"verdict": verdict, "by": by, "line": mutant.first_line,
                       "function": mutant.function, "shown": mutant.shown(self.source),
                       "covered": bool(first) or not mutant.swappable,
                       "seconds": time.monotonic() - begun})
        self._write(self.source)
        self._say({"done": True})

    def _judge(self, session, mutant, first, costs) -> tuple[str, str]:
        if not mutant.swappable:
            verdict = self._process([sys.executable, "-m", "pytest", "-x", *_OPTIONS,
                                     *self.job["tests"]], sum(costs.values()))
            if verdict != (SURVIVED, ""):
                return verdict
        else:
            first.sort(key=lambda item: costs[item.nodeid])
            rest = [item for item in session.items if item not in first]
            for items in (first, rest):
                verdict = self._fork(session, mutant, items, costs)
                if verdict != (SURVIVED, ""):
                    return verdict
        for file in self.job["both"]:
            verdict = self._micropython(file)
            if verdict != (SURVIVED, ""):
                return verdict
        return SURVIVED, ""

    def _say(self, line: dict) -> None:
        print(json.dumps(line), file=self.results, flush=True)

    def _write(self, source: bytes) -> None:
        """The file in the copy, for what starts a process of its own.

        Each time with another date: Python compares it, in whole seconds, with that in
        the .pyc.
        """
        self.path.write_bytes(source)
        self.written += 1
        os.utime(self.path, (self.written, self.written))

    # -- the unmutated run ---------------------------------------------------------------

    def _baseline(self, session):
        """(CPU seconds, lines of the module that ran) per test, lines that fixtures ran."""
        tracer = _Tracer(str(self.path))
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            _quiet()
            session.config.pluginmanager.register(tracer)
            status = _run(session, session.items)
            with os.fdopen(writer, "w") as pipe:
                json.dump({"status": status, "costs": tracer.costs, "failed": tracer.failed,
                           "lines": {k: sorted(v) for k, v in tracer.lines.items()},
                           "shared": sorted(tracer.shared)}, pipe)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            answer = json.loads(pipe.read() or '{"status": -1, "failed": "(it died)"}')
        os.waitpid(child, 0)
        problem = answer["failed"] if answer["status"] != _PASSED else ""
        for file in self.job["both"] if not problem else ():
            problem = self._micropython(file)[1]
        if not problem:
            problem = self._process([sys.executable, "-m", "pytest", "-x", *_OPTIONS,
                                     *self.job["tests"]], 60)[1]
        if problem:
            self._say({"error": f"without any mutant, this fails: {problem}"})
            return None
        return (answer["costs"], {k: set(v) for k, v in answer["lines"].items()},
                set(answer["shared"]))

    # -- one mutant ----------------------------------------------------------------------

    def _fork(self, session, mutant: Mutant, items, costs) -> tuple[str, str]:
        if not items:
            return SURVIVED, ""
        cost_s = sum(costs[item.nodeid] for item in items)
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            os.setsid()
            _quiet()
            _limit(_CPU_FACTOR * cost_s + self.cpu_least_s)
            noted = _FirstFailure()
            session.config.pluginmanager.register(noted)
            session.config.option.maxfail = 1
            self._exchange(mutant)
            status = _run(session, items)
            os.write(writer, noted.nodeid.encode()[:4000])
            os._exit(status)
        os.close(writer)
        status = self._wait(child, cost_s)
        with os.fdopen(reader) as pipe:
            by = pipe.read()
        return (status, by) if status else (SURVIVED, "")

    def _exchange(self, mutant: Mutant) -> None:
        """Give every function made from the mutant's `outermost` the changed code.

        There may be none: MicroPython takes branches that CPython does not.
        """
        new = _code_of(mutant.apply(self.source), str(self.path), mutant)
        for thing in gc.get_objects():
            if isinstance(thing, types.FunctionType):
                code = thing.__code__
                if (code.co_filename, code.co_qualname, code.co_firstlineno) == (
                        new.co_filename, new.co_qualname, new.co_firstlineno):
                    thing.__code__ = new

    def _micropython(self, file: str) -> tuple[str, str]:
        """A file of tests/both by its runner."""
        folders = [str(Path(folder).resolve()) for folder in ("firmware", "firmware/lib", "tests")]
        env = {**os.environ, "MICROPYPATH": ":".join([*folders, ".frozen"])}
        return self._process([*micropython_command(), "tests/both/run.py", file], 1, env,
                             f"{file} on MicroPython")

    def _process(self, command: list[str], cost_s: float, env=None, name="pytest"):
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
            stderr=subprocess.DEVNULL, env=env,
            preexec_fn=lambda: _limit(_CPU_FACTOR * cost_s + 2 * self.cpu_least_s + 5))
        status = self._wait(child.pid, cost_s)
        return (status, name) if status else (SURVIVED, "")

    def _wait(self, child: int, cost_s: float) -> str:
        """"" if it exited with 0; else KILLED or TIMEOUT. Ends its whole session."""
        wall_s = _WALL_FACTOR * cost_s + self.wall_least_s
        late = threading.Event()

        def end():
            late.set()
            _kill_session(child)

        timer = threading.Timer(wall_s, end)
        timer.start()
        try:
            status = os.waitpid(child, 0)[1]
        finally:
            timer.cancel()
            _kill_session(child)  # with what a test may have left running
        code = os.waitstatus_to_exitcode(status)
        if late.is_set() or code in (-signal.SIGXCPU, -signal.SIGKILL):
            return TIMEOUT
        return KILLED if code else ""


class _FirstFailure:
    nodeid = ""

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.nodeid:
            self.nodeid = report.nodeid


class _Tracer(_FirstFailure):
    """Which lines of one file each test runs, and what it costs."""

    def __init__(self, path: str):
        self.path = path
        self.costs: dict[str, float] = {}
        self.lines: dict[str, set[int]] = {}
        self.shared: set[int] = set()
        self.now: set[int] = set()
        self.failed = ""

    def pytest_runtest_logreport(self, report):
        super().pytest_runtest_logreport(report)
        self.failed = self.nodeid

    def _call(self, frame, event, argument):
        return self._line if frame.f_code.co_filename == self.path else None

    def _line(self, frame, event, argument):
        self.now.add(frame.f_lineno)
        return self._line

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item, nextitem):
        usage = resource.getrusage
        before = _cpu_s(usage)
        done = yield
        self.costs[item.nodeid] = _cpu_s(usage) - before
        self.lines.setdefault(item.nodeid, set())
        return done

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item):
        return (yield from self._traced(self.shared))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        return (yield from self._traced(self.lines.setdefault(item.nodeid, set())))

    def _traced(self, into: set[int]):
        self.now = into
        threading.settrace(self._call)
        sys.settrace(self._call)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]


def _cpu_s(usage) -> float:
    own, children = usage(resource.RUSAGE_SELF), usage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _acting(mutant: Mutant) -> range:
    return range(mutant.first_line, mutant.last_line + 1)


def _run(session, items) -> int:
    """What pytest's own loop does with these items."""
    try:
        for i, item in enumerate(items):
            following = items[i + 1] if i + 1 < len(items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail or session.shouldstop:
                break
    except BaseException:  # a mutant may raise whatever pytest lets through
        return _FAILED
    return _FAILED if session.testsfailed else _PASSED


def _code_of(source: bytes, path: str, mutant: Mutant) -> types.CodeType:
    waiting = [compile(source, path, "exec")]
    while waiting:
        code = waiting.pop()
        if (code.co_qualname, code.co_firstlineno) == (mutant.outermost, mutant.outermost_line):
            return code
        waiting += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    raise LookupError(f"{path} has no function {mutant.outermost}")


def _settle_hypothesis() -> None:
    """The same examples for every mutant, and no limit on the time that one takes."""
    try:
        from hypothesis import settings
    except ImportError:
        return
    settings.register_profile("mutation", derandomize=True, database=None, deadline=None)
    settings.load_profile("mutation")


def _quiet() -> None:
    """For a fork: no output, and SIGTERM ends it at once."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def _limit(cpu_s: float) -> None:
    whole = int(cpu_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))


def _kill_session(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def main() -> int:
    job = json.loads(sys.argv[1])
    # Ends with an exception, so that the mutant being judged is ended, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    _settle_hypothesis()
    return pytest.main([*_OPTIONS, *job["tests"]], plugins=[Worker(job)])


if __name__ == "__main__":
    sys.exit(main())
