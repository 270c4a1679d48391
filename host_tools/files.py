"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from host_tools.errors import BeckonError


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace the file at path by data, or leave it as it is (BeckonError)."""
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as e:
        raise BeckonError(f"{path}: {e.strerror or e}") from None
