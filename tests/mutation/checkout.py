"""A copy of the repository in which a module may be broken."""
from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

_IGNORED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "node_modules")


@contextlib.contextmanager
def copied(repository: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """(copy, environment for what runs in it); removed at the end, with all temporary files.

    What git knows is copied as it lies in the work tree, changes included, and what is
    new there. The cache of fetched tools is shared. The recordings beside the repository
    are not there: the same mutants must survive on a computer without them.
    """
    # Resolved: tests and tracer compare paths.
    with tempfile.TemporaryDirectory(prefix="beckon-mutants-") as folder:
        base = Path(folder).resolve()
        copy = base / "main"
        _copy(repository, copy)
        (base / "tmp").mkdir()
        cache = os.environ.get("BECKON_CACHE") or str(repository / ".cache")
        yield copy, {**os.environ, "BECKON_CACHE": cache, "TMPDIR": str(base / "tmp"),
                     "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1",
                     "OPENBLAS_NUM_THREADS": "1",
                     # A process per mutant would spend most of its time on plug-ins.
                     "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _copy(repository: Path, copy: Path) -> None:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=repository,
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    if names.returncode:  # not a git checkout
        shutil.copytree(repository, copy, ignore=_IGNORED)
        return
    for name in filter(None, names.stdout.split("\0")):
        source, target = repository / name, copy / name
        if source.is_file():  # not when it was deleted
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
