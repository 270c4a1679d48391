"""The board's console: a serial line with MicroPython's REPL at its other end.

    with Console(port) as console:
        console.catch()                         # stop whatever runs
        text = console.execute("print(1 + 1)")
        console.restart()                       # and read on: console.lines(...)

For what mpremote's command line cannot do: to catch a board that keeps restarting,
to watch it start, and to take binary data from a program that runs.
"""

import re
import time
from collections.abc import Iterator

from host_tools.device.ports import check_port, is_busy, open_fault
from host_tools.errors import BeckonError, Sentence

BAUD = 115200
_CTRL_A, _CTRL_B, _CTRL_C, _CTRL_D = b"\x01", b"\x02", b"\x03", b"\x04"
_RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
_POLL_S = 0.02
_ASK_EVERY_S = 0.25
_BUSY_S = 1.0
_BLOCK = 256  # bytes at a time, and a pause: a board's input buffer holds 260


class Unplugged(BeckonError):
    """The board went away in the middle."""


class Silent(BeckonError):
    """Nothing comes from the board at all."""


class BoardError(BeckonError):
    """What was executed raised an exception; `traceback` has all of it."""

    def __init__(self, traceback: str):
        self.traceback = traceback
        lines = traceback.strip().splitlines()
        super().__init__(f"the board says: {lines[-1] if lines else 'nothing'}")


class Console:
    """An open port; a context manager. Raises BeckonError if it cannot be opened."""

    def __init__(self, port: str, baud: int = BAUD):
        import serial

        self.port = port
        until = time.monotonic() + _BUSY_S
        while True:
            check_port(port)
            try:
                self._serial = serial.serial_for_url(port, baudrate=baud, timeout=0,
                                                     exclusive=True, write_timeout=10)
                return
            except (OSError, ValueError) as error:
                if not is_busy(error) or time.monotonic() > until:
                    raise open_fault(port, error) from None
            time.sleep(0.05)  # who held it may be just about to end

    def __enter__(self) -> "Console":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        try:
            self._serial.close()
        except OSError:
            pass  # it is gone already

    @property
    def baud(self) -> int:
        return self._serial.baudrate

    @baud.setter
    def baud(self, value: int) -> None:
        try:
            self._serial.baudrate = value
        except (OSError, ValueError) as error:
            raise BeckonError("port {port} cannot run at {baud} baud: {error}", port=self.port,
                              baud=value, error=error) from None

    # -- bytes ------------------------------------------------------------------------

    def read(self, timeout_s: float = 0.0) -> bytes:
        """What has come, waiting up to timeout_s for the first byte. Raises Unplugged."""
        import serial

        try:
            self._serial.timeout = timeout_s
            first = self._serial.read(1)
            return first + self._serial.read(self._serial.in_waiting) if first else b""
        except (OSError, serial.SerialException, TypeError):
            raise self._gone() from None

    def write(self, data: bytes) -> None:
        """Raises Unplugged."""
        import serial

        try:
            self._serial.write(data)
        except serial.SerialTimeoutException:
            raise BeckonError("the board on {port} takes no data; press its reset button and try "
                              "again", port=self.port) from None
        except (OSError, serial.SerialException):
            raise self._gone() from None

    def _gone(self) -> Unplugged:
        return Unplugged("the board on {port} went away; check cable and plug, then try again",
                         port=self.port)

    def _until(self, ending: bytes, timeout_s: float) -> bytes:
        """Read until what has come ends with ending, or for timeout_s."""
        until = time.monotonic() + timeout_s
        got = b""
        while not got.endswith(ending) and time.monotonic() < until:
            got += self.read(_POLL_S)
        return got

    # -- the REPL ---------------------------------------------------------------------

    def catch(self, timeout_s: float = 12.0) -> None:
        """Stop the program that runs and wait for the REPL.

        Asks again and again, so a board that keeps restarting is caught in the moment
        in which it listens. Raises BeckonError that says what the board does instead.
        """
        until = time.monotonic() + timeout_s
        heard = b""
        while time.monotonic() < until:
            self.write(b"\r" + _CTRL_C + _CTRL_A)
            ask_again = time.monotonic() + _ASK_EVERY_S
            while time.monotonic() < ask_again:
                heard = (heard + self.read(_POLL_S))[-8192:]
                if heard.endswith(_RAW_PROMPT):
                    self._settle()
                    return
        raise (BeckonError if heard else Silent)(why_silent(self.port, heard))

    def _settle(self) -> None:
        """Answers to what was asked too often still come: wait until it is quiet."""
        while self.read(0.1):
            pass
        self.write(b"\r" + _CTRL_B + _CTRL_A)
        if not self._until(_RAW_PROMPT, 3).endswith(_RAW_PROMPT):
            raise BeckonError(why_silent(self.port, b""))

    def refresh(self) -> None:
        """A soft reset: what ran before, its tasks and its memory, is gone; main.py is not run."""
        self.write(_CTRL_D)
        until = time.monotonic() + 13
        heard = b""
        while b"soft reboot\r\n" not in heard or not heard.endswith(_RAW_PROMPT):
            if time.monotonic() > until:
                break
            heard += self.read(_POLL_S)
        if not heard.endswith(_RAW_PROMPT):
            raise BeckonError(why_silent(self.port, heard))

    def leave(self) -> None:
        """Go from the raw REPL to the friendly one, where mpremote expects the board."""
        self.write(b"\r" + _CTRL_B)
        self._until(b">>> ", 2)

    def start(self, source: str) -> None:
        """Have the board execute source; its output follows. Call catch() before."""
        data = source.encode()
        for at in range(0, len(data), _BLOCK):
            self.write(data[at : at + _BLOCK])
            time.sleep(0.01)
        self.write(_CTRL_D)
        answer = b""
        until = time.monotonic() + 5
        while len(answer) < 2 and time.monotonic() < until:
            answer += self._read_one()
        if answer != b"OK":
            raise BeckonError("the board on {port} does not take a program (it answers "
                              "{answer!r}); press its reset button and try again", port=self.port,
                              answer=answer)

    def _read_one(self) -> bytes:
        import serial

        try:
            self._serial.timeout = _POLL_S
            return self._serial.read(1)
        except (OSError, serial.SerialException, TypeError):
            raise self._gone() from None

    def execute(self, source: str, timeout_s: float = 10.0) -> str:
        """Execute source; what it printed. Raises BoardError if it raises, BeckonError."""
        self.start(source)
        got = b""
        until = time.monotonic() + timeout_s
        while got.count(_CTRL_D) < 2 or not got.endswith(b">"):
            if time.monotonic() > until:
                raise BeckonError("the board on {port} did not finish within {timeout_s:g} s; "
                                  "press its reset button and try again", port=self.port,
                                  timeout_s=timeout_s)
            got += self.read(_POLL_S)
        out, problem, _ = got.split(_CTRL_D, 2)
        if problem:
            raise BoardError(problem.decode(errors="replace"))
        return out.decode(errors="replace").replace("\r\n", "\n")

    def restart(self) -> None:
        """Reset the board as if by its button; it then runs main.py."""
        self.start("import machine\nmachine.reset()")

    def lines(self, timeout_s: float) -> Iterator[str]:
        """The lines that the board prints, for timeout_s."""
        until = time.monotonic() + timeout_s
        rest = b""
        while time.monotonic() < until:
            rest += self.read(_POLL_S)
            *whole, rest = rest.split(b"\n")
            for line in whole:
                yield line.decode(errors="replace").rstrip("\r")


