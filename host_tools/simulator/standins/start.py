"""Power-on of the simulated board: puts the stand-ins in place, runs main.py.

    micropython start.py STANDINS REQUEST_PIPE RESPONSE_PIPE SPEED_MILLI RESET_CAUSE HEAP_BYTES
        [PROGRAM ...]

PROGRAM is executed instead of main.py. The current folder is the board's flash.
HEAP_BYTES of heap are left to the firmware: what the interpreter was given beyond
that and beyond what the stand-ins take is locked away.
"""

import gc

import sys

_standins, _request_path, _response_path, _speed_milli, _cause, _heap_bytes = sys.argv[1:7]

sys.path[:] = [".frozen"]
import select as _real_select  # noqa: E402
import time as _real_time  # noqa: E402

sys.path[:] = [_standins, "", "lib", ".frozen"]
for _name in ("time", "select"):
    sys.modules.pop(_name, None)
import board_clock as clock  # noqa: E402

clock.real_ticks_us = _real_time.ticks_us
clock.real_sleep_us = _real_time.sleep_us

import time  # noqa: E402

time._real = _real_time

import select  # noqa: E402

select.start(_real_select)

import board_tasks  # noqa: E402

sys.modules["_asyncio"] = board_tasks

import machine  # noqa: E402

machine._requests = open(_request_path, "wb")
machine._responses = open(_response_path, "rb")
machine._reset_cause = int(_cause)
clock.start(int(_speed_milli))

gc.collect()
_locked_away = bytearray(max(0, gc.mem_free() - int(_heap_bytes) - 256))

exec(
    open(sys.argv[7] if len(sys.argv) > 7 else "main.py").read(),
    {"__name__": "__main__"},
)
