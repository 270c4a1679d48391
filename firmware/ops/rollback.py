"""A file is replaced on trial: the old one comes back if the new one fails.

    PATH        what is used
    PATH.old    what was used before
    PATH.try    a digit: how many boots the trial has seen; behind it, what worked before and
                must work again. Gone once the trial is over

Each step is one rename or one small file, so a loss of power between two of them
leaves either the old file or a trial that goes on. Pure.
"""

import os

from micropython import const

from ops.files import exists

_MOST_BOOTS = const(2)
_COPY_BYTES = const(256)


class Rollback:
    """needs: a letter for each part that worked before, since boot(); see replace()."""

    def __init__(self, path):
        self.path = path
        self.needs = ""
        self.reverted = False  # whether this boot has taken the old file back

    def is_on(self):
        return exists(self.path + ".try")

    def replace(self, new, needs=""):
        """Put the file `new` in place of PATH, on trial. Raises OSError.

        needs: a letter for each part that works now, kept for whoever judges the trial.
        """
        self.needs = needs
        if self._read() >= 0:
            pass  # PATH itself is on trial: the last good file stays the old one
        elif exists(self.path):
            _copy(self.path, self.path + ".tmp")
            os.rename(self.path + ".tmp", self.path + ".old")
        self._write(0)
        os.rename(new, self.path)

    def boot(self):
        """Call before PATH is used: count this boot, or take the old file back."""
        boots = self._read()
        if boots < 0:
            return
        if boots >= _MOST_BOOTS:
            self.revert()
        else:
            self._write(boots + 1)

    def revert(self):
        """Take the old file back if a trial is on; True if that was done."""
        if self.is_on():
            if exists(self.path + ".old"):
                os.rename(self.path + ".old", self.path)
                self.reverted = True
            os.remove(self.path + ".try")
        return self.reverted

    def fail(self):
        """The file of this boot is not good: the next boot takes the old one back."""
        if self._read() > 0:
            self._write(_MOST_BOOTS)

    def confirm(self):
        """The file of this boot is good.

        Nothing happens if yet another one was put in its place since: no boot has seen that.
        """
        if self._read() > 0:
            os.remove(self.path + ".try")

    def _read(self):
        """How many boots the trial has seen; -1 if there is none."""
        try:
            with open(self.path + ".try") as file:
                boots = int(file.read(1) or 0)
                self.needs = file.read()
            return boots
        except OSError:
            return -1
        except ValueError:
            return _MOST_BOOTS

    def _write(self, boots):
        with open(self.path + ".tmp", "w") as file:
            file.write(str(boots) + self.needs)
        os.rename(self.path + ".tmp", self.path + ".try")


def _copy(source, target):
    """Copy a file through a small buffer."""
    buf = bytearray(_COPY_BYTES)
    view = memoryview(buf)
    with open(source, "rb") as reader, open(target, "wb") as writer:
        while True:
            n = reader.readinto(buf)
            if not n:
                return
            writer.write(view[:n])
