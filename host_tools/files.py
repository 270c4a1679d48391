"""Writing files: whole or not at all, through links, and into pipes and devices as they are.

    write_atomically("gesture.mlp", data)
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
import sys
import time
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError

_READER_S = 10.0  # for so long the reader of a named pipe may be late


def read_json_object(path: Path) -> dict[str, Any]:
    """What a file keeps for us between runs; {} if it is not there, or holds something else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_atomically(path: str | os.PathLike[str], data: bytes, private: bool = False) -> None:
    """The file at path holds data afterwards, or what it held before (BeckonError).

    See replace_file().
    """
    try:
        replace_file(Path(path), data, private)
    except OSError as e:
        raise BeckonError("{path}: {reason}", path=path, reason=e.strerror or e) from None


def replace_file(path: Path, data: bytes, private: bool = False) -> None:
    """Write data to path. Raises OSError.

    A regular file is replaced in one step, so whoever reads it sees all of the old or all of the
    new content, also after a power cut. It keeps its mode; a new one has what the umask leaves,
    and nothing for others if it is private. A link stays; the file it leads to is replaced.
    What is not a regular file (a device, a pipe) is written to.
    """
    if _is_stream(path):
        _write_through(path, data)
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(temporary, flags, 0o600 if private else 0o666), "wb") as file:
            if target.exists() and not private:
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _move(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    _sync(target.parent)


def _move(temporary: Path, target: Path) -> None:
    """Windows does not replace a file that somebody reads at this moment."""
    until_s = time.monotonic() + _READER_S
    while True:
        try:
            os.replace(temporary, target)
            return
        except PermissionError:
            if os.name != "nt" or time.monotonic() > until_s:
                raise
        time.sleep(0.05)


def _is_stream(path: Path) -> bool:
    """Whether path exists and is to be written to as it is: a device, a pipe, /dev/stdout."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    open_file = path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",))
    return not stat.S_ISREG(mode) or open_file


def _write_through(path: Path, data: bytes) -> None:
    if sys.platform == "win32":
        with open(path, "ab") as device:
            device.write(data)
        return
    until_s = time.monotonic() + _READER_S
    while True:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
            break
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > until_s:
                raise OSError(errno.ENXIO, "nobody reads from this pipe", str(path)) from None
            time.sleep(0.05)
    os.set_blocking(handle, True)
    with open(handle, "wb") as stream:
        stream.write(data)


def _sync(folder: Path) -> None:
    """Have the new name itself on the disk."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # a folder that can be written to but not read
    try:
        os.fsync(handle)
    except OSError:
        pass  # a file system that has no such thing
    finally:
        os.close(handle)
