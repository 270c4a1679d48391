"""The held button that starts learning: see ops/button.py, which shares it with others."""

from micropython import const

from ops.button import watch

_LEAST_MS = const(2000)
_MOST_MS = const(5000)


def watcher(number, learner):
    """A function that gives the task. learner: returns the Learner."""

    def released(ms):
        if _LEAST_MS <= ms < _MOST_MS:
            learner().button()

    return lambda: watch(number, None, None, released)
