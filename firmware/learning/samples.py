"""The samples of the repetitions, kept in flash for the computer."""

import os
from array import array

from micropython import const

from ops.files import LEARNED, remove

PATH = LEARNED + "/new.raw"
_TOGETHER = const(20)  # samples written at once


class Samples:
    """Keeps samples in flash until there is no room. wanted: whether to keep any.

    count: how many are kept; 0 once one could not be.
    """

    def __init__(self, wanted):
        self.count = 0
        self._file = None
        self._buffer = array("h", bytes(2 * 6 * _TOGETHER))
        self._filled = 0
        if wanted:
            try:
                os.mkdir(LEARNED)
            except OSError:
                pass  # it is there
            try:
                self._file = open(PATH, "wb")
            except OSError:
                pass

    def add(self, row):
        """Keep a sample: six int16."""
        if self._file:
            self._buffer[self._filled : self._filled + 6] = row
            self._filled += 6
            self.count += 1
            if self._filled == len(self._buffer):
                self._write(self._buffer)

    def close(self):
        self._write(self._buffer[: self._filled], True)

    def _write(self, data, last=False):
        file = self._file
        if not file:
            return
        self._filled = 0
        try:
            try:
                file.write(data)
            finally:
                if last:
                    self._file = None
                    file.close()
        except OSError:  # flash is full
            self._file = None
            self.count = 0
            try:
                file.close()
            except OSError:
                pass
            remove(PATH)
