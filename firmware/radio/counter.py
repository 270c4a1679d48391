"""A number that grows over all boots, and is written to flash once in a while. Pure."""

import os

from micropython import const

from ops.files import write_atomically

PATH = "counter.txt"
_STEP = const(256)


class Counter:
    """next() gives each number once. The file holds one that no boot has reached yet.

    Without the file it begins at random, so that no number of before comes again.
    """

    def __init__(self, path=PATH):
        self._path = path
        self._next = int.from_bytes(os.urandom(4), "little") >> 1
        try:
            with open(path) as file:
                self._next = int(file.read(12))
        except (OSError, ValueError):
            pass  # the first boot, or a file that is damaged
        self._reserved = self._next

    def next(self):
        """Raises OSError if it cannot be written: then no number may be used."""
        if self._next >= self._reserved:
            write_atomically(self._path, str(self._next + _STEP))
            self._reserved = self._next + _STEP
        self._next += 1
        return self._next - 1
