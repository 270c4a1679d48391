"""Power-on of the simulated board: puts the stand-ins in place, runs main.py.

For the arguments see start.py. PROGRAM is executed instead of main.py. The
current folder is the board's flash. What heap the interpreter was given beyond
the firmware's share and what the stand-ins take is locked away.

Few names here and in the other stand-ins: each takes heap, and the table for
all of them doubles when it is full.
"""

import gc
import sys


def _put_in_place():
    standins = sys.argv[1]
    request_path, response_path, speed_milli, cause, heap_bytes = sys.argv[2].split("\n")
    sys.path[:] = [".frozen"]
    import select as real_select
    import time as real_time

    sys.path[:] = [standins, "", "lib", ".frozen"]
    for name in ("time", "select"):
        sys.modules.pop(name, None)
    import board_clock

    board_clock.real_ticks_us = real_time.ticks_us
    board_clock.real_sleep_us = real_time.sleep_us
    import time

    time._real = real_time
    import select

    select.start(real_select)
    import board_tasks

    sys.modules["_asyncio"] = board_tasks
    import mapped_socket
    import socket

    mapped_socket.start(socket)
    sys.modules["socket"] = mapped_socket
    import machine

    machine._requests = open(request_path, "wb")
    machine._responses = open(response_path, "rb")
    machine._reset_cause = int(cause)
    board_clock.start(int(speed_milli))
    gc.collect()
    return bytearray(max(0, gc.mem_free() - int(heap_bytes) + 256))


_locked_away = _put_in_place()
exec(
    open(sys.argv[3] if len(sys.argv) > 3 else "main.py").read(),
    {"__name__": "__main__"},
)
