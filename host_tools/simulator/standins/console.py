"""The REPL of the simulated board, on standard input and output: raw and friendly mode.

power_on.py executes this file instead of main.py when the board has a serial line
(host_tools/testing/pty_board.py). It runs main.py, then answers. The Unix port's own REPL
knows no raw mode; this one behaves as MicroPython's reference/repl says, without
raw-paste mode, which it refuses.
"""

import io
import os
import select
import sys

import machine

_CTRL_A, _CTRL_B, _CTRL_C, _CTRL_D, _CTRL_E = 1, 2, 3, 4, 5
_SOFT_FRIENDLY = 44  # exit status: a soft reset, into the friendly prompt
_SOFT_RAW = 45

_globals = {"__name__": "__main__"}


def _say(text):
    sys.stdout.buffer.write(text if isinstance(text, bytes) else text.encode())


def _key():
    if select.typed_ahead:
        return select.typed_ahead.pop(0)
    one = sys.stdin.buffer.read(1)
    if not one:
        machine.exit(0)  # the host is gone
    return one[0]


def _execute(source, name):
    """Run source; the traceback it ended with, or ""."""
    try:
        exec(compile(source, name, "exec"), _globals)
    except SystemExit:
        machine.exit(_SOFT_FRIENDLY)
    except BaseException as error:
        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue().replace("\n", "\r\n")
    return ""


def _raw():
    _say("raw REPL; CTRL-B to exit\r\n>")
    line = bytearray()
    while True:
        key = _key()
        if key == _CTRL_A:
            _say("\r\nraw REPL; CTRL-B to exit\r\n>")
            line = bytearray()
        elif key == _CTRL_B:
            return
        elif key == _CTRL_C:
            line = bytearray()
        elif key == _CTRL_E and not line:
            if _key() == 65 and _key() == _CTRL_A:
                _say(b"R\x00")
        elif key == _CTRL_D:
            _say("OK")
            if not line:
                _say("\r\nMPY: soft reboot\r\n")
                machine.exit(_SOFT_RAW)
            source, line = str(line, "utf-8"), bytearray()
            problem = _execute(source, "<stdin>")
            _say(b"\x04" + problem.encode() + b"\x04>")
        else:
            line.append(key)


def _friendly():
    """Only what tools use of it: Ctrl-A, Ctrl-D, and whole lines."""
    _say("\r\n>>> ")
    line = bytearray()
    while True:
        key = _key()
        if key == _CTRL_A:
            _raw()
            _say("\r\nMicroPython on the simulated board\r\n>>> ")
            line = bytearray()
        elif key == _CTRL_D and not line:
            _say("\r\nMPY: soft reboot\r\n")
            machine.exit(_SOFT_FRIENDLY)
        elif key in (_CTRL_B, _CTRL_C):
            line = bytearray()
            _say("\r\n>>> ")
        elif key == 13:
            _say("\r\n")
            if line:
                _say(_execute(str(line, "utf-8"), "<stdin>"))
            line = bytearray()
            _say(">>> ")
        else:
            line.append(key)
            _say(bytes((key,)))


if sys.argv[4] == "raw":
    _raw()
elif "main.py" in os.listdir():
    with open("main.py") as file:
        _source = file.read()
    _say(_execute(_source, "main.py"))
while True:
    _friendly()
