"""What the pages share: reads in a thread, areas that are filled again, times as text."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import ui
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from host_tools.store.database import reading, reason
from host_tools.studio.frame.language import tr

# Vue writes the value as text. The label is shown where a row becomes a card: on a phone.
CELL = '<q-td :props="props" :data-label="props.col.label">{{ props.value }}</q-td>'


def now_ms() -> int:
    return time.time_ns() // 10**6


def moment(ms: int) -> str:
    """Local time; with the day if that is not today."""
    then, now = time.localtime(ms / 1000), time.localtime()
    form = "%H:%M:%S" if then[:3] == now[:3] else tr("%d %b %H:%M:%S", about="of strftime")
    return time.strftime(form, then)


async def read(engine: Engine, ask: Callable[..., Any], *arguments: Any) -> Any:
    """ask(connection, *arguments), in a thread."""

    def answer() -> Any:
        with reading(engine).connect() as connection:
            return ask(connection, *arguments)

    return await asyncio.to_thread(answer)


@contextmanager
def storing() -> Iterator[None]:
    """Say over the page what the store refuses."""
    try:
        yield
    except DBAPIError as error:
        ui.notify(tr("This cannot be stored: {reason}. Whoever opened the dashboard may need more "
                     "rights in the database.", reason=reason(error).rstrip(".")),
                  type="negative", multi_line=True, timeout=10_000)  # fmt: skip


def fill(box: ui.element, build: Callable[[], Any]) -> None:
    """Show what build makes instead of what box shows."""
    box.clear()
    with box:
        build()
