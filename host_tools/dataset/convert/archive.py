"""A zip as it was downloaded: unpacked into a folder that goes away again."""
from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from host_tools.errors import BeckonError

MOST_FILES = 100_000
MOST_BYTES = 4 << 30  # unpacked


def is_archive(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() == ".zip"


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder with what the zip holds, named like it; archives within are unpacked, too.

    Raises BeckonError, and names the zip instead of the folder in those of the caller.
    """
    with tempfile.TemporaryDirectory(prefix="beckon-import-") as place:
        folder = Path(place) / path.stem
        _unpack(path, folder)
        for inner in sorted(folder.rglob("*")):
            if is_archive(inner):
                _unpack(inner, inner.with_suffix(""))
                inner.unlink()
        try:
            yield folder
        except BeckonError as e:
            raise BeckonError(e.message.changed(lambda text: in_archive(text, folder, path)),
                              e.status) from None


def in_archive(text: str, folder: Path, path: Path) -> str:
    return text.replace(str(folder), str(path))


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
            size = sum(i.file_size for i in listed)
            if len(listed) > MOST_FILES or size > MOST_BYTES:
                raise BeckonError("{path}: unpacks to {count} files of {size} MB; unpack what you "
                                  "need, and name the folder", path=path, count=len(listed),
                                  size=size >> 20)
            folder.mkdir(parents=True, exist_ok=True)
            archive.extractall(folder)  # it drops drives, roots and ".." from names
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
            ValueError) as e:
        reason = str(e).splitlines()[0] if str(e) else type(e).__name__
        raise BeckonError("{path}: cannot be unpacked ({reason}); download it again", path=path,
                          reason=reason) from None
    except OSError as e:
        raise BeckonError("{path}: cannot be unpacked ({reason})", path=path,
                          reason=e.strerror or e) from None
