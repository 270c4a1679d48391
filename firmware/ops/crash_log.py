"""The last crash, kept in flash so that the next boot can report it.

The file holds `COUNT NEW` and the crash's text: how many crashes came in a row,
and whether the boot after it has still to see it. A boot without a crash writes
nothing. Pure.
"""

import io
import sys

from micropython import const

from ops.files import CRASH, remove, write_atomically

_MOST_CHARACTERS = const(500)  # of a traceback, its end


class CrashLog:
    """`in_a_row` crashes without a healthy run between them; `text` is the last one's."""

    def __init__(self, path=CRASH):
        self._path = path
        self.in_a_row = 0
        self.text = ""
        self._new = False
        try:
            with open(path) as file:
                head, _, self.text = file.read().partition("\n")
            count, new = head.split(" ")
            self.in_a_row, self._new = int(count), new == "1"
        except (OSError, ValueError):
            pass  # no crash, or a file that is damaged

    def boot(self, by_watchdog):
        """Call once a boot; by_watchdog: the watchdog has reset the board."""
        if self._new:
            self._new = False
            self._save()
        elif by_watchdog:  # it could not even write
            self._note("watchdog: the event loop stood still", False)

    def record(self, fault):
        """A crash of this boot: an exception, or text."""
        if isinstance(fault, BaseException):
            fault = traceback(fault)
        self._note(fault[-_MOST_CHARACTERS:], True)

    def healthy(self):
        """This run is healthy: what comes next is not in a row with what was."""
        if self.in_a_row:
            self.in_a_row = 0
            remove(self._path)

    def _note(self, text, new):
        self.in_a_row += 1
        self.text = text
        self._new = new
        self._save()

    def _save(self):
        try:
            write_atomically(
                self._path, "%d %d\n%s" % (self.in_a_row, self._new, self.text)
            )
        except OSError:
            pass  # a full or broken flash must not hide the crash itself


def traceback(error):
    """The traceback of an exception as text."""
    if hasattr(sys, "print_exception"):
        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue()
    return repr(error)
