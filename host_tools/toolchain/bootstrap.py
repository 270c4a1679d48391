"""Make the project's own environment, .venv, and install what it needs into it.

Run by ./beckon with any Python 3.11+ when there is no finished environment, so
this file uses the standard library alone. `install(extra)` also serves commands
that need an extra of pyproject.toml. Packages come with the versions and hashes of
packages.lock (lock.py makes it), or not at all.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).resolve().parents[2]
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "Scripts" / "python.exe" if os.name == "nt" else VENV / "bin" / "python"
STAMP = VENV / "beckon-stamp"
LOCK = REPOSITORY / "packages.lock"
LOG = REPOSITORY / ".cache" / "install.log"
SOURCES = "BECKON_FROM_SOURCE"
NO_WHEEL = ("esptool", "pyric")  # published as sources alone, whose hashes are in the lock file
_LOG_NAME = LOG.relative_to(REPOSITORY)


class BootstrapError(Exception):
    """One line that says what to install or do."""


# pip says these when it cannot reach its index.
_OFFLINE = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ProxyError|Connection broken"
    r"|Max retries exceeded|Temporary failure in name resolution|ReadTimeout|CERTIFICATE_VERIFY"
)


def stamp() -> str:
    """What a finished environment was made for; ./beckon writes the same in shell."""
    pyproject = (REPOSITORY / "pyproject.toml").read_bytes() + LOCK.read_bytes()
    if os.name == "nt":  # without cksum; nothing else reads it there
        sums = hashlib.sha256(pyproject).hexdigest()
    else:
        done = subprocess.run(["cksum"], input=pyproject, capture_output=True, check=True)
        sums = done.stdout.decode().strip()
    return f"{REPOSITORY}\n{os.path.realpath(PYTHON)}\n{sums}\n"


def has(extra: str) -> bool:
    """Whether the extra is installed for the present pyproject.toml."""
    mark = VENV / f"beckon-extra-{extra}"
    return mark.exists() and mark.read_text() == stamp()


def make() -> None:
    """Bring .venv up to date. Raises BootstrapError, OSError."""
    with _alone() as lock:
        old = STAMP.read_text() if STAMP.exists() else ""
        if PYTHON.exists() and old == stamp():
            return  # another run made it while this one waited
        # The folder or the interpreter has changed, or a run was interrupted: make it again.
        if not old or old.splitlines()[:2] != stamp().splitlines()[:2]:
            _make_venv()
        _install(lock, "base", what="installing the Python packages that Beckon needs")
        _write(STAMP, stamp())
        if not old and os.name != "nt":
            print("beckon: ready. Messages name commands as `beckon COMMAND`; in this folder, type "
                  "`./beckon COMMAND`", file=sys.stderr, flush=True)


def install(extra: str) -> None:
    """Add an extra of pyproject.toml to .venv. Raises BootstrapError, OSError."""
    with _alone() as lock:
        if has(extra):
            return
        _install(lock, extra, what=f"installing the packages for {extra}")
        _write(VENV / f"beckon-extra-{extra}", stamp())


def _make_venv() -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise BootstrapError(f"Python {version} cannot make environments: install the package "
                             f"python{version}-venv (Debian, Ubuntu: "
                             f"sudo apt install python{version}-venv)")
    with activity("making the environment .venv"):
        if VENV.is_symlink() or VENV.is_file():
            VENV.unlink()
        elif VENV.exists():
            shutil.rmtree(VENV)
        with open(LOG, "w", encoding="utf-8") as log:
            done = subprocess.run([sys.executable, "-I", "-m", "venv", str(VENV)],
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise BootstrapError(f"could not make .venv: see {_LOG_NAME}" + _space())


def blocks(lock: str) -> list[str]:
    """The packages of a requirements file with hashes, each with its lines."""
    return re.findall(r"^[A-Za-z0-9].*\n(?:[ \t].*\n)*", lock, re.MULTILINE)


def package_of(block: str) -> str:
    """The name, as the index spells it."""
    return re.split(r"[=\s\[;]", block, maxsplit=1)[0].lower()


def locked(extra: str) -> str:
    """What of packages.lock an extra needs, or the project itself ("base")."""
    marked = re.findall(r"^# for: (.*)\n((?:[^#\n].*\n)*)", LOCK.read_text(), re.MULTILINE)
    return "".join(text for names, text in marked if extra in names.split())


def _install(lock: int, extra: str, what: str) -> None:
    """The locked packages of extra, then the repository itself, which needs nothing more."""
    wanted = LOG.parent / "wanted.txt"
    wanted.write_text(locked(extra))
    if wanted.stat().st_size:
        # What a source needs to be built has no hash here.
        wheels = ["--only-binary", ":all:", "--no-binary", ",".join(NO_WHEEL)]
        if os.environ.get(SOURCES):
            wheels = []
        _pip(lock, ["--require-hashes", "--no-deps", *wheels, "-r", str(wanted)], what)
    _pip(lock, ["--no-deps", "--no-build-isolation", "-e", str(REPOSITORY)],
         "installing Beckon itself")


def _pip(lock: int, arguments: list[str], what: str) -> None:
    # Byte-code is made when a module is first imported: of most packages little ever is.
    command = [str(PYTHON), "-I", "-m", "pip", "install", "--no-input", "--no-compile",
               "--retries", "2", "--progress-bar", "off", *arguments]
    heir: dict[str, Any] = {} if os.name == "nt" else {"pass_fds": [lock]}
    env = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}
    for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_QUIET"):
        env.pop(name, None)
    with activity(what) as detail, open(LOG, "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   errors="replace", **heir)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                log.write(line)
                log.flush()
                words = line.split()
                if words[:1] == ["Collecting"]:
                    detail(re.split(r"[<>=!~;\[ ]", words[1])[0])
                elif words[:2] == ["Installing", "collected"]:
                    detail("unpacking")
            status = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if status == 0:
        return
    text = LOG.read_text(errors="replace")
    if "No space left on device" in text:
        raise BootstrapError("the disk is full: make room for some 900 MB and try again")
    if _OFFLINE.search(text):
        raise BootstrapError("cannot reach the Python package index: connect to the Internet and "
                             f"try again (a proxy goes into https_proxy; details: {_LOG_NAME})")
    wrong = re.search(r"DO NOT MATCH THE HASHES.*?\n\s+(\S+?)(?: from| \(|:)", text, re.DOTALL)
    if wrong:
        raise BootstrapError(f"the package index gives another {wrong[1]} than packages.lock "
                             "names: nothing of it was installed; try another index, or make the "
                             f"file again if you trust this one (details: {_LOG_NAME})")
    found = re.findall(r"No matching distribution found for (\S+)", text)
    if found:
        raise BootstrapError(f"the package {found[-1]} is not available for this Python: connect "
                             f"to an index that has it, or set {SOURCES}=1 to build it, and try "
                             f"again (details: {_LOG_NAME})")
    raise BootstrapError(f"pip could not install the packages: see {_LOG_NAME}" + _space())


def _space() -> str:
    free_mb = shutil.disk_usage(REPOSITORY).free // 1_000_000
    return f" (only {free_mb} MB are free)" if free_mb < 900 else ""


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".tmp")
    part.write_text(text)
    os.replace(part, path)


@contextlib.contextmanager
def _alone() -> Iterator[int]:
    """One installation at a time.

    Yields the lock's file descriptor for pip to inherit: the kernel frees the lock
    when its last holder dies, so a killed run frees it, but not before its pip ended.
    """
    LOG.parent.mkdir(exist_ok=True)
    with open(LOG.parent / "install.lock", "w", encoding="utf-8") as lock:
        if not take_lock(lock, wait=False):
            with activity("waiting for another beckon that is installing"):
                take_lock(lock, wait=True)
        yield lock.fileno()


def take_lock(file: IO[str], wait: bool) -> bool:
    """Lock an open file for this process alone, until it is closed; False: another one has it."""
    if sys.platform == "win32":
        import msvcrt

        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if not wait:
                    return False
            time.sleep(0.2)
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def activity(what: str):
    """Say on stderr what is being done: a running line on a terminal, else a plain one.

    Yields a function that takes a detail to show (terminal only).
    """
    begin = time.monotonic()
    detail = ""

    def set_detail(text: str) -> None:
        nonlocal detail
        detail = text

    def draw() -> None:
        seconds = time.monotonic() - begin
        line = f"beckon: {what}, {seconds:.0f} s  {detail}"
        columns = shutil.get_terminal_size().columns
        print("\r\x1b[K" + line[: columns - 1], end="", file=sys.stderr, flush=True)

    def redraw() -> None:
        while not finished.wait(0.2):
            draw()

    if not sys.stderr.isatty():
        print(f"beckon: {what} ...", file=sys.stderr, flush=True)
        yield set_detail
        return
    finished = threading.Event()
    draw()
    thread = threading.Thread(target=redraw, daemon=True)
    thread.start()
    try:
        yield set_detail
        detail = "done"
    except BaseException:
        detail = "stopped"
        raise
    finally:
        finished.set()
        thread.join()
        draw()
        print(file=sys.stderr)


def main() -> int:
    try:
        make()
    except BootstrapError as error:
        print(f"beckon: {error}", file=sys.stderr)
    except OSError as error:
        print(f"beckon: {error.strerror}: {error.filename or REPOSITORY}: fix that and try again",
              file=sys.stderr)
    except KeyboardInterrupt:
        print("beckon: stopped; the next run begins again", file=sys.stderr)
        return 130
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
