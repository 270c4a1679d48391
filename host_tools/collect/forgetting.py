"""Remove what is too old, beside the collecting: a piece, then a pause as long as it took.

So half the time is left to whoever writes, and a store that has fallen behind still catches up.
"""

import threading
import time

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from host_tools.store import retention

_EVERY_S = 600.0  # when nothing is too old
_PAUSE_S = 0.02  # at least


class Forgetting:
    """A context manager with a thread of its own."""

    def __init__(self, engine: Engine, keep: retention.Keep):
        self._engine = engine
        self._keep = keep
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="forgetting", daemon=True)

    def __enter__(self) -> "Forgetting":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        wait_s, only = 0.0, None
        while not self._stop.wait(wait_s):
            begun_s = time.monotonic()
            try:
                more = retention.forget(self._engine, self._keep, time.time_ns() // 10**6, only)
            except DBAPIError:
                more = set()  # the next batch says what is wrong
            wait_s = max(_PAUSE_S, time.monotonic() - begun_s) if more else _EVERY_S
            only = more or None
