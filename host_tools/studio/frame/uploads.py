"""Files that the browser sends, kept in a temporary folder each until a page is done with them.

    key = uploads.begin()               # the page gives it to its drop area
    uploads.part(key, "a/b.csv")        # where a file of this batch belongs
    folder = uploads.folder(key)
    uploads.end(key)                    # removes them

Bounds: as for unpacking a zip (dataset/convert/archive.py). Knows no browser.
"""
from __future__ import annotations

import secrets
import shutil
import tempfile
from functools import cached_property
from pathlib import Path, PurePosixPath

from host_tools.dataset.convert.archive import MOST_BYTES, MOST_FILES
from host_tools.errors import BeckonError

_BATCHES = 64  # drop areas of open tabs


class _Batch:
    def __init__(self) -> None:
        self.files = self.bytes = 0

    @cached_property
    def folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="beckon-upload-"))


class Uploads:
    """Batches by their key. More than a few at once: the oldest one goes."""

    def __init__(self) -> None:
        self._batches: dict[str, _Batch] = {}

    def begin(self) -> str:
        while len(self._batches) >= _BATCHES:
            self.end(next(iter(self._batches)))
        key = secrets.token_urlsafe(12)
        self._batches[key] = _Batch()
        return key

    def _batch(self, key: str) -> _Batch:
        if key not in self._batches:
            raise BeckonError("these files came too late: drop them again")
        return self._batches[key]

    def folder(self, key: str) -> Path:
        """Where the files of a batch lie. Raises BeckonError for one that has ended or is empty."""
        batch = self._batch(key)
        if not batch.files:
            raise BeckonError("no file came: drop files, or a folder that holds some")
        return batch.folder

    def part(self, key: str, name: str) -> Path:
        """The path for one more file of the batch. Raises BeckonError.

        name: with "/" between folders, as the browser names it.
        """
        batch = self._batch(key)
        parts = [p for p in PurePosixPath(name.replace("\\", "/")).parts if p not in ("/", ".", "")]
        if not parts or ".." in parts or any(len(p.encode()) > 200 or "\0" in p for p in parts) \
                or len(parts) > 20:
            raise BeckonError("{name!r}: not a name for a file", name=name[:80])
        batch.files += 1
        if batch.files > MOST_FILES:
            raise BeckonError("more than {most_files} files: drop fewer at once",
                              most_files=MOST_FILES)
        path = batch.folder.joinpath(*parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BeckonError("{name}: cannot be kept ({reason})", name=name,
                              reason=error.strerror) from None
        return path

    def count(self, key: str, more_bytes: int) -> None:
        """Raises BeckonError when the batch becomes too large."""
        batch = self._batch(key)
        batch.bytes += more_bytes
        if batch.bytes > MOST_BYTES:
            raise BeckonError("more than {most_bytes} GB: drop less at once, or use `beckon data "
                              "import`", most_bytes=MOST_BYTES >> 30)

    def end(self, key: str) -> None:
        batch = self._batches.pop(key, None)
        if batch is not None and batch.files:
            shutil.rmtree(batch.folder, ignore_errors=True)

    def clear(self) -> None:
        for key in list(self._batches):
            self.end(key)
