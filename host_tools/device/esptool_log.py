"""What esptool says while it works: nothing goes to the terminal, its progress to a function."""

import contextlib
from collections.abc import Callable, Iterator

from esptool.logger import EsptoolLogger, TemplateLogger


class _Listener(TemplateLogger):
    def __init__(self, on_percent: Callable[[float], None]):
        self._on_percent = on_percent

    def print(self, *args, **kwargs):
        pass

    def note(self, message):
        pass

    def warning(self, message):
        pass

    def error(self, message):
        pass

    def stage(self, finish=False):
        pass

    def progress_bar(self, cur_iter, total_iters, prefix="", suffix="", bar_length=30):
        if total_iters > 0:
            self._on_percent(100 * min(cur_iter, total_iters) / total_iters)

    def set_verbosity(self, verbosity):
        pass


@contextlib.contextmanager
def listening(on_percent: Callable[[float], None] = lambda percent: None) -> Iterator[None]:
    """Within it esptool prints nothing; on_percent is called with its progress, 0 to 100.

    esptool has one log for the whole process, which afterwards is its own again.
    """
    own = EsptoolLogger()
    own.set_verbosity("silent")  # parts of esptool hold on to this one
    own.set_logger(_Listener(on_percent))
    try:
        yield
    finally:
        own.set_logger(own)
        own.set_verbosity("auto")
