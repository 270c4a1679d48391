"""Single keys from the terminal while something else goes on, without Enter."""

import os
import sys
from typing import Any


class Keys:
    """A context manager; where standard input is not a terminal, no key is ever pressed.

    Ctrl-C stays what it is. The terminal is put back in order at the end.
    """

    def __init__(self) -> None:
        self._saved: list[Any] | None = None
        self.there = sys.stdin is not None and sys.stdin.isatty()

    def __enter__(self) -> "Keys":
        if self.there and sys.platform != "win32":
            import termios
            import tty

            self._fd = sys.stdin.fileno()
            self._saved = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd, termios.TCSANOW)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._saved is not None and sys.platform != "win32":
            import termios

            termios.tcflush(self._fd, termios.TCIFLUSH)  # no answer to a later question
            termios.tcsetattr(self._fd, termios.TCSANOW, self._saved)
            self._saved = None

    def pressed(self) -> str:
        """The keys since the last call."""
        if sys.platform == "win32":
            return _pressed_on_windows() if self.there else ""
        import select

        if self._saved is None or not select.select([self._fd], [], [], 0)[0]:
            return ""
        return os.read(self._fd, 64).decode(errors="replace")


def _pressed_on_windows() -> str:
    if sys.platform != "win32":
        return ""
    import msvcrt

    keys = ""
    while msvcrt.kbhit():
        key = msvcrt.getwch()
        if key in "\x00\xe0":  # an arrow, or a function key: its second half follows
            msvcrt.getwch()
        else:
            keys += key
    return keys