def why_silent(port: str, heard: bytes) -> str:
    """The line for a board that gives no REPL; heard: what it sent instead."""
    text = heard.decode(errors="replace")
    if "invalid header" in text or "No bootable app" in text or "flash read err" in text:
        return Sentence("the board on {port} has no MicroPython; flash it first: beckon flash "
                       "{port}", port=port)
    if "waiting for download" in text:
        return Sentence("the board on {port} waits for an image; release its BOOT button and "
                        "press reset, or run beckon flash", port=port)
    resets = len(re.findall(r"rst:0x|ets [A-Z][a-z]{2} |Guru Meditation|Brownout", text))
    if "Brownout" in text:
        return Sentence("the board on {port} restarts because its supply voltage falls; use "
                        "another cable or USB port", port=port)
    if resets >= 2:
        return Sentence("the board on {port} keeps restarting before MicroPython listens; flash "
                        "it again: beckon flash {port}", port=port)
    printable = sum(32 <= byte < 127 or byte in b"\r\n\t" for byte in heard)
    if heard and printable < 0.8 * len(heard):
        return Sentence("the board on {port} sends data that is not text: another program or baud "
                        "rate; press its reset button and try again", port=port)
    if heard:
        last = (text.strip().splitlines() or [""])[-1][-80:]
        return Sentence("the program on {port} does not stop for Ctrl-C (it last sent {last!r}); "
                        "press the board's reset button while trying again", port=port, last=last)
    return Sentence("the board on {port} does not answer; press its reset button and try again, "
                    "or, if it never had MicroPython: beckon flash {port}", port=port)
