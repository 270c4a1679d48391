"""The held button that starts learning: see ops/button.py, which shares it with others."""

from micropython import const

from ops.button import watch
from ops.lazy import forget

_LEAST_MS = const(2000)
_MOST_MS = const(5000)


def add(board, learner):
    """Let board watch its button, if it has one. board: Parts. learner: returns the Learner."""
    shown = []  # not empty once the feedback pin has said that the button was held long enough

    def held(ms):
        if board.saver:
            board.saver.stay()
        if ms >= _LEAST_MS and not shown:
            shown.append(ms)
            if board.feedback:
                from learning.signs import SHORT

                board.feedback.play(SHORT)
                forget("learning.signs")

    def released(ms):
        shown.clear()
        if _LEAST_MS <= ms < _MOST_MS:
            try:
                learner().button()
            except MemoryError:  # of loading it; the next start has more
                print("not learned: too little memory to learn")

    if board.settings.take_button_pin >= 0:
        board.runs.append(
            lambda: watch(board.settings.take_button_pin, None, held, released)
        )
