"""More of the stand-in for `machine`: real-time clock, the REPL's UART."""

import sys

import board_clock as clock


class RTC:
    def datetime(self, fields=None):
        import time

        if fields is None:
            year, month, day, hour, minute, second, weekday = time.gmtime()[:7]
            return (year, month, day, weekday, hour, minute, second, 0)
        year, month, day, _, hour, minute, second, _ = fields
        time.set_wall_time(time.mktime((year, month, day, hour, minute, second, 0, 0)))

    def memory(self, data=None):
        """RTC memory: the file `rtc` beside the stand-ins, which the host can damage."""
        path = sys.argv[1] + "/rtc"
        if data is None:
            try:
                with open(path, "rb") as file:
                    return file.read()
            except OSError:
                return b""
        if len(data) > 2048:
            raise ValueError("buffer too long")
        with open(path, "wb") as file:
            file.write(data)


class UART:
    """UART 0, which carries the REPL: only its baud rate can be set.

    The host (pty_board.py) finds it in the file `uart0` beside the stand-ins.
    """

    def __init__(self, id, baudrate=115200):
        if id != 0:
            raise ValueError("UART(%d) is not simulated" % id)
        clock.real_sleep_us(50_000)  # until all that was written has left
        with open(sys.argv[1] + "/uart0", "w") as file:
            file.write(str(baudrate))
