"""The update keys that sign a model. They stay in memory, and are in no message.

A file of them: {"kitchen": "its update_key", "*": "that of all others"}
"""

import json
import os
import stat
from pathlib import Path

from host_tools.errors import BeckonError

_MOST_BYTES = 16 << 20


class Keys:
    """of(device) gives its key, "" if there is none."""

    def __init__(self, keys: dict[str, str]):
        self._keys = keys

    def __repr__(self) -> str:
        return f"Keys({len(self._keys)})"

    def of(self, device: str) -> str:
        return self._keys.get(device) or self._keys.get("*", "")


def read_keys(path: Path) -> Keys:
    """Raises BeckonError, also for a file that others may read."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MOST_BYTES)
    except OSError as fault:
        raise BeckonError(f"{path}: {fault.strerror}", status=2) from None
    if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
        raise BeckonError(f"{path} holds keys and can be read by others: chmod 600 {path}")
    try:
        keys = json.loads(content)
    except ValueError:  # its message would show a part of the file
        keys = None
    if not isinstance(keys, dict) or not all(
        isinstance(key, str) and key for key in keys.values()
    ):
        raise BeckonError(f'{path}: write one JSON object, {{"DEVICE": "its update_key", '
                          '"*": "that of all others"}')  # fmt: skip
    return Keys(keys)
