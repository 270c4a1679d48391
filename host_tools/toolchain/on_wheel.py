"""Run the MicroPython that lies as an extension module in FOLDER:

    python on_wheel.py FOLDER [MicroPython's own arguments]

Its exit status is MicroPython's. A program without `ffi` can end the process at once,
without unwinding, as a board's reset does: it puts the status into BECKON_EXIT_STATUS and
sends the process SIGUSR1 (host_tools/simulator/standins/machine.py does).
"""

import ctypes
import os
import signal
import sys

_libc = ctypes.CDLL(None)
_libc.getenv.restype = ctypes.c_char_p


# Not through Python's signal module: its handlers wait until MicroPython has returned
@ctypes.CFUNCTYPE(None, ctypes.c_int)
def _exit(signal_number):
    os._exit(int(_libc.getenv(b"BECKON_EXIT_STATUS") or 1))


_libc.signal(getattr(signal, "SIGUSR1", 0), _exit)
sys.path.insert(0, sys.argv.pop(1))

from micropython_run import run_main  # noqa: E402

sys.exit(run_main(sys.argv))
