"""What the pages share: reads in a thread, areas that are filled again, times as text."""

import time
from collections.abc import Callable
from typing import Any

from nicegui import run, ui
from sqlalchemy import Engine

from host_tools.store.database import reading


def now_ms() -> int:
    return time.time_ns() // 10**6


def moment(ms: int) -> str:
    """Local time; with the day if that is not today."""
    then, now = time.localtime(ms / 1000), time.localtime()
    return time.strftime("%H:%M:%S" if then[:3] == now[:3] else "%d %b %H:%M:%S", then)


async def read(engine: Engine, ask: Callable[..., Any], *arguments: Any) -> Any:
    """ask(connection, *arguments), in a thread."""

    def answer() -> Any:
        with reading(engine).connect() as connection:
            return ask(connection, *arguments)

    return await run.io_bound(answer)


def fill(box: ui.element, build: Callable[[], Any]) -> None:
    """Show what build makes instead of what box shows."""
    box.clear()
    with box:
        build()
