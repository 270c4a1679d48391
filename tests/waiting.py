"""Wait for a state, never for a time: so the tests pass however busy the computer is.

TIMEOUT_S is long because only a test that fails waits so long.
"""

import time

TIMEOUT_S = 120.0


def until(condition, what="", timeout_s=TIMEOUT_S, pause_s=0.01):
    """Wait until condition() is true, and return its value.

    what: what is waited for, or a function that says it when it has not come.
    """
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            said = what() if callable(what) else what or condition
            raise AssertionError(f"not within {timeout_s:g} s: {said}")
        time.sleep(pause_s)
