"""The folder for fetched tools: never half made, safe for several runs at once."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from host_tools.paths import REPOSITORY
from host_tools.toolchain.bootstrap import take_lock


def cache_folder() -> Path:
    """Where fetched tools lie; made if missing.

    BECKON_CACHE if set, else `.cache` of the checkout, else (installed without a
    checkout) the user's cache folder.
    """
    if os.environ.get("BECKON_CACHE"):
        folder = Path(os.environ["BECKON_CACHE"])
    elif (REPOSITORY / "pyproject.toml").exists():
        folder = REPOSITORY / ".cache"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "beckon"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file `path` (made if missing); waits for its turn.

    The system frees the lock when its holder dies, so no stale lock can remain.
    """
    with open(path, "w", encoding="utf-8") as lock:
        take_lock(lock, wait=True)
        yield


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` in the cache; the first time `make(folder)` fills it.

    make works in a temporary folder which takes its name only when complete, so an
    interrupted or failed make leaves nothing. Two runs at once make it once.
    """
    cache = cache_folder()
    done = cache / name
    if done.is_dir():
        return done
    with locked(cache / (name + ".lock")):
        if done.is_dir():  # another run made it while this one waited
            return done
        for left in cache.glob(name + ".tmp-*"):  # of a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=name + ".tmp-", dir=cache))
        try:
            make(work)
            work.chmod(0o755)
            os.replace(work, done)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return done
