"""The secrets of paired hosts, kept in flash. Pure.

A line for each: kind, key and value, the last two as hexadecimal digits.
"""

import binascii

from micropython import const

from ops.files import write_atomically

PATH = "bonds.txt"
_MOST = const(16)  # NimBLE asks for some of each host


class Bonds:
    """What the Bluetooth stack wants kept. `changed`: save() has something to do."""

    def __init__(self, path=PATH):
        self._path = path
        self._kept = []  # [kind, key, value]
        self.changed = False
        try:
            with open(path) as file:
                for line in file:
                    kind, key, value = line.split()
                    self._kept.append([int(kind), _bytes(key), _bytes(value)])
        except (OSError, ValueError):
            pass  # nobody paired, or a file that is damaged: hosts pair again

    def get(self, kind, index, key):
        """The value for kind and key; without a key the index'th of its kind. Or None."""
        for its_kind, its_key, value in self._kept:
            if its_kind != kind:
                continue
            if key is None:
                if not index:
                    return value
                index -= 1
            elif its_key == key:
                return value
        return None

    def put(self, kind, key, value):
        """Keep value, or forget it if that is None. True if something was kept or forgotten."""
        before = len(self._kept)
        self._kept = [one for one in self._kept if one[0] != kind or one[1] != key]
        if value is None:
            self.changed = self.changed or len(self._kept) < before
            return len(self._kept) < before
        if len(self._kept) == _MOST:
            self._kept.pop(0)
        self._kept.append([kind, key, value])
        self.changed = True
        return True

    def save(self):
        """Raises OSError."""
        self.changed = False
        lines = []
        for kind, key, value in self._kept:
            lines.append("%d %s %s\n" % (kind, _hex(key), _hex(value)))
        write_atomically(self._path, "".join(lines))


def _hex(data):
    return str(binascii.hexlify(data), "utf-8") or "-"


def _bytes(text):
    return b"" if text == "-" else binascii.unhexlify(text)
