"""Progress of what takes over two seconds, on stderr: a bar on a terminal, else plain lines.

    with progress("training", total=epochs) as step:
        for epoch in range(epochs):
            step(f"loss {loss:.3f}")

    with waiting("waiting for the broker"):
        ...
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from host_tools.toolchain.bootstrap import activity as waiting

__all__ = ["progress", "waiting"]

_PLAIN_EVERY_S = 10  # between lines when stderr is not a terminal


@contextlib.contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Yield step(note="", advance=1), to be called after each of total steps.

    total: None when it is not known. The bar disappears at the end.
    """
    if sys.stderr.isatty():
        with _bar(what, total) as step:
            yield step
    else:
        yield _plain(what, total)


@contextlib.contextmanager
def _bar(what: str, total: int | None) -> Iterator[Callable[..., None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    console = Console(stderr=True)
    # On a terminal, lines that the command prints go above the bar.
    above = sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=above) as bar:
        task = bar.add_task(what, total=total, note="")

        def step(note: str = "", advance: int = 1) -> None:
            bar.update(task, advance=advance, note=note)

        yield step


def _plain(what: str, total: int | None) -> Callable[..., None]:
    done = 0
    last = time.monotonic()

    def step(note: str = "", advance: int = 1) -> None:
        nonlocal done, last
        done += advance
        if time.monotonic() - last >= _PLAIN_EVERY_S:
            last = time.monotonic()
            of = "" if total is None else f"/{total}"
            print(f"{what}: {done}{of} {note}".rstrip(), file=sys.stderr, flush=True)

    return step
